import { MAX_LABEL_VALUES } from './label-names.ts';
import {
  addNumber,
  countUpTo,
  quantileOf,
  removeNumber,
  type SortedNumbers,
  sortedNumbersOf,
} from './sorted-numbers.ts';
import { OUTCOMES, type Task } from './task.ts';
import { addToCounters, createTaskCounters, DURATION_BUCKETS_SECONDS, type TaskCounters } from './task-counters.ts';
import {
  advanceTo,
  compact,
  countAfter,
  createTimeLog,
  forgetBefore,
  insertEntry,
  removeEntry,
  type TimeLog,
  type WindowObserver,
} from './time-log.ts';
import { BASELINE_MS, DAY_MS, horizonOf, WEEK, WINDOWS_MS } from './windows.ts';

/** Exact figures of one sliding window. */
export interface WindowFigures {
  /** By outcome. */
  readonly outcomes: number[];
  /** By agent label and outcome. */
  readonly byAgent: Uint32Array;
  durations: SortedNumbers;
  durationSumMs: number;
}

/** Everything that is counted of settled tasks, over all time and by window. Plain data. */
export interface TaskFigures extends TaskCounters {
  readonly log: TimeLog;
  readonly windows: WindowFigures[];
  /** What is older than this is not in the log. */
  readonly horizonMs: number;
  /** While a first pass runs the windows are not kept up; `fillWindows` builds them at once. */
  windowsAreLive: boolean;
}

const NO_DURATION = 2 ** 32 - 1;
const [AGENT, OUTCOME, DURATION] = [0, 1, 2];

/** Figures of no tasks at all. */
export function createTaskFigures(nowMs: number, windowsMs = WINDOWS_MS): TaskFigures {
  return {
    ...createTaskCounters(),
    log: createTimeLog([new Uint8Array(), new Uint8Array(), new Uint32Array()], windowsMs, nowMs),
    windows: windowsMs.map(createWindowFigures),
    horizonMs: horizonOf(windowsMs),
    windowsAreLive: false,
  };
}

/** Counts a settled task, or with `sign` -1 takes back what an earlier call counted. */
export function countTask(figures: TaskFigures, task: Task, sign: 1 | -1 = 1): void {
  const { agent, outcome } = addToCounters(figures, task, sign);
  if (task.timeMs === undefined) return;
  const own = figures.byAgent[agent];
  if (sign === -1 && task.timeMs === own.lastTaskMs) own.lastTaskMs = lastInLog(figures.log, agent, task.timeMs);
  if (task.timeMs <= figures.log.nowMs - figures.horizonMs) return;
  const values = [agent, outcome, task.durationMs ?? NO_DURATION];
  const observer = figures.windowsAreLive ? windowObserver(figures) : NOBODY;
  if (sign === 1) insertEntry(figures.log, task.timeMs, values, observer);
  else removeEntry(figures.log, task.timeMs, values, observer);
}

/** Moves the windows to `nowMs`. */
export function advanceTaskFigures(figures: TaskFigures, nowMs: number): void {
  advanceTo(figures.log, nowMs, windowObserver(figures));
  forgetBefore(figures.log, nowMs - figures.horizonMs);
}

/** Builds the windows from the log in one go, which is much faster than task by task, and keeps them up from then on. */
export function fillWindows(figures: TaskFigures, nowMs: number): void {
  compact(figures.log);
  advanceTo(figures.log, nowMs, NOBODY);
  const { log } = figures;
  figures.windows.splice(0, Infinity, ...figures.log.windows.map(createWindowFigures));
  for (const [index, window] of figures.windows.entries()) {
    const durations = new Uint32Array(log.length - log.windows[index].from);
    let known = 0;
    for (let entry = log.windows[index].from; entry < log.length; entry += 1) {
      countInWindow(window, log, entry, 1);
      const duration = log.columns[DURATION][entry];
      if (duration === NO_DURATION) continue;
      durations[known] = duration;
      known += 1;
      window.durationSumMs += duration;
    }
    window.durations = sortedNumbersOf(durations.subarray(0, known));
  }
  figures.windowsAreLive = true;
}

/** Tasks of one window by outcome, of all agents or of one. */
export function windowOutcomes(figures: TaskFigures, window: number, agent?: number): readonly number[] {
  const { outcomes, byAgent } = figures.windows[window];
  return agent === undefined ? outcomes : OUTCOMES.map((_, outcome) => byAgent[agent * OUTCOMES.length + outcome]);
}

