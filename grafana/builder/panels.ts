import { PanelBuilder as BarGauge } from '@grafana/grafana-foundation-sdk/bargauge';
import {
  BarGaugeDisplayMode,
  BigValueColorMode,
  BigValueGraphMode,
  ReduceDataOptionsBuilder,
  TableSortByFieldStateBuilder,
  VizOrientation,
} from '@grafana/grafana-foundation-sdk/common';
import {
  MappingType,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as Heatmap } from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimeline } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as Text } from '@grafana/grafana-foundation-sdk/text';
import { PanelBuilder as Timeseries } from '@grafana/grafana-foundation-sdk/timeseries';

/** The data source that provisioning/datasources names. */
export const DATASOURCE = { type: 'prometheus', uid: 'swarm-prometheus' };

/** A query; its legend names what a line or a row is. */
export interface Query {
  readonly expr: string;
  readonly legend?: string;
  /** In a table: of this column, where it differs from the panel's. */
  readonly unit?: string;
  /** Likewise. */
  readonly words?: Words;
}

/** What every panel says of itself. Titles and descriptions are Italian: they are for people. */
export interface PanelOptions {
  readonly title: string;
  /** What it shows, and why it may be empty. */
  readonly description: string;
  readonly queries: readonly Query[];
  /** A unit of Grafana's: s, percentunit, currencyUSD, short, bytes, … */
  readonly unit: string;
  /** Columns of 24. */
  readonly width: number;
  readonly height?: number;
  /** What stands there when there is nothing to show, which then is normal. */
  readonly noValue?: string;
  readonly decimals?: number;
  /** Colours from a value on; the first holds below all others. */
  readonly thresholds?: readonly Step[];
  /** Words for values. */
  readonly words?: Words;
  /** What people call the series whose legend is the key, or in a table the rows of that label value. */
  readonly names?: Readonly<Record<string, string>>;
  readonly max?: number;
}

/** Words in place of values, and their colours. */
type Words = Readonly<Record<string, { readonly text: string; readonly color?: string }>>;

/** A colour and the value it begins at; null for the first. */
export type Step = readonly [color: string, from: number | null];

type AnyPanel = BarGauge | Heatmap | Stat | StateTimeline | Table | Text | Timeseries;

/** A panel and the room it takes. */
export interface Placed {
  readonly panel: AnyPanel;
  readonly width: number;
  readonly height: number;
}

/** Good, so-so, bad, for values of which more is better. */
export const moreIsBetter = (soSo: number, good: number): readonly Step[] => [
  ['red', null],
  ['orange', soSo],
  ['green', good],
];
/** The same where less is better. */
export const lessIsBetter = (soSo: number, bad: number): readonly Step[] => [
  ['green', null],
  ['orange', soSo],
  ['red', bad],
];
/** 1 and 0 as words. */
export const YES_NO = {
  '1': { text: 'Sì', color: 'green' },
  '0': { text: 'No', color: 'red' },
} as const;
export const UP_DOWN = {
  '1': { text: 'Attivo', color: 'green' },
  '0': { text: 'Giù', color: 'red' },
} as const;

const LAST = new ReduceDataOptionsBuilder().calcs(['lastNotNull']);

/** One number of now, or one for each series. */
export function stat(options: PanelOptions): Placed {
  const panel = new Stat().reduceOptions(LAST).graphMode(BigValueGraphMode.None).colorMode(BigValueColorMode.Value);
  return finish(panel, options, { height: 4, instant: true });
}

/** Lines over time. */
export function timeseries(options: PanelOptions): Placed {
  const panel = new Timeseries().fillOpacity(10).lineWidth(2);
  return finish(panel, options, { height: 8, instant: false });
}

/** A bar for each series, of now. */
export function barGauge(options: PanelOptions): Placed {
  const panel = new BarGauge()
    .reduceOptions(LAST)
    .displayMode(BarGaugeDisplayMode.Basic)
    .orientation(VizOrientation.Horizontal);
  return finish(panel, options, { height: 8, instant: true });
}

