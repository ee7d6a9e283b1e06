import type { QueryOutcome } from '../support/prometheus-with-jobs.ts';
import { type Dashboard, type Panel, substitute } from './dashboard-files.ts';

/** Answers an expression whose variables have been filled in. */
export type Ask = (expression: string) => Promise<QueryOutcome>;

type Defaults = NonNullable<Panel['fieldConfig']>['defaults'];

const MAX_LINES = 14;
const COLORS: Readonly<Record<string, string>> = {
  text: '#ccccdc',
  green: '#73bf69',
  orange: '#ff9830',
  red: '#f2495c',
};
const STYLE = `
  body { margin: 0; padding: 8px; background: #111217; color: #ccccdc; font: 13px/1.35 system-ui, sans-serif; }
  h1 { font-size: 18px; margin: 4px 0 10px; }
  main { display: grid; grid-template-columns: repeat(24, minmax(0, 1fr)); grid-auto-rows: 30px; gap: 8px; }
  section { background: #181b1f; border: 1px solid #2c3235; border-radius: 3px; padding: 6px 8px; overflow: hidden; }
  .row { background: none; border: none; font-size: 15px; font-weight: 600; padding: 4px 0; }
  h2 { font-size: 12.5px; margin: 0 0 4px; font-weight: 600; }
  ul { list-style: none; margin: 0; padding: 0; }
  li { display: flex; justify-content: space-between; gap: 8px; }
  li span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .stat li { font-size: 19px; }
  table { width: 100%; border-collapse: collapse; }
  th, td { text-align: right; font-weight: normal; padding: 1px 4px; }
  th { color: #8e8e8e; }
  td:first-child { text-align: left; }
  .none { color: #8e8e8e; }
  @media (max-width: 768px) { main { display: block; } section { margin-bottom: 8px; } }`;

/**
 * A page that shows a dashboard as Grafana lays it out, with the values of now in place of drawings: for the eye, where
 * Grafana itself cannot run.
 */
export async function renderPreview(dashboard: Dashboard, ask: Ask): Promise<string> {
  const sections = await Promise.all(dashboard.panels.map((panel) => renderPanel(panel, ask)));
  const title = escapeHtml(dashboard.title);
  return `<!doctype html><html lang="it"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><style>${STYLE}</style><h1>${title}</h1><main>\n${sections.join('\n')}\n</main></html>\n`;
}

async function renderPanel(panel: Panel, ask: Ask): Promise<string> {
  const { x, y, w, h } = panel.gridPos;
  const place = `grid-column:${x + 1}/span ${w};grid-row:${y + 1}/span ${h}`;
  if (panel.type === 'row') return `<section class="row" style="${place}">${escapeHtml(panel.title ?? '')}</section>`;
  const body = panel.type === 'text' ? escapeHtml(panel.options?.content ?? '') : await renderValues(panel, ask);
  const title = `<h2 title="${escapeHtml(panel.description ?? '')}">${escapeHtml(panel.title ?? '')}</h2>`;
  return `<section class="${panel.type}" style="${place}">${title}${body}</section>`;
}

async function renderValues(panel: Panel, ask: Ask): Promise<string> {
  const { type, targets = [] } = panel;
  const defaults = defaultsOf(panel);
  const answers = await Promise.all(
    targets.map(async ({ expr, legendFormat }) => {
      const outcome = await ask(substitute(expr));
      if ('error' in outcome) throw new Error(`${expr}: ${outcome.error}`);
      return outcome.series.map(({ labels, value }) => {
        const name = nameOf(legendFormat, labels);
        return { name: String(overrideOf(panel, name, 'displayName') ?? name), labels, value };
      });
    }),
  );
  const lines = type === 'heatmap' ? answers.flat().toSorted(byRow) : answers.flat();
  if (lines.length === 0) return `<p class="none">${escapeHtml(defaults.noValue ?? 'No data')}</p>`;
  if (type === 'table') return renderTable(panel, answers);
  const shown = lines
    .slice(0, MAX_LINES)
    .map(({ name, value }) => `<li><span>${escapeHtml(name)}</span>${renderValue(value, defaults)}</li>`);
  const rest = lines.length > MAX_LINES ? `<li class="none">… +${lines.length - MAX_LINES}</li>` : '';
  return `<ul>${shown.join('')}${rest}</ul>`;
}

