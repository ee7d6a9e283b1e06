import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { DASHBOARDS as SPECS } from '../../grafana/builder/all.ts';
import { buildDashboard } from '../../grafana/builder/dashboard.ts';
import { DURATION_BUCKETS_SECONDS, DURATION_RANGES } from '../../lib/memory/task-counters.ts';
import { GATES } from '../../lib/queue/gates.ts';
import { OUTCOMES } from '../../lib/queue/outcome.ts';
import { VETO_REASONS } from '../../orchestrator/autoscaler/saturation.ts';
import { tempDir } from '../support/memory-builder.ts';
import { EXPORTED, familyOf, metricsIn, ROW_COUNTERS } from '../support/metric-names.ts';
import { findProgram } from '../support/programs.ts';
import {
  type Asked,
  DASHBOARDS,
  type Dashboard,
  expressionsOf,
  FILES,
  FOLDER,
  otherExpressionsOf,
  type Panel,
  ROOT,
  substitute,
  variablesOf,
} from './dashboard-files.ts';
import { FOREIGN as RECORDED } from './recorded.ts';

const DATASOURCE_UID = 'swarm-prometheus';
const COLUMNS = 24;
/** Of Grafana's own list; a name that is not on it would be printed behind the number. */
const UNITS = ['short', 's', 'percentunit', 'currencyUSD', 'currencyEUR', 'bytes', 'Bps'];
const ENGLISH =
  /\b(?:the|and|of|with|without|for|is|are|was|were|when|which|what|how|from|has|have|not|this|that|by|to|no data|value)\b/i;

const FOREIGN = /^(?:(?:node|alertmanager|prometheus)_\w+|process_resident_memory_bytes|up|ALERTS)$/;
/** Prometheus makes these itself; no job has to keep them. */
const MADE_BY_PROMETHEUS = ['up', 'ALERTS'];

const BY_UID = DASHBOARDS.map((dashboard) => [dashboard.uid, dashboard] as const);
const ASKED = DASHBOARDS.flatMap((dashboard) => [...expressionsOf(dashboard), ...otherExpressionsOf(dashboard)]);
const USED = new Set(ASKED.flatMap(({ expr }) => metricsIn(expr).map(({ name }) => name)));

test('the committed dashboards are what the builder makes, and nothing else lies beside them', () => {
  expect(FILES, 'Run `npm run dashboards`').toEqual(SPECS.map(({ uid }) => `${uid}.json`).toSorted());
  for (const spec of SPECS) {
    const built = `${JSON.stringify(buildDashboard(spec), null, 2)}\n`;
    expect(readFileSync(`${FOLDER}${spec.uid}.json`, 'utf8'), 'Run `npm run dashboards`').toBe(built);
  }
});

