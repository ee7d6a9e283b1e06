import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { MAX_LABEL_VALUES } from '../../lib/memory/label-names.ts';
import { GATES } from '../../lib/queue/gates.ts';
import { OUTCOMES } from '../../lib/queue/outcome.ts';
import { VETO_REASONS } from '../../orchestrator/autoscaler/saturation.ts';
import { createRunMetrics } from '../../orchestrator/run-metrics.ts';
import { ACCEPT, expectLintFree, expectSameSeries } from '../support/exposition-checks.ts';
import { parseSamples, type Samples } from '../support/running-exporter.ts';
import { makeScene, type RunningOrchestrator, type SwarmScene } from '../support/swarm-scene.ts';

const GOLDEN = new URL('../golden/orchestrator-families.txt', import.meta.url);
const [MODEL, LAST_MODEL] = ['model-b', 'model-c'];
/** The autoscaler decides after its first minute. */
const DECIDED_WITHIN_MS = 90_000;

/** What Redis need not be asked for. */
const WITHOUT_REDIS = new Set([
  'swarm_agent_limit_resets_timestamp_seconds',
  'swarm_autoscaler_veto',
  'swarm_build_info',
  'swarm_collector_success',
  'swarm_model_fallbacks_total',
  'swarm_orphans_swept_total',
  'swarm_queue_paused',
  'swarm_redis_up',
  'swarm_workers',
]);

/** The values of each label, where a metric has any; `le` and what was built with what apart. */
const LABELS = {
  swarm_queue_jobs: { state: new Set(['waiting', 'delayed', 'active', 'completed', 'failed']) },
  swarm_queue_paused: { reason: new Set(GATES) },
  swarm_agent_run_seconds: { agent: new Set(['cervella-fake']), outcome: new Set(OUTCOMES) },
  swarm_model_fallbacks_total: { from: new Set(['default', MODEL]), to: new Set([MODEL, LAST_MODEL]) },
  swarm_workers: { kind: new Set(['target', 'running']) },
  swarm_autoscaler_signal: { part: new Set(['cpu', 'memory', 'queue', 'tasks', 'sum']) },
  swarm_autoscaler_veto: { reason: new Set(VETO_REASONS) },
  swarm_budget_usd: {
    period: new Set(['task', 'day', 'week', 'month']),
    kind: new Set(['limit', 'spent', 'reserved']),
  },
  swarm_redis_memory_bytes: { kind: new Set(['used', 'limit']) },
  swarm_collector_success: { collector: new Set(['queue', 'gates', 'runs', 'workers', 'budget', 'redis']) },
};

test('an orchestrator that has worked exports the families in test/golden/orchestrator-families.txt (write it anew with UPDATE_GOLDEN=1), in two valid forms, under labels of few values', async () => {
  const scene = await makeScene({ FALLBACK_MODELS: `${MODEL},${LAST_MODEL}` });
  const orchestrator = await scene.startOrchestrator();
  await workThreeTasks(scene);
  await vi.waitFor(
    async () => expect([...(await orchestrator.samples()).keys()]).toContain('swarm_autoscaler_signal{part="sum"}'),
    { timeout: DECIDED_WITHIN_MS, interval: 500 },
  );
  const text = await scrape(orchestrator, ACCEPT.text);
  expectSameSeries(text, await scrape(orchestrator, ACCEPT.prometheus2));

  const samples = parseSamples(text);
  const runs = (outcome: string) =>
    samples.get(`swarm_agent_run_seconds_count{agent="cervella-fake",outcome="${outcome}"}`);
  expect(['ok', 'bad-request', 'overloaded', 'stuck'].map(runs)).toEqual([2, 1, 1, 0]);
  const fallbacks = (from: string, to: string) => samples.get(`swarm_model_fallbacks_total{from="${from}",to="${to}"}`);
  expect([fallbacks('default', MODEL), fallbacks(MODEL, LAST_MODEL)]).toEqual([1, 0]);
  expect(samples.get('swarm_redis_persistent')).toBe(1);
  expect(samples.get('swarm_results_waiting')).toBe(0);
  expect(labelValuesOf(samples)).toEqual(LABELS);

  const families = text.split('\n').filter((line) => line.startsWith('#'));
  if (process.env.UPDATE_GOLDEN) writeFileSync(GOLDEN, `${families.join('\n')}\n`);
  expect(`${families.join('\n')}\n`).toBe(readFileSync(GOLDEN, 'utf8'));
}, 150_000);