/** States over time, a line for each series. */
export function stateTimeline(options: PanelOptions): Placed {
  return finish(new StateTimeline().mergeValues(true), options, { height: 8, instant: false });
}

/**
 * How much of everything falls into each range, over time: a row for each series. Grafana puts the rows in order by the number
 * that each of their names begins with; where one begins otherwise, all stay in the order of the alphabet.
 */
export function heatmap(options: PanelOptions): Placed {
  return finish(new Heatmap(), options, { height: 8, instant: false });
}

/** A row for each combination of labels and a column for each query, called by its legend. */
export function table(options: PanelOptions & { readonly by: readonly string[]; readonly sortBy?: string }): Placed {
  const { by, sortBy, names, ...common } = options;
  const { queries } = common;
  const hidden = Object.fromEntries(['Time', '__name__', 'instance', 'job'].map((name) => [name, true]));
  const renamed = queries.map(({ legend = 'Valore' }, index) => [
    queries.length === 1 ? 'Value' : `Value #${refId(index)}`,
    legend,
  ]);
  const panel = new Table().withTransformation({ id: 'merge', options: {} }).withTransformation({
    id: 'organize',
    options: {
      excludeByName: hidden,
      indexByName: Object.fromEntries(by.map((label, index) => [label, index])),
      renameByName: Object.fromEntries(renamed),
    },
  });
  for (const { legend = '', unit, words } of queries) {
    if (unit) panel.overrideByName(legend, [{ id: 'unit', value: unit }]);
    if (words) panel.overrideByName(legend, [{ id: 'mappings', value: [mappingOf(words)] }]);
  }
  if (names) {
    const words = Object.fromEntries(Object.entries(names).map(([key, name]) => [key, { text: name }]));
    panel.overrideByName(by[0], [{ id: 'mappings', value: [mappingOf(words)] }]);
  }
  if (sortBy) panel.sortBy([new TableSortByFieldStateBuilder().displayName(sortBy).desc(true)]);
  return finish(panel, common, { height: 8, instant: true, format: PromQueryFormat.Table });
}

/** Words, in Markdown. */
export function text(title: string, description: string, content: string, width: number, height: number): Placed {
  return { panel: new Text().title(title).description(description).content(content), width, height };
}

/** What all panels have in common. */
function finish(
  panel: Exclude<AnyPanel, Text>,
  options: PanelOptions,
  defaults: { readonly height: number; readonly instant: boolean; readonly format?: PromQueryFormat },
): Placed {
  const { title, description, unit, width, noValue, decimals, thresholds, words, names, max } = options;
  panel.title(title).description(description).datasource(DATASOURCE).unit(unit).min(0);
  panel.noValue(noValue ?? 'Nessun dato');
  if (decimals !== undefined) panel.decimals(decimals);
  if (max !== undefined) panel.max(max);
  const steps = (thresholds ?? [['text', null] as const]).map(([color, value]) => ({ color, value }));
  panel.thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps));
  if (words) panel.mappings([mappingOf(words)]);
  for (const [legend, name] of Object.entries(names ?? {})) {
    panel.overrideByName(legend, [{ id: 'displayName', value: name }]);
  }
  for (const [index, { expr, legend }] of options.queries.entries()) {
    const query = new DataqueryBuilder()
      .refId(refId(index))
      .expr(expr)
      .legendFormat(legend ?? '');
    if (defaults.instant) query.instant();
    else query.range();
    query.format(defaults.format ?? PromQueryFormat.TimeSeries);
    panel.withTarget(query);
  }
  return { panel, width, height: options.height ?? defaults.height };
}

function mappingOf(words: Words): ValueMapping {
  const options = Object.fromEntries(Object.entries(words).map(([value, word], index) => [value, { ...word, index }]));
  return { type: MappingType.ValueToText, options } as ValueMapping;
}

function refId(index: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + index);
}
