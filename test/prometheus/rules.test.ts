import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { GATES } from '../../lib/queue/gates.ts';
import { EXPORTED, familyOf, metricsIn, ROW_COUNTERS } from '../support/metric-names.ts';
import { findProgram } from '../support/programs.ts';

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string | number>>;
  readonly annotations?: Readonly<Record<string, string>>;
}
interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly interval?: string; readonly rules: readonly Rule[] }[];
}
interface UnitTestFile {
  readonly tests: readonly {
    readonly promql_expr_test?: readonly { readonly expr: string; readonly exp_samples?: readonly unknown[] }[];
    readonly alert_rule_test?: readonly { readonly alertname: string; readonly exp_alerts?: readonly unknown[] }[];
  }[];
}
interface PrometheusConfig {
  readonly scrape_configs: readonly {
    readonly job_name: string;
    readonly metric_relabel_configs?: readonly { readonly regex: string; readonly action: string }[];
  }[];
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const RULE_FILES = filesIn('prometheus/rules', '.yml');
const UNIT_TEST_FILES = filesIn('test/prometheus', '.test.yml');
const GROUPS = RULE_FILES.flatMap((file) => readYaml<RuleFile>(file).groups);
const RULES = GROUPS.flatMap(({ rules }) => rules.map((rule) => ({ ...rule, name: rule.alert ?? rule.record ?? '' })));
const ALERTS = RULES.filter(({ alert }) => alert !== undefined);
const OBSERVED = UNIT_TEST_FILES.flatMap(observations);
const CONFIG = readYaml<PrometheusConfig>('prometheus/prometheus.yml');

const SEVERITIES = ['critical', 'warning', 'info'];
const RESPONSE_TIMES: Readonly<Record<string, string>> = {
  critical: '5 min',
  high: '30 min',
  medium: '2 h',
  low: 'prossimo giorno lavorativo',
};
const TEXTS = ['summary', 'description', 'summary_en', 'description_en'];

/** `promtool check rules` takes any name, and a rule over a metric that nobody exports is silent for ever. */
const RECORDED = new Set(RULES.map(({ record }) => record));
const FOREIGN = /^(?:(?:node|alertmanager|prometheus)_\w+|up|ALERTS)$/;
const USED = new Set(RULES.flatMap(({ expr }) => namesIn(expr).map(familyOf)));

test('promtool accepts the configuration and every rule file', () => {
  expectSuccess('check', 'config', 'prometheus/prometheus.yml');
  expectSuccess('check', 'rules', ...RULE_FILES);
});

test.each(UNIT_TEST_FILES)('the rules behave as %s says', (file) => {
  expectSuccess('test', 'rules', file);
});

test('every alert has a name of its own', () => {
  const names = ALERTS.map(({ name }) => name);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

test.each([
  ['HighErrorRate', 'warning', '5m'],
  ['NoTasksIn6Hours', 'info', '5m'],
  ['AgentDown', 'critical', '1m'],
])('%s is %s after %s, as it always was', (name, severity, duration) => {
  const rule = ALERTS.find(({ alert }) => alert === name);
  expect([rule?.labels?.severity, rule?.for]).toEqual([severity, duration]);
});

test.each(byName(ALERTS))(
  '%s says how grave it is, what happened in two languages, and by when to answer',
  (name, rule) => {
    const { labels = {}, annotations = {} } = rule;
    expect(SEVERITIES).toContain(labels.severity);
    expect(Object.keys(RESPONSE_TIMES)).toContain(labels.tier);
    expect(TEXTS.filter((key) => !annotations[key])).toEqual([]);
    expect(annotations.response_time).toBe(RESPONSE_TIMES[labels.tier]);
    expect(annotations.runbook_url).toBe(`docs/runbook.md#${name.toLowerCase()}`);
    expect(JSON.parse(read(`grafana/dashboards/${annotations.dashboard}.json`))).toMatchObject({
      uid: annotations.dashboard,
    });
  },
);

test.each(byName(ALERTS))('the runbook has a heading for %s', (name) => {
  expect(read('docs/runbook.md')).toMatch(new RegExp(`^###? ${name}$`, 'm'));
});

test('every rung of the outcome ladder is described by the same counts', () => {
  const rungs = ALERTS.filter(({ labels }) => labels?.ladder === 'outcome');
  expect(rungs.length).toBeGreaterThan(1);
  for (const key of ['description', 'description_en'])
    expect(new Set(rungs.map(({ annotations }) => annotations?.[key])).size).toBe(1);
});

test('every reason of a pause is called by an Italian name', () => {
  const summary = ALERTS.find(({ name }) => name === 'QueuePaused')?.annotations?.summary ?? '';
  expect(GATES.filter((reason) => !summary.includes(`"^${reason}$"`))).toEqual([]);
});

test.each(byName(ALERTS))('%s is seen firing and silent in a unit test', (name) => {
  const states = new Set(OBSERVED.filter(({ alert }) => alert === name).map(({ state }) => state));
  // The one that proves by firing that alerts arrive.
  const expected = name === 'Watchdog' ? ['firing'] : ['firing', 'silent'];
  expect(states).toEqual(new Set(expected));
});

test('no rule asks for the growth of a counter that mirrors rows', () => {
  const asking = RULES.filter(({ expr }) => /\b(?:i?rate|increase|i?delta)\s*\(/.test(expr));
  const wrong = asking.filter(({ expr }) => namesIn(expr).some((name) => ROW_COUNTERS.includes(familyOf(name))));
  expect(wrong.map(({ name }) => name)).toEqual([]);
  expect(ROW_COUNTERS.filter((name) => !EXPORTED.has(name))).toEqual([]);
});

test.each(byName(RULES))('%s asks for metrics that somebody exports', (_, { expr }) => {
  const names = namesIn(expr);
  const unknown = names.filter(
    (name) => ![name, familyOf(name)].some((each) => EXPORTED.has(each) || RECORDED.has(each)) && !FOREIGN.test(name),
  );
  expect(unknown).toEqual([]);
});

test("what rules ask of other people's programs is not dropped when it is scraped", () => {
  const kept = relabelled('keep');
  const asked = [...USED].filter((name) => FOREIGN.test(name) && name.includes('_'));
  expect(asked.filter((name) => !kept.some((regex) => regex.test(name)))).toEqual([]);
});

test('what is dropped of our own is exported, and no rule asks for it', () => {
  const dropped = relabelled('drop');
  const parts = [...EXPORTED].flatMap((name) => [name, `${name}_bucket`, `${name}_sum`, `${name}_count`]);
  expect(dropped.filter((regex) => !parts.some((name) => regex.test(name)))).toEqual([]);
  const asked = RULES.flatMap(({ expr }) => namesIn(expr));
  expect(asked.filter((name) => dropped.some((regex) => regex.test(name)))).toEqual([]);
});

test('every job that is scraped is watched, and no rule watches for a job that is not', () => {
  const watched = RULES.flatMap(({ expr }) => [...expr.matchAll(/\bup\{job=~?"([^"]+)"/g)]);
  const jobs = new Set(watched.flatMap(([, names]) => names.split('|')));
  expect(jobs).toEqual(new Set(CONFIG.scrape_configs.map(({ job_name }) => job_name)));
});

test('figures for long views are recorded once an hour', () => {
  const groups = readYaml<RuleFile>('prometheus/rules/recording.yml').groups;
  expect(groups.map(({ interval }) => interval)).toEqual(groups.map(() => '1h'));
});

test.each([
  ['up{job="a_b"} == 0 or absent(up{job=~"c|d"})', ['up', 'up']],
  ['sum by(le, kind) (rate(a_total{x="b{c}"}[5m:30s] offset 1d)) > 0.5', ['a_total']],
  ['max without(reason) (a:b:1h) >= bool 1e3 unless ignoring(stat) c', ['a:b:1h', 'c']],
  ['a > on(swarm) group_left() 1.5 * max by(swarm) (b)', ['a', 'b']],
  ['vector(1)', []],
])('the metrics of %s are found, for these tests to look at', (expression, names) => {
  expect(namesIn(expression)).toEqual(names);
});

/** As `test.each` prints them without quotation marks. */
function byName(rules: typeof RULES): [string, (typeof RULES)[number]][] {
  return rules.map((rule) => [rule.name, rule]);
}

/** What jobs keep or drop, by the names of metrics. */
function relabelled(wanted: string): RegExp[] {
  return CONFIG.scrape_configs
    .flatMap(({ metric_relabel_configs = [] }) => metric_relabel_configs)
    .filter(({ action }) => action === wanted)
    .map(({ regex }) => new RegExp(`^(?:${regex})$`));
}

function namesIn(expression: string): string[] {
  return metricsIn(expression).map(({ name }) => name);
}

/** Of which alert a unit test says that it fires, or that it is silent. */
function observations(file: string): { readonly alert: string | undefined; readonly state: string }[] {
  return readYaml<UnitTestFile>(file).tests.flatMap(({ promql_expr_test = [], alert_rule_test = [] }) => [
    ...promql_expr_test.map(({ expr, exp_samples = [] }) => ({
      alert: /\bALERTS\{alertname="(\w+)"/.exec(expr)?.[1],
      state: stateOf(exp_samples, expr.includes('alertstate="firing"')),
    })),
    ...alert_rule_test.map(({ alertname, exp_alerts = [] }) => ({
      alert: alertname,
      state: stateOf(exp_alerts, true),
    })),
  ]);
}

/** Without pending alerts what is there fires; nothing at all is silence in any case. */
function stateOf(found: readonly unknown[], isFiringOnly: boolean): string {
  if (found.length === 0) return 'silent';
  return isFiringOnly ? 'firing' : 'pending';
}

function expectSuccess(...args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(findProgram('promtool'), args, { cwd: ROOT, encoding: 'utf8' });
  expect(status, `promtool ${args.join(' ')}:\n${stdout}${stderr}`).toBe(0);
}

function filesIn(folder: string, ending: string): string[] {
  const names = readdirSync(`${ROOT}${folder}`).filter((name) => name.endsWith(ending));
  return names.toSorted().map((name) => `${folder}/${name}`);
}

function readYaml<T>(file: string): T {
  // The limit is against documents of strangers; ours repeat themselves by alias.
  return parse(read(file), { merge: true, maxAliasCount: -1 }) as T;
}

function read(file: string): string {
  return readFileSync(`${ROOT}${file}`, 'utf8');
}
