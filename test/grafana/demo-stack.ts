import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, vi } from 'vitest';
import { createRowWriter } from '../../lib/memory/demo/writer.ts';
import { SHIPMENTS_TABLE } from '../../lib/memory/tables.ts';
import { swarm } from '../support/command-line.ts';
import { eventRow, orchestratedRow, tempDir, usageRow } from '../support/memory-builder.ts';
import { type PrometheusWithJobs, serveMetrics, startPrometheusWithJobs } from '../support/prometheus-with-jobs.ts';
import { startExporter } from '../support/running-exporter.ts';
import { startSeededScheduler } from '../support/seeded-scheduler.ts';
import { makeScene, type SwarmScene } from '../support/swarm-scene.ts';
import { FOREIGN, LATE, textOf } from './recorded.ts';

/** What a real alert would be: panels of alerts have something to show. */
const RULES = {
  groups: [
    {
      name: 'test',
      rules: [
        { alert: 'Watchdog', expr: 'vector(1)', labels: { severity: 'info', tier: 'low' } },
        { alert: 'DiskAlmostFull', expr: 'vector(1)', labels: { severity: 'warning', tier: 'medium' } },
      ],
    },
  ],
};

const MODELS = ['claude-sonnet-4-5', 'claude-haiku-4-5'];
const PATIENTLY = { timeout: 30_000, interval: 250 };
/** By outcome, the runs that Prometheus saw end, once the queue waits for the usage limit. */
const SEEN =
  'sum by(outcome) (increase(swarm_agent_run_seconds_count[24h])) > 0 and on() swarm_queue_paused{reason="usage-limit"} == 1';

/**
 * A real Prometheus on the exporter of a demo memory, on a scheduler, on an orchestrator that has worked and met its usage limit, and on
 * recorded samples of everything else. It takes longer than a test has by default.
 */
export async function startDemoStack(): Promise<PrometheusWithJobs> {
  const scene = await makeScene({ FALLBACK_MODELS: MODELS.join() });
  const [exporter, orchestrator, scheduler] = await Promise.all([
    startDemoExporter(),
    startBusyOrchestrator(scene),
    startSeededScheduler(),
  ]);
  const targets: Record<string, string[]> = {
    'swarm-exporter': [exporter],
    'swarm-scheduler': [new URL(scheduler.url).host],
    'swarm-orchestrator': [orchestrator],
  };
  for (const [job, metrics] of [LATE, FOREIGN].flatMap((each) => Object.entries(each))) {
    targets[job] = [...(targets[job] ?? []), await serveMetrics((scrape) => textOf(metrics, scrape))];
  }
  const prometheus = await startPrometheusWithJobs(targets, RULES);
  await scene.enqueue('Do it. #fake ms=1200');
  await scene.enqueue('Do it. #fake outcome=rate-limited reset-in=3600');
  await vi.waitFor(async () => expect(await prometheus.ask(SEEN)).toMatchObject({ series: [{}, {}] }), PATIENTLY);
  return prometheus;
}

/** Gives host and port of the exporter. */
async function startDemoExporter(): Promise<string> {
  const folder = tempDir();
  const path = join(folder, 'demo.db');
  const { code, stderr } = await swarm(['demo', '--db', path], { cwd: folder });
  expect(code, stderr).toBe(0);
  addBusyMorning(path);
  return new URL((await startExporter({ databasePath: path })).url).host;
}

/** Gives host and port of an orchestrator that has ended a run, from which on Prometheus can see how many there are. */
async function startBusyOrchestrator(scene: SwarmScene): Promise<string> {
  const { url, samples } = await scene.startOrchestrator();
  await scene.enqueue('Do it.');
  const ended = 'swarm_agent_run_seconds_count{agent="cervella-fake",outcome="ok"}';
  await vi.waitFor(async () => expect((await samples()).get(ended)).toBe(1), PATIENTLY);
  return new URL(url).host;
}

/** After a weekend the demo memory knows next to nothing of the last 24 hours; figures must be there on every day. */
function addBusyMorning(path: string): void {
  const ms = Date.now() - 600_000;
  const db = new Database(path);
  const writeRow = createRowWriter(db);
  for (const [index, success] of [1, 1, 1, 0].entries()) {
    const taskId = `live-${index}`;
    const message = success ? {} : { error_message: 'Timeout after 60 s' };
    writeRow('swarm_events', orchestratedRow(ms, taskId, { success, ...message }));
    writeRow('task_usage', usageRow(ms, taskId));
    if (index === 0) writeRow('task_usage', usageRow(ms, taskId, { attempt: 2 }));
  }
  writeRow(
    'swarm_events',
    eventRow(ms, { event_type: 'task_start', task_id: 'live-now', agent_name: 'cervella-docs' }),
  );
  db.exec(SHIPMENTS_TABLE);
  db.prepare("INSERT INTO shipments VALUES ('laptop', 'laptop', 'batch', ?)").run(new Date(ms).toISOString());
  db.close();
}
