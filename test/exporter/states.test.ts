import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ACCEPT, expectValidExposition } from '../support/exposition-checks.ts';
import { fillMemory } from '../support/golden-memory.ts';
import { type MemoryState, makeMemory, stopRow, type TestMemory } from '../support/memory-builder.ts';
import { metricNames, parseSamples, type Samples, startExporter } from '../support/running-exporter.ts';

const USAGE = [
  'swarm_window_cost_usd',
  'swarm_window_wasted_cost_usd',
  'swarm_window_tasks_with_usage',
  'swarm_tokens_total',
  'swarm_cost_usd_total',
];
const USAGE_KPIS = ['tokens_per_task', 'cost_eur_per_task'];
const PATTERNS = ['swarm_patterns_total', 'swarm_patterns_by_status'];
const LESSONS = ['swarm_lessons_total', 'swarm_lessons_by_status'];
const DURATIONS = [
  'swarm_window_task_duration_seconds',
  'swarm_task_duration_seconds_bucket',
  'swarm_task_duration_seconds_sum',
  'swarm_task_duration_seconds_count',
];
/** What the nine columns of states F and G cannot tell. */
const BEYOND_NINE = [...USAGE, ...DURATIONS, 'swarm_window_new_error_signatures', 'swarm_window_repeated_errors'];
const BEYOND_NINE_KPIS = [
  ...USAGE_KPIS,
  'task_seconds_mean',
  'fix_after_agent_ratio',
  'repeated_errors',
  'hours_saved_week',
  'autonomous_tasks_week',
];
const ALL = parseSamples(readFileSync(new URL('../golden/metrics.txt', import.meta.url), 'utf8'));

/** By state: the metrics and the KPIs it cannot have, and its tasks that succeeded, failed and never said. */
const STATES: [MemoryState, absent: string[], absentKpis: string[], outcomes: number[]][] = [
  ['A', [...USAGE, ...PATTERNS, 'swarm_lessons_by_status'], [...USAGE_KPIS, 'lessons_applied_ratio'], [3, 2, 3]],
  ['B', USAGE, USAGE_KPIS, [3, 2, 3]],
  ['C', [], [], [3, 2, 3]],
  ['D', USAGE, USAGE_KPIS, [3, 2, 3]],
  ['E', USAGE, USAGE_KPIS, [3, 2, 3]],
  ['F', [...BEYOND_NINE, ...LESSONS, ...PATTERNS], [...BEYOND_NINE_KPIS, 'lessons_applied_ratio'], [0, 2, 6]],
  ['G', BEYOND_NINE, BEYOND_NINE_KPIS, [0, 2, 6]],
];

const without = (all: ReadonlySet<string>, absent: readonly string[]): ReadonlySet<string> =>
  new Set([...all].filter((each) => !absent.includes(each)));
const kpisIn = (samples: Samples): ReadonlySet<string> =>
  new Set([...samples.keys()].flatMap((series) => /^swarm_kpi\{kpi="(.*)"\}$/.exec(series)?.[1] ?? []));
const outcomesIn = (samples: Samples): unknown[] =>
  ['success', 'failed', 'unknown'].map((outcome) => samples.get(`swarm_tasks_${outcome}_total`));

/** The samples of a memory, whose both forms are valid, with every collector at work. */
async function samplesOf(memory: TestMemory): Promise<Samples> {
  const exporter = await startExporter({ databasePath: memory.path });
  await expectValidExposition(exporter);
  expect(await exporter.readiness()).toBe('ready');
  const samples = await exporter.samples();
  const broken = [...samples].filter(([series, value]) => series.startsWith('swarm_collector_success') && value !== 1);
  expect([samples.get('swarm_up'), broken]).toEqual([1, []]);
  return samples;
}