test('while Redis is away a scrape is answered in time with what the process itself knows, and with all once it is back', async () => {
  const scene = await makeScene({ FALLBACK_MODELS: MODEL });
  const orchestrator = await scene.startOrchestrator();
  await vi.waitFor(async () => expect((await orchestrator.samples()).get('swarm_redis_up')).toBe(1), 15_000);
  const before = familiesIn(await scrape(orchestrator, ACCEPT.text));

  await scene.redis.kill();
  const text = await scrape(orchestrator, ACCEPT.text);
  expectLintFree(text);
  expect(familiesIn(text)).toEqual(WITHOUT_REDIS);
  const samples = parseSamples(text);
  expect(samples.get('swarm_redis_up')).toBe(0);
  const succeeded = ['queue', 'budget', 'redis', 'gates', 'runs', 'workers'].map((collector) =>
    samples.get(`swarm_collector_success{collector="${collector}"}`),
  );
  expect(succeeded).toEqual([0, 0, 0, 1, 1, 1]);
  await orchestrator.untilPaused('redis');

  await scene.redis.start();
  await vi.waitFor(async () => expect(familiesIn(await scrape(orchestrator, ACCEPT.text))).toEqual(before), {
    timeout: 20_000,
    interval: 200,
  });
});

test('agents beyond the fiftieth share a label, and a model nobody has set counts as the default', () => {
  const runs = createRunMetrics([MODEL]);
  for (let agent = 0; agent < 2 * MAX_LABEL_VALUES; agent += 1) runs.observeRun(`agent-${agent}`, 'ok', 1);
  runs.countFallback('a model of a task', MODEL);
  const [seconds, fallbacks] = runs.families();
  const counts = seconds.samples.filter(({ labels, suffix }) => suffix === '_count' && labels.outcome === 'ok');
  expect(counts).toHaveLength(MAX_LABEL_VALUES);
  expect(counts.find(({ labels }) => labels.agent === 'other')?.value).toBe(MAX_LABEL_VALUES + 1);
  expect(fallbacks.samples).toEqual([{ labels: { from: 'default', to: MODEL }, value: 1 }]);
});

/** One that succeeds, one that is refused, one whose model is overloaded at first. */
async function workThreeTasks(scene: SwarmScene): Promise<void> {
  const ok = await scene.enqueue('Do it.');
  const refused = await scene.enqueue('Do it. #fake outcome=too-long');
  const moved = await scene.enqueue(`Do it. #fake outcome=overloaded fail-first=1 state=${scene.folder}`);
  await scene.until(ok, 'completed');
  await scene.until(refused, 'failed');
  await scene.until(moved, 'completed');
  await scene.untilRows(4);
}

/** Prometheus waits for 10 s. */
async function scrape({ url }: RunningOrchestrator, accept: string): Promise<string> {
  const response = await fetch(`${url}/metrics`, { headers: { Accept: accept }, signal: AbortSignal.timeout(5_000) });
  expect(response.status).toBe(200);
  return await response.text();
}

function familiesIn(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
}

function labelValuesOf(samples: Samples): Record<string, Record<string, Set<string>>> {
  const found: Record<string, Record<string, Set<string>>> = {};
  for (const series of samples.keys()) {
    const [, name, labels = ''] = /^(\w+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})?$/.exec(series) ?? [];
    for (const [, label, value] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
      if (label === 'le' || name === 'swarm_build_info') continue;
      found[name] ??= {};
      found[name][label] ??= new Set();
      found[name][label].add(value);
    }
  }
  return found;
}