/** Grafana puts the rows of a heat map in order by the number that each name begins with, the least at the bottom. */
function byRow(one: { readonly name: string }, other: { readonly name: string }): number {
  return Number.parseFloat(other.name) - Number.parseFloat(one.name);
}

/** A row for each combination of labels, a column for each query. */
function renderTable(
  panel: Panel,
  answers: readonly (readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[])[],
): string {
  const columns = (panel.targets ?? []).map(({ legendFormat = '' }) => legendFormat);
  const keyOf = (labels: Readonly<Record<string, string>>): string => Object.values(withoutTarget(labels)).join(' ');
  const keys = [...new Set(answers.flat().map(({ labels }) => keyOf(labels)))];
  const head = columns.map((column) => `<th>${escapeHtml(column)}</th>`).join('');
  const rows = keys.slice(0, MAX_LINES).map((key) => {
    const cells = answers.map((answer, index) => {
      const found = answer.find(({ labels }) => keyOf(labels) === key);
      return `<td>${found ? renderValue(found.value, defaultsOf(panel, columns[index])) : ''}</td>`;
    });
    const name = wordFor(defaultsOf(panel, Object.keys(withoutTarget(answers.flat()[0].labels))[0]), key)?.text ?? key;
    return `<tr><td>${escapeHtml(name)}</td>${cells.join('')}</tr>`;
  });
  return `<table><tr><th></th>${head}</tr>${rows.join('')}</table>`;
}

/** A value in the colour that Grafana would give it. */
function renderValue(value: number, defaults: Defaults): string {
  const word = wordFor(defaults, String(value));
  const steps = defaults.thresholds?.steps ?? [];
  const color = word?.color ?? steps.findLast((step) => step.value === null || value >= step.value)?.color ?? 'text';
  return `<span style="color:${COLORS[color] ?? COLORS.text}">${escapeHtml(word?.text ?? format(value, defaults))}</span>`;
}

function wordFor({ mappings = [] }: Defaults, value: string) {
  return mappings.map(({ options }) => options[value]).find((each) => each !== undefined);
}

/** What holds for a panel's values, or for those of one column. */
function defaultsOf(panel: Panel, column?: string): Defaults {
  const defaults = panel.fieldConfig?.defaults ?? {};
  if (column === undefined) return defaults;
  const [unit, mappings] = ['unit', 'mappings'].map((id) => overrideOf(panel, column, id));
  return { ...defaults, ...(unit ? { unit: String(unit) } : {}), ...(mappings ? { mappings: mappings as never } : {}) };
}

function overrideOf({ fieldConfig }: Panel, name: string, id: string): unknown {
  const override = fieldConfig?.overrides?.find(({ matcher }) => matcher.options === name);
  return override?.properties.find((property) => property.id === id)?.value;
}

/** What a scrape adds says nothing to a reader. */
function withoutTarget(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { __name__: _name, instance: _instance, job: _job, ...rest } = labels;
  return rest;
}

function nameOf(legend: string | undefined, labels: Readonly<Record<string, string>>): string {
  const values = Object.values(withoutTarget(labels)).join(' ');
  if (!legend) return '';
  if (legend.includes('{{')) return legend.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label: string) => labels[label] ?? '');
  return values === '' ? legend : `${values} · ${legend}`;
}

function format(value: number, { unit = 'short', decimals }: Defaults): string {
  const rounded = (number: number, digits = decimals ?? 1): string =>
    new Intl.NumberFormat('it-IT', { maximumFractionDigits: digits }).format(number);
  if (unit === 'percentunit') return `${rounded(value * 100)}%`;
  if (unit === 'currencyUSD') return `$ ${rounded(value, decimals ?? 2)}`;
  if (unit === 'currencyEUR') return `€ ${rounded(value, decimals ?? 2)}`;
  if (unit === 'bytes' || unit === 'Bps') return `${rounded(value / 1e6)} MB${unit === 'Bps' ? '/s' : ''}`;
  if (unit === 's') return formatDuration(value, rounded);
  return rounded(value);
}

function formatDuration(seconds: number, rounded: (number: number) => string): string {
  if (seconds < 90) return `${rounded(seconds)} s`;
  if (seconds < 5_400) return `${rounded(seconds / 60)} min`;
  return seconds < 172_800 ? `${rounded(seconds / 3_600)} h` : `${rounded(seconds / 86_400)} g`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
