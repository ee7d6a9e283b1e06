import { KPI_TARGETS } from '../kpis.ts';
import type { Task } from '../task.ts';

/** Where the time of a period went, as far as durations are known. */
export interface WorkOfPeriod {
  readonly withDuration: number;
  readonly seconds: number;
  /** Part of it that went into tasks that failed. */
  readonly failedSeconds: number;
  /** Tasks that took longer than the target. */
  readonly slow: number;
  /** How long at least 1, 2, 3 … agents worked on tasks of our queue at the same time. */
  readonly busySeconds: readonly number[];
}

const MOST_AT_ONCE = 20;

/** Adds up the work of tasks that ended after `fromMs`. */
export function workOf(tasks: readonly Task[], fromMs: number): WorkOfPeriod {
  const known = tasks.filter(({ durationMs }) => durationMs !== undefined);
  const secondsOf = (some: readonly Task[]): number =>
    some.reduce((sum, { durationMs = 0 }) => sum + durationMs, 0) / 1_000;
  return {
    withDuration: known.length,
    seconds: secondsOf(known),
    failedSeconds: secondsOf(known.filter(({ outcome }) => outcome === 'failed')),
    slow: known.filter(({ durationMs = 0 }) => durationMs > KPI_TARGETS.task_seconds_mean * 1_000).length,
    busySeconds: busySeconds(known, fromMs),
  };
}

/** An estimate: a duration is that of all attempts together, and is taken as if they had followed each other until the end. */
function busySeconds(tasks: readonly Task[], fromMs: number): readonly number[] {
  const steps = tasks
    .filter(({ isQueued }) => isQueued)
    .flatMap(({ timeMs = 0, durationMs = 0 }) => [
      { atMs: Math.max(fromMs, timeMs - durationMs), step: 1 },
      { atMs: timeMs, step: -1 },
    ])
    .sort((one, other) => one.atMs - other.atMs || one.step - other.step);
  const totals: number[] = [];
  let running = 0;
  let sinceMs = fromMs;
  for (const { atMs, step } of steps) {
    for (let place = 0; place < Math.min(running, MOST_AT_ONCE); place += 1) {
      totals[place] = (totals[place] ?? 0) + (atMs - sinceMs) / 1_000;
    }
    running += step;
    sinceMs = atMs;
  }
  return totals;
}