test.each(BY_UID)('%s is a dashboard that can be provisioned', (uid, dashboard) => {
  expect(FILES).toContain(`${uid}.json`);
  expect(dashboard).toMatchObject({ id: null, tags: expect.arrayContaining(['swarm']) });
  expect(dashboard.panels.length).toBeGreaterThan(0);
  expect(JSON.stringify(dashboard)).not.toMatch(/__inputs|__requires|\$\{DS_/);
  expect([dashboard.title, dashboard.description].filter(Boolean)).toHaveLength(2);
  expect(dashboard.time).toEqual({ from: expect.stringMatching(/^now-\d+[hd]$/), to: 'now' });
});

test('no two dashboards have one uid or one title', () => {
  expect(repeated(DASHBOARDS.map(({ uid }) => uid))).toEqual([]);
  expect(repeated(DASHBOARDS.map(({ title }) => title))).toEqual([]);
});

test.each(BY_UID)('%s has panels that lie within its columns, one beside the other', (_, { panels }) => {
  expect(repeated(panels.map(({ id }) => id))).toEqual([]);
  const outside = panels.filter(
    ({ gridPos: { x, y, w, h } }) => x < 0 || y < 0 || w < 1 || h < 1 || x + w > COLUMNS || y + h > 1_000,
  );
  expect(outside.map(({ title }) => title)).toEqual([]);
  const pairs = panels.flatMap((one, index) => panels.slice(index + 1).map((other) => [one, other] as const));
  const overlapping = pairs.filter(([one, other]) => overlap(one, other));
  expect(overlapping.map((pair) => pair.map(({ title }) => title))).toEqual([]);
});

test.each(BY_UID)('%s has panels that say what they show', (_, { panels }) => {
  expect(panels.flatMap(lacks)).toEqual([]);
  // Rows are headings.
  expect(repeated(panels.map(({ title }) => title))).toEqual([]);
});

test.each(BY_UID)('%s speaks Italian', (_, dashboard) => {
  expect(textsOf(dashboard).filter((text) => ENGLISH.test(text))).toEqual([]);
});

test('promtool accepts every expression', () => {
  const groups = ASKED.map(({ where, expr }, index) => ({
    name: where,
    rules: [{ record: `panel:${index}`, expr: substitute(expr) }],
  }));
  const file = join(tempDir(), 'panels.yml');
  writeFileSync(file, JSON.stringify({ groups }));
  const { status, stdout, stderr } = spawnSync(findProgram('promtool'), ['check', 'rules', file], { encoding: 'utf8' });
  expect(status, stdout + stderr).toBe(0);
  expect(stdout).toContain(`${ASKED.length} rules found`);
});

test.each(BY_UID)(
  '%s defines the variables that it uses, uses those that it defines, and saves a value',
  (_, dashboard) => {
    const defined = variablesOf(dashboard);
    const asked = expressionsOf(dashboard).map(({ expr }) => expr);
    const used = new Set(asked.flatMap((expr) => [...expr.matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name)));
    used.delete('__rate_interval');
    expect(used).toEqual(new Set(defined.map(({ name }) => name)));
    expect(defined.filter(({ current }) => !current?.value).map(({ name }) => name)).toEqual([]);
    const choices = defined.filter(({ type }) => type === 'custom');
    expect(choices.filter(({ query, current }) => !query.split(',').includes(current?.value ?? ''))).toEqual([]);
  },
);

test('counters that mirror rows are shown as they are, all others by their growth', () => {
  expect(where(asksForGrowthOfRows)).toEqual([]);
  expect(where(showsCounterAsItIs)).toEqual([]);
  expect(ROW_COUNTERS.filter((name) => !EXPORTED.has(name))).toEqual([]);
});

test('rates are over the interval that Grafana thinks right, increases over a time that the description can name', () => {
  const wrong = where(({ expr }) =>
    metricsIn(expr).some(({ range = '', within }) => {
      const around = within.at(-1);
      if (around === 'rate') return range !== '$__rate_interval';
      if (around === 'increase') return !/^\d+[hd]$/.test(range);
      return range !== '' || within.some((name) => ['irate', 'delta', 'idelta', 'deriv'].includes(name));
    }),
  );
  expect(wrong).toEqual([]);
});

test('the rows of the heat map of durations begin with numbers, by which Grafana puts them in order', () => {
  const panels = DASHBOARDS.flatMap((dashboard) => dashboard.panels).filter(({ type }) => type === 'heatmap');
  expect(panels.map(({ targets = [] }) => targets.map(({ legendFormat }) => legendFormat))).toEqual([['{{duration}}']]);
  const names = new Map(
    panels[0].fieldConfig?.overrides?.map(({ matcher, properties }) => [matcher.options, properties[0].value]),
  );
  const rows = DURATION_RANGES.map((range) => Number.parseFloat(String(names.get(range) ?? range)));
  expect(rows).toEqual([0, ...DURATION_BUCKETS_SECONDS]);
});

test.each([
  ['swarm_agent_run_seconds_sum', OUTCOMES],
  ['swarm_queue_paused', GATES],
  ['swarm_autoscaler_veto', VETO_REASONS],
])('every value by which a panel tells %s apart has an Italian name', (metric, values) => {
  const panels = DASHBOARDS.flatMap((dashboard) => dashboard.panels).filter(({ targets = [] }) =>
    targets.some(({ expr, legendFormat = '' }) => expr.includes(metric) && legendFormat.includes('{{')),
  );
  const named = panels.map(({ fieldConfig }) =>
    fieldConfig?.overrides?.map(({ matcher }) => matcher.options).toSorted(),
  );
  expect(named).toEqual([values.toSorted()]);
});

test('every metric is exported, or of a foreign program', () => {
  const unknown = [...USED].filter(
    (name) => ![name, familyOf(name)].some((each) => EXPORTED.has(each)) && !FOREIGN.test(name),
  );
  expect(unknown.map((name) => [name, where(({ expr }) => expr.includes(name))])).toEqual([]);
});

test("what panels ask of other people's programs is not dropped when it is scraped, and is recorded for a test", () => {
  const { scrape_configs } = parse(read('prometheus/prometheus.yml'), { maxAliasCount: -1 }) as {
    scrape_configs: { metric_relabel_configs?: { regex: string; action: string }[] }[];
  };
  const kept = scrape_configs
    .flatMap(({ metric_relabel_configs = [] }) => metric_relabel_configs)
    .filter(({ action }) => action === 'keep')
    .map(({ regex }) => new RegExp(`^(?:${regex})$`));
  const asked = [...USED].filter((name) => FOREIGN.test(name) && !MADE_BY_PROMETHEUS.includes(name));
  expect(asked.filter((name) => !kept.some((regex) => regex.test(name)))).toEqual([]);
  const recorded = Object.values(RECORDED).flatMap((metrics) => Object.keys(metrics));
  // Prometheus itself is there in that test.
  expect(asked.filter((name) => !name.startsWith('prometheus_') && !recorded.includes(name))).toEqual([]);
  expect(recorded.filter((name) => !asked.includes(name))).toEqual([]);
});

test.each(BY_UID)('%s shows the unknown outcomes if it shows how many tasks succeed', (_, dashboard) => {
  const asked = expressionsOf(dashboard).map(({ expr }) => expr);
  const showsRatio = asked.some((expr) => SUCCESS_RATIO.test(expr));
  expect(showsRatio && !asked.some(showsUnknown)).toBe(false);
});

test('Grafana is given the data source that the dashboards name, and dashboards that nobody changes by hand', () => {
  const sources = provisioning<{ datasources: object[] }>('datasources').flatMap(({ datasources }) => datasources);
  const [source, ...others] = sources;
  expect(source).toMatchObject({ uid: DATASOURCE_UID, type: 'prometheus', editable: false });
  expect(others).toEqual([]);
  const providers = provisioning<{ providers: object[] }>('dashboards').flatMap((each) => each.providers);
  expect(providers).toEqual([
    expect.objectContaining({ type: 'file', allowUiUpdates: false, options: { path: expect.any(String) } }),
  ]);
});

test('alerts point at dashboards that exist', () => {
  const rules = readdirSync(`${ROOT}prometheus/rules`).map((name) => read(`prometheus/rules/${name}`));
  const named = rules.flatMap((text) => [...text.matchAll(/^\s+dashboard: (\S+)$/gm)].map(([, uid = '']) => uid));
  expect(named.length).toBeGreaterThan(0);
  expect([...new Set(named)].filter((uid) => !DASHBOARDS.some((each) => each.uid === uid))).toEqual([]);
});

test.each([
  ['up{job="a_b"} == 0 or absent(up{job=~"c|d"})', ['up', 'absent(up']],
  [
    'sum by(le, kind) (rate(a_total{x="b{c}"}[$__rate_interval] offset 1d)) > 0.5',
    ['sum(rate(a_total[$__rate_interval]'],
  ],
  ['sum(increase(a_count{o!="x"}[24h])) / (sum(b_count) > 0)', ['sum(increase(a_count[24h]', '(sum(b_count']],
  ['max without(reason) (a:b:1h) >= bool 1e3 unless ignoring(stat) c', ['max(a:b:1h', 'c']],
  ['vector(1)', []],
])('the metrics of %s are found, for these tests to look at', (expression, found) => {
  const written = metricsIn(expression).map(
    ({ name, range, within }) => within.map((each) => `${each}(`).join('') + name + (range ? `[${range}]` : ''),
  );
  expect(written).toEqual(found);
});

/** The ratio itself, its key figure, or what succeeded as the upper part of a fraction. */
const SUCCESS_RATIO = /swarm_window_success_ratio|swarm_kpi\b(?!\{kpi="(?!success_ratio))|outcome="success"\}\)? *\//;

function showsUnknown(expression: string): boolean {
  if (/outcome="unknown"/.test(expression)) return true;
  return /by ?\([^)]*\boutcome\b[^)]*\)/.test(expression) && /swarm_(?:window_\w*tasks|runs_total)/.test(expression);
}

function where(isMeant: (asked: Asked) => boolean): string[] {
  return ASKED.filter(isMeant).map((asked) => `${asked.where}: ${asked.expr}`);
}

function isGrowth(within: readonly string[]): boolean {
  return within.some((name) => /^(?:i?rate|increase|i?delta|deriv|resets)$/.test(name));
}

function isOfRows(name: string): boolean {
  return ROW_COUNTERS.includes(name) || ROW_COUNTERS.includes(familyOf(name));
}

function asksForGrowthOfRows({ expr }: Asked): boolean {
  return metricsIn(expr).some(({ name, within }) => isOfRows(name) && isGrowth(within));
}

function showsCounterAsItIs({ expr }: Asked): boolean {
  return metricsIn(expr).some(
    ({ name, within }) => /_(?:total|count|bucket|sum)$/.test(name) && !isOfRows(name) && !isGrowth(within),
  );
}

/** What a panel should have and has not. */
function lacks(panel: Panel): string[] {
  const { type, title, description, datasource, fieldConfig, targets = [], options } = panel;
  const isRow = type === 'row';
  const shows = !isRow && type !== 'text';
  const { unit = '', noValue } = fieldConfig?.defaults ?? {};
  const faults: Readonly<Record<string, boolean>> = {
    title: !title,
    description: !(isRow || description),
    content: type === 'text' && !options?.content,
    unit: shows && !UNITS.includes(unit),
    noValue: shows && !noValue,
    datasource: shows && (datasource?.uid !== DATASOURCE_UID || datasource.type !== 'prometheus'),
    targets: shows && (targets.length === 0 || targets.some(({ expr }) => !expr.trim())),
    refIds: repeated(targets.map(({ refId }) => refId)).length > 0,
    legends: targets.length > 1 && targets.some(({ legendFormat }) => !legendFormat),
  };
  return Object.keys(faults)
    .filter((fault) => faults[fault])
    .map((fault) => `${title} (${panel.id}): ${fault}`);
}

/** Everything that people read, without the labels that Grafana puts in. */
function textsOf(dashboard: Dashboard): string[] {
  const panels = dashboard.panels.flatMap(({ title, description, fieldConfig, targets = [], options }) => [
    title,
    description,
    options?.content,
    fieldConfig?.defaults.noValue,
    ...(fieldConfig?.defaults.mappings ?? []).flatMap((mapping) =>
      Object.values(mapping.options).map(({ text }) => text),
    ),
    ...targets.map(({ legendFormat }) => legendFormat?.replace(/\{\{.*?\}\}/g, '')),
  ]);
  const variables = variablesOf(dashboard).map(({ label }) => label);
  const others = [...(dashboard.links ?? []).map(({ title }) => title), dashboard.title, dashboard.description];
  const marks = (dashboard.annotations?.list ?? []).map(({ name }) => name);
  return [...panels, ...variables, ...others, ...marks].filter((text) => text !== undefined);
}

function overlap({ gridPos: one }: Panel, { gridPos: other }: Panel): boolean {
  return one.x < other.x + other.w && other.x < one.x + one.w && one.y < other.y + other.h && other.y < one.y + one.h;
}

function repeated<T>(values: readonly T[]): T[] {
  return values.filter((value, index) => values.indexOf(value) !== index);
}

function provisioning<T>(kind: string): T[] {
  const folder = `grafana/provisioning/${kind}`;
  return readdirSync(ROOT + folder).map((name) => parse(read(`${folder}/${name}`)) as T);
}

function read(file: string): string {
  return readFileSync(`${ROOT}${file}`, 'utf8');
}