/** success / (success + failed); undefined while no outcome is known. */
export function successRatio(outcomes: readonly number[]): number | undefined {
  const known = outcomes[0] + outcomes[1];
  return known === 0 ? undefined : outcomes[0] / known;
}

/** Mean and nearest-rank quantiles of the known durations of a window, in seconds; undefined if none is known. */
export function windowDurations(
  figures: TaskFigures,
  window: number,
): { mean: number; p50: number; p90: number; p95: number } | undefined {
  const { durations, durationSumMs } = figures.windows[window];
  if (durations.count === 0) return undefined;
  const seconds = (quantile: number): number => (quantileOf(durations, quantile) as number) / 1_000;
  return {
    mean: durationSumMs / durations.count / 1_000,
    p50: seconds(0.5),
    p90: seconds(0.9),
    p95: seconds(0.95),
  };
}

/** Tasks of a window by range of duration (`DURATION_RANGES`), each counted once; those of unknown duration in none. */
export function windowDurationCounts(figures: TaskFigures, window: number): readonly number[] {
  const { durations } = figures.windows[window];
  const upTo = DURATION_BUCKETS_SECONDS.map((bound) => countUpTo(durations, bound * 1_000));
  return [...upTo, durations.count].map((count, index) => count - (index === 0 ? 0 : upTo[index - 1]));
}

/** Tasks a day over the week of the KPIs, and over the 28 days before it. */
export function tasksPerDay(figures: TaskFigures): { readonly week: number; readonly baseline: number } {
  const { log } = figures;
  const week = log.length - log.windows[WEEK].from;
  const weekMs = log.windows[WEEK].ms;
  const both = countAfter(log, log.nowMs - weekMs - BASELINE_MS);
  return { week: (week * DAY_MS) / weekMs, baseline: ((both - week) * DAY_MS) / BASELINE_MS };
}

function createWindowFigures(): WindowFigures {
  return {
    outcomes: [0, 0, 0],
    byAgent: new Uint32Array(MAX_LABEL_VALUES * OUTCOMES.length),
    durations: { count: 0, blocks: [] },
    durationSumMs: 0,
  };
}

/** When an agent's last task but the one being taken back ended, as far back as the log goes. */
function lastInLog(log: TimeLog, agent: number, takenBackMs: number): number | undefined {
  let isTakenBack = false;
  for (let entry = log.length - 1; entry >= 0; entry -= 1) {
    if (log.columns[AGENT][entry] !== agent) continue;
    if (isTakenBack || log.times[entry] !== takenBackMs) return log.times[entry];
    isTakenBack = true;
  }
  return undefined;
}

const NOBODY: WindowObserver = { enter: () => {}, leave: () => {} };

function windowObserver(figures: TaskFigures): WindowObserver {
  const { log, windows } = figures;
  return {
    enter: (index, entry) => {
      const window = windows[index];
      const duration = log.columns[DURATION][entry];
      countInWindow(window, log, entry, 1);
      if (duration === NO_DURATION) return;
      addNumber(window.durations, duration);
      window.durationSumMs += duration;
    },
    leave: (index, entry) => {
      const window = windows[index];
      const duration = log.columns[DURATION][entry];
      countInWindow(window, log, entry, -1);
      if (duration === NO_DURATION) return;
      removeNumber(window.durations, duration);
      window.durationSumMs -= duration;
    },
  };
}

function countInWindow(window: WindowFigures, log: TimeLog, entry: number, sign: number): void {
  const outcome = log.columns[OUTCOME][entry];
  window.outcomes[outcome] += sign;
  window.byAgent[log.columns[AGENT][entry] * OUTCOMES.length + outcome] += sign;
}

/** Tasks by outcome of each of the last days, oldest first; a day is 24 hours up to the moment of the reading. */
export function dailyOutcomes({ log }: TaskFigures, days: number): readonly (readonly number[])[] {
  const counts = Array.from({ length: days }, () => OUTCOMES.map(() => 0));
  for (let entry = log.length - 1; entry >= 0; entry -= 1) {
    const daysAgo = Math.floor((log.nowMs - log.times[entry]) / DAY_MS);
    if (daysAgo >= days) break;
    counts[days - 1 - Math.max(0, daysAgo)][log.columns[OUTCOME][entry]] += 1;
  }
  return counts;
}
