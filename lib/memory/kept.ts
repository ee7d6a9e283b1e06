import type { EventRow } from './event-rows.ts';
import type { Task } from './task.ts';

/** What is kept whole of the last days, for whoever wants to know more of them than figures. Plain data. */
export interface Kept {
  /** What is of this time or older, or of no time, is not kept. */
  readonly afterMs: number;
  readonly tasks: Set<Task>;
  /** Rows of attempts that were tried again. */
  readonly retries: EventRow[];
}

/** Nothing yet. */
export function createKept(afterMs: number): Kept {
  return { afterMs, tasks: new Set(), retries: [] };
}

/** Keeps a settled task, or with `sign` -1 lets go of it: it turned out to be one half of another. */
export function keepTask(kept: Kept, task: Task, sign: 1 | -1): void {
  if (task.timeMs === undefined || task.timeMs <= kept.afterMs) return;
  if (sign === 1) kept.tasks.add(task);
  else kept.tasks.delete(task);
}

/** Keeps the row of an attempt that was tried again. */
export function keepRetry(kept: Kept, row: EventRow): void {
  if (row.timeMs !== undefined && row.timeMs > kept.afterMs) kept.retries.push(row);
}
