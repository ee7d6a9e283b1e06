import type { Task } from './task.ts';
import { NO_ID } from './text-hash.ts';
import { USAGE_COLUMNS, type UsageFigures } from './usage.ts';

/**
 * Why what an attempt cost was in vain: it was the last one of a task that failed, or another attempt followed it. The order
 * is the one of every array indexed by reason.
 */
export const WASTE_REASONS = ['failed', 'retried'] as const;
const [FAILED, RETRIED] = [0, 1];

/**
 * Remembers, from ending rows in rowid order, which task ids failed: the last row of an id that knows its outcome decides.
 * What is kept is a number for each failed id, so that costs may come before or after the ending.
 */
export function noteEnding(failedTasks: Set<number>, { taskIdHash, outcome }: Task): void {
  if (taskIdHash === NO_ID || outcome === 'unknown') return;
  if (outcome === 'failed') failedTasks.add(taskIdHash);
  else failedTasks.delete(taskIdHash);
}

/**
 * What was spent in vain, in micro-dollars, by window and reason. It is counted anew each time from the usage rows of the
 * longest window, which are few beside the event rows: no row, however late, has to find what it changes.
 */
export function wastedCosts(
  { log, lastAttempts }: UsageFigures,
  failedTasks: ReadonlySet<number>,
): readonly (readonly number[])[] {
  const sums = log.windows.map(() => WASTE_REASONS.map(() => 0));
  const { [USAGE_COLUMNS.cost]: costs, [USAGE_COLUMNS.task]: tasks, [USAGE_COLUMNS.attempt]: attempts } = log.columns;
  for (let entry = 0; entry < log.length; entry += 1) {
    const reason = wasteReason(tasks[entry], attempts[entry], lastAttempts, failedTasks);
    if (reason === undefined) continue;
    for (let window = 0; window < sums.length; window += 1) {
      if (entry >= log.windows[window].from) sums[window][reason] += costs[entry];
    }
  }
  return sums;
}

/** The place in WASTE_REASONS of why an attempt of a task (its hashed id) was in vain; undefined if it was not. */
export function wasteReason(
  task: number,
  attempt: number,
  lastAttempts: ReadonlyMap<number, number>,
  failedTasks: ReadonlySet<number>,
): number | undefined {
  if (attempt < (lastAttempts.get(task) ?? 0)) return RETRIED;
  return failedTasks.has(task) ? FAILED : undefined;
}
