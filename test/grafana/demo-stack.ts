import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'vitest';
import { createRowWriter } from '../../lib/memory/demo/writer.ts';
import { swarm } from '../support/command-line.ts';
import { eventRow, orchestratedRow, tempDir, usageRow } from '../support/memory-builder.ts';
import { type PrometheusWithJobs, serveMetrics, startPrometheusWithJobs } from '../support/prometheus-with-jobs.ts';
import { startExporter } from '../support/running-exporter.ts';
import { COMING, FOREIGN, textOf } from './recorded.ts';

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

/** A real Prometheus on the exporter of a demo memory and on recorded samples of everything else. */
export async function startDemoStack(): Promise<PrometheusWithJobs> {
  const folder = tempDir();
  const path = join(folder, 'demo.db');
  const { code, stderr } = await swarm(['demo', '--db', path], { cwd: folder });
  expect(code, stderr).toBe(0);
  addBusyMorning(path);
  const exporter = await startExporter({ databasePath: path });
  const targets: Record<string, string[]> = { 'swarm-exporter': [new URL(exporter.url).host] };
  for (const [job, metrics] of [...Object.entries(COMING), ...Object.entries(FOREIGN)]) {
    targets[job] = [...(targets[job] ?? []), await serveMetrics((scrape) => textOf(metrics, scrape))];
  }
  return await startPrometheusWithJobs(targets, RULES);
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
  db.close();
}
