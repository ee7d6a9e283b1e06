import { utc } from '../ledger.ts';
import type { MonitorDb } from '../monitor-db.ts';
import type { Finding, MaintenanceTask } from './task.ts';

/** What came of one task that is done by itself. */
export interface TaskResult {
  readonly task: MaintenanceTask;
  readonly finding: Finding;
}

const DAY_MS = 86_400_000;

/** Writes down what a run found. Within a transaction of the caller's. */
export function writeTaskResults(db: MonitorDb, results: readonly TaskResult[], runUtc: string): void {
  const add = db.prepare(
    'INSERT OR REPLACE INTO maintenance_results (task, run_utc, state, text, figures) VALUES (?, ?, ?, ?, ?)',
  );
  for (const { task, finding } of results) {
    add.run(task.id, runUtc, finding.state, finding.text.en, JSON.stringify(finding.figures ?? {}));
  }
}

/** What a figure of a task was, as the newest run at least so many days ago found it; undefined without one. */
export function readEarlier(
  db: MonitorDb,
  task: string,
  { figure, daysAgo, nowMs }: { readonly figure: string; readonly daysAgo: number; readonly nowMs: number },
): number | undefined {
  const figures = db
    .prepare<[string, string], string>(
      'SELECT figures FROM maintenance_results WHERE task = ? AND run_utc <= ? ORDER BY run_utc DESC LIMIT 1',
    )
    .pluck()
    .get(task, utc(nowMs - daysAgo * DAY_MS));
  return figures === undefined ? undefined : (JSON.parse(figures) as Record<string, number | undefined>)[figure];
}
