import { expect, test, vi } from 'vitest';
import { fillMemory } from '../support/golden-memory.ts';
import { taskRow } from '../support/memory-builder.ts';
import { startExporter } from '../support/running-exporter.ts';
import { startPrometheus } from '../support/running-prometheus.ts';

const SEED_NAMES = [
  'swarm_tasks_total',
  'swarm_tasks_success_total',
  'swarm_tasks_failed_total',
  'swarm_agent_tasks',
  'swarm_lessons_total',
  'swarm_patterns_total',
  'swarm_last_task_timestamp',
];
const PATIENTLY = { timeout: 20_000, interval: 200 };

test('a real Prometheus scrapes the exporter and answers with the figures of the memory', async () => {
  const nowMs = Date.now();
  const memory = fillMemory(nowMs);
  const exporter = await startExporter({ databasePath: memory.path });
  const prometheus = await startPrometheus(new URL(exporter.url).host);
  await vi.waitFor(async () => expect(await prometheus.query('up')).toEqual({ up: 1 }), PATIENTLY);
  expect(await prometheus.targets()).toMatchObject([{ health: 'up', lastError: '' }]);
  expect(await prometheus.query(`{__name__=~"${SEED_NAMES.join('|')}"}`)).toEqual({
    swarm_tasks_total: 8,
    swarm_tasks_success_total: 3,
    swarm_tasks_failed_total: 2,
    'swarm_agent_tasks{agent="Explore"}': 1,
    'swarm_agent_tasks{agent="cervella-backend"}': 3,
    'swarm_agent_tasks{agent="cervella-docs"}': 2,
    'swarm_agent_tasks{agent="subagent"}': 1,
    'swarm_agent_tasks{agent="unknown"}': 1,
    swarm_lessons_total: 3,
    swarm_patterns_total: 2,
    swarm_last_task_timestamp: Math.floor((nowMs - 300_000) / 1_000),
  });
  expect(await prometheus.query('histogram_quantile(1, sum by(le) (swarm_task_duration_seconds_bucket))')).toEqual({
    '': 1200,
  });
  expect(await prometheus.query('swarm_kpi{kpi="tokens_per_task"}')).toEqual({
    'swarm_kpi{kpi="tokens_per_task"}': 600,
  });

  memory.events(taskRow(nowMs, { session_id: null }));
  await vi.waitFor(
    async () => expect(await prometheus.query('swarm_tasks_total')).toEqual({ swarm_tasks_total: 9 }),
    PATIENTLY,
  );
});

test('a real Prometheus sees the difference between an exporter that is down and a memory that is', async () => {
  const exporter = await startExporter({ databasePath: '/nowhere/swarm_memory.db' });
  const prometheus = await startPrometheus(new URL(exporter.url).host);
  const state = () => prometheus.query('{__name__=~"up|swarm_up"}');
  await vi.waitFor(async () => expect(await state()).toEqual({ up: 1, swarm_up: 0 }), PATIENTLY);
  await exporter.end();
  await vi.waitFor(async () => expect(await state()).toEqual({ up: 0 }), PATIENTLY);
});
