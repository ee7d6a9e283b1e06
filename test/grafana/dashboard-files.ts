import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A panel as Grafana is given it; what text panels and rows lack is optional. */
export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title?: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string;
      readonly noValue?: string;
      readonly decimals?: number;
      readonly mappings?: readonly {
        readonly options: Readonly<Record<string, { readonly text: string; readonly color: string }>>;
      }[];
      readonly thresholds?: { readonly steps: readonly { readonly color: string; readonly value: number | null }[] };
    };
    readonly overrides?: readonly Override[];
  };
  readonly targets?: readonly Target[];
  readonly options?: { readonly content?: string };
}
/** What holds for one column or series only. */
interface Override {
  readonly matcher: { readonly id: string; readonly options: string };
  readonly properties: readonly { readonly id: string; readonly value: unknown }[];
}
export interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat?: string;
}
export interface Variable {
  readonly name: string;
  readonly label?: string;
  readonly type: string;
  readonly query: string;
  readonly current?: { readonly value?: string };
}
export interface Dashboard {
  readonly id: number | null;
  readonly uid: string;
  readonly title: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly time?: { readonly from: string; readonly to: string };
  readonly panels: readonly Panel[];
  readonly templating?: { readonly list?: readonly Variable[] };
  readonly annotations?: { readonly list?: readonly { readonly name: string; readonly expr: string }[] };
  readonly links?: readonly { readonly title: string }[];
}
/** An expression and where it stands, for messages. */
export interface Asked {
  readonly where: string;
  readonly expr: string;
}

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const FOLDER = `${ROOT}grafana/dashboards/`;
export const FILES: readonly string[] = readdirSync(FOLDER).toSorted();
export const DASHBOARDS: readonly Dashboard[] = FILES.map(
  (file) => JSON.parse(readFileSync(FOLDER + file, 'utf8')) as Dashboard,
);

export const variablesOf = ({ templating }: Dashboard): readonly Variable[] => templating?.list ?? [];

/** What the panels of a dashboard ask. */
export function expressionsOf({ uid, panels }: Dashboard): Asked[] {
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ refId, expr }) => ({ where: `${uid} › ${title} › ${refId}`, expr })),
  );
}

/** What else a dashboard asks: the values of its variables, and its annotations. */
export function otherExpressionsOf(dashboard: Dashboard): Asked[] {
  const { uid, annotations } = dashboard;
  const values = variablesOf(dashboard)
    .filter(({ type }) => type === 'query')
    .map(({ name, query }) => ({
      where: `${uid} › $${name}`,
      expr: query.replace(/^label_values\((.+), (\w+)\)$/, 'count by($2) ($1)'),
    }));
  const marks = (annotations?.list ?? []).map(({ name, expr }) => ({ where: `${uid} › annotation ${name}`, expr }));
  return [...values, ...marks];
}

/** An expression as Grafana sends it when everything is chosen. */
export function substitute(expression: string): string {
  return expression
    .replaceAll('$__rate_interval', '5m')
    .replaceAll('$window', '24h')
    .replace(/\$(?:agent|project)\b/g, '.*');
}