test.each(STATES)('state %s shows what it can tell and nothing else', async (state, absent, absentKpis, outcomes) => {
  const samples = await samplesOf(fillMemory(Date.now(), state));
  expect(metricNames(samples)).toEqual(without(metricNames(ALL), absent));
  expect(kpisIn(samples)).toEqual(without(kpisIn(ALL), absentKpis));
  expect(outcomesIn(samples)).toEqual(outcomes);
  expect(samples.get('swarm_tasks_total')).toBe(8);
  expect(samples.get(`swarm_schema_info{state="${state}"}`)).toBe(1);
  expect(samples.get('swarm_tasks_in_progress')).toBe(1);
  expect(samples.get('swarm_lessons_total')).toBe(state === 'F' ? undefined : 3);
  expect(samples.get('swarm_patterns_total')).toBe('AF'.includes(state) ? undefined : 2);
});

test('where no outcome is known there is no success rate, neither 0 nor 1', async () => {
  const memory = makeMemory({ state: 'F' });
  memory.events(
    stopRow(Date.now() - 60_000, { session_id: 'one' }),
    stopRow(Date.now() - 60_000, { session_id: 'two' }),
  );
  const samples = await samplesOf(memory);
  expect(outcomesIn(samples)).toEqual([0, 0, 2]);
  expect(metricNames(samples)).not.toContain('swarm_window_success_ratio');
  expect(kpisIn(samples)).not.toContain('success_ratio');
});

test('a memory without rows shows known series as 0 and has no last task', async () => {
  const samples = await samplesOf(makeMemory({ hasUsage: true }));
  expect(outcomesIn(samples)).toEqual([0, 0, 0]);
  expect(samples.get('swarm_window_tasks{window="24h",outcome="failed"}')).toBe(0);
  expect([...metricNames(samples)].filter((name) => /last_task|_ratio/.test(name))).toEqual([]);
});

test('an unknown shape is read by the columns it has', async () => {
  const memory = makeMemory();
  memory.write((db) =>
    db.exec(`DROP TABLE swarm_events; DROP TABLE lessons_learned;
      CREATE TABLE swarm_events (timestamp TEXT, event_type TEXT, SUCCESS INTEGER, "odd column" BLOB);
      CREATE TABLE something_else (a, b);
      INSERT INTO swarm_events VALUES ('2026-01-01T10:00:00Z', 'Task_Complete', 1, x'00'), ('', 'subagent_stop', NULL, 1)`),
  );
  const samples = await samplesOf(memory);
  expect(outcomesIn(samples)).toEqual([1, 0, 1]);
  expect(samples.get('swarm_schema_info{state="other"}')).toBe(1);
  expect(samples.get('swarm_agent_tasks{agent="unknown"}')).toBe(2);
});

const TEXT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const OPENMETRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

test.each([
  ['Prometheus 2', ACCEPT.prometheus2, OPENMETRICS_TYPE],
  ['Prometheus 3', ACCEPT.prometheus3, OPENMETRICS_TYPE],
  ['Prometheus 3 that prefers text', 'text/plain;version=0.0.4;q=0.9,application/openmetrics-text;q=0.1', TEXT_TYPE],
  ['somebody who refuses OpenMetrics', 'application/openmetrics-text;q=0,*/*', TEXT_TYPE],
  ['curl', '*/*', TEXT_TYPE],
  ['a browser', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', TEXT_TYPE],
  ['somebody who wants a web page', 'text/html', TEXT_TYPE],
  ['somebody who wants protobuf', 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily', TEXT_TYPE],
  ['somebody who asks for nonsense', ';;,=/', TEXT_TYPE],
])('%s gets the form it asks for', async (_, accept, type) => {
  const exporter = await startExporter({ databasePath: makeMemory().path });
  const answer = await exporter.get('/metrics', accept);
  expect([answer.status, answer.type]).toEqual([200, type]);
  expect(answer.body.trimEnd().endsWith('# EOF')).toBe(type === OPENMETRICS_TYPE);
});

test('whoever says nothing about forms gets text', async () => {
  const exporter = await startExporter({ databasePath: makeMemory().path });
  expect((await exporter.get('/metrics', '')).type).toBe(TEXT_TYPE);
});
