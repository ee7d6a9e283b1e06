/** What the machine shows at one moment. What cannot be read is `undefined`: it holds nothing back, and is never taken for 0. */
export interface Signals {
  /** Share of the CPUs' time that was used since the reading before, 0 to 1. */
  readonly cpuRatio: number | undefined;
  /** Share of the memory that is used, 0 to 1: of the machine or of the tightest cgroup, whichever is fuller. */
  readonly memoryRatio: number | undefined;
  /** Bytes a new process could take without swapping: of the machine or of the tightest cgroup, whichever has fewer. */
  readonly availableBytes: number | undefined;
  readonly diskFreeBytes: number | undefined;
  /** Percent of the last 10 s in which every process waited for memory. */
  readonly memoryFullAvg10: number | undefined;
  /** Percent of the last 60 s in which some process waited for memory. */
  readonly memorySomeAvg60: number | undefined;
  /** Percent of the last 60 s in which some process waited for a CPU. */
  readonly cpuSomeAvg60: number | undefined;
}

/** One look at the machine and at the queue. */
export interface Sample extends Signals {
  readonly atMs: number;
  readonly waitingTasks: number;
  /** Tasks that run on the workers that are being scaled. */
  readonly activeTasks: number;
  /** Answers 429 and 529 of the model API since the sample before. */
  readonly overloadedAnswers: number;
}

/** How far back a decision looks. */
export const WINDOW_MS = 5 * 60_000;

/** The samples of the last 5 minutes. Those ahead of `nowMs` come from before the clock was set back and are left out. */
export function samplesInWindow(samples: readonly Sample[], nowMs: number): readonly Sample[] {
  return samples.filter(({ atMs }) => atMs > nowMs - WINDOW_MS && atMs <= nowMs);
}

/** The mean of the values that are known; `undefined` if none is. */
export function meanOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0) return undefined;
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}

/**
 * Since when nothing runs and nothing waits, milliseconds since the epoch; `undefined` while something does, or while
 * nothing is known. `rememberedMs` is what the decision before found: idleness may be older than the window.
 */
export function idleSince(samples: readonly Sample[], rememberedMs: number | undefined): number | undefined {
  const lastBusy = samples.findLastIndex(({ activeTasks, waitingTasks }) => activeTasks > 0 || waitingTasks > 0);
  const firstIdle = samples.at(lastBusy + 1);
  if (firstIdle === undefined) return undefined;
  return lastBusy === -1 ? Math.min(rememberedMs ?? firstIdle.atMs, firstIdle.atMs) : firstIdle.atMs;
}
