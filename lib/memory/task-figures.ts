import { createLabelNames, type LabelNames, labelIndex, MAX_LABEL_VALUES } from './label-names.ts';
import { addNumber, quantileOf, removeNumber, type SortedNumbers, sortedNumbersOf } from './sorted-numbers.ts';
import { OUTCOMES, type Task } from './task.ts';
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
import { DAY_MS, HORIZON_MS, WEEK, WEEK_MS, WINDOWS_MS } from './windows.ts';

/** Upper bounds of the duration histogram, in seconds. */
export const DURATION_BUCKETS_SECONDS = [1, 5, 15, 30, 60, 120, 300, 600, 900, 1200, 1800] as const;

/** What is known of one agent over all time. */
export interface AgentFigures {
  tasks: number;
  lastTaskMs: number | undefined;
  readonly durationBuckets: number[];
  durationCount: number;
  durationSumMs: number;
}

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
export interface TaskFigures {
  readonly agents: LabelNames;
  readonly projects: LabelNames;
  readonly outcomes: number[];
  /** By agent label × 64 + project label, each an array by outcome. */
  readonly runs: Map<number, number[]>;
  readonly byAgent: AgentFigures[];
  lastTaskMs: number | undefined;
  readonly log: TimeLog;
  readonly windows: WindowFigures[];
  floors: CounterFloors;
  /** While a first pass runs the windows are not kept up; `fillWindows` builds them at once. */
  windowsAreLive: boolean;
}

/**
 * What counters stood at when a task was taken back because its other row came late: they never show less than that.
 * Plain data.
 */
export interface CounterFloors {
  outcomes: number[];
  readonly runs: Map<number, number[]>;
  readonly durations: Map<number, DurationCounts>;
}

/** The parts of an agent's histogram. */
export type DurationCounts = Pick<AgentFigures, 'durationBuckets' | 'durationCount' | 'durationSumMs'>;

const NO_DURATION = 2 ** 32 - 1;
const OUTCOME_INDEX = { success: 0, failed: 1, unknown: 2 } as const;
const PROJECTS_PER_AGENT = 64;
const [AGENT, OUTCOME, DURATION] = [0, 1, 2];

/** Figures of no tasks at all. */
export function createTaskFigures(nowMs: number): TaskFigures {
  return {
    agents: createLabelNames(),
    projects: createLabelNames(),
    outcomes: [0, 0, 0],
    runs: new Map(),
    byAgent: [],
    lastTaskMs: undefined,
    log: createTimeLog([new Uint8Array(), new Uint8Array(), new Uint32Array()], WINDOWS_MS, nowMs),
    windows: WINDOWS_MS.map(createWindowFigures),
    floors: createFloors(),
    windowsAreLive: false,
  };
}

/** Counts a settled task, or with `sign` -1 takes back what an earlier call counted. */
export function countTask(figures: TaskFigures, task: Task, sign: 1 | -1 = 1): void {
  const outcome = OUTCOME_INDEX[task.outcome];
  const agent = labelIndex(figures.agents, task.agent);
  const run = agent * PROJECTS_PER_AGENT + labelIndex(figures.projects, task.project);
  if (sign === -1) raiseFloors(figures, agent, run);
  figures.outcomes[outcome] += sign;
  countRun(figures, run, outcome, sign);
  countAgent(figures, agent, task, sign);
  if (task.timeMs === undefined) return;
  if (sign === 1) figures.lastTaskMs = Math.max(figures.lastTaskMs ?? task.timeMs, task.timeMs);
  if (task.timeMs <= figures.log.nowMs - HORIZON_MS) return;
  const values = [agent, outcome, task.durationMs ?? NO_DURATION];
  const observer = figures.windowsAreLive ? windowObserver(figures) : NOBODY;
  if (sign === 1) insertEntry(figures.log, task.timeMs, values, observer);
  else removeEntry(figures.log, task.timeMs, values, observer);
}

/** Moves the windows to `nowMs`. */
export function advanceTaskFigures(figures: TaskFigures, nowMs: number): void {
  advanceTo(figures.log, nowMs, windowObserver(figures));
  forgetBefore(figures.log, nowMs - HORIZON_MS);
}

/** Builds the windows from the log in one go, which is much faster than task by task, and keeps them up from then on. */
export function fillWindows(figures: TaskFigures, nowMs: number): void {
  compact(figures.log);
  advanceTo(figures.log, nowMs, NOBODY);
  const { log } = figures;
  figures.windows.splice(0, Infinity, ...WINDOWS_MS.map(createWindowFigures));
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

/** Tasks a day over the last 7 days, and over the 28 days before them. */
export function tasksPerDay(figures: TaskFigures): { readonly week: number; readonly baseline: number } {
  const { log } = figures;
  const week = log.length - log.windows[WEEK].from;
  const both = countAfter(log, log.nowMs - HORIZON_MS);
  return { week: (week * DAY_MS) / WEEK_MS, baseline: ((both - week) * DAY_MS) / (HORIZON_MS - WEEK_MS) };
}

function createWindowFigures(): WindowFigures {
  return {
    outcomes: [0, 0, 0],
    byAgent: new Uint32Array(MAX_LABEL_VALUES * OUTCOMES.length),
    durations: { count: 0, blocks: [] },
    durationSumMs: 0,
  };
}

function countRun(figures: TaskFigures, key: number, outcome: number, sign: number): void {
  const counts = figures.runs.get(key) ?? [0, 0, 0];
  counts[outcome] += sign;
  figures.runs.set(key, counts);
}

/** No floors: nothing has been shown yet, or what was shown went down for good reason. */
export function createFloors(): CounterFloors {
  return { outcomes: [0, 0, 0], runs: new Map(), durations: new Map() };
}

/** Counters by outcome as they may be shown: never less than before. */
export function shownOutcomes({ outcomes, floors }: TaskFigures): number[] {
  return greater(outcomes, floors.outcomes);
}

/** Counters of `runs`, likewise. */
export function shownRuns({ runs, floors }: TaskFigures): [key: number, counts: readonly number[]][] {
  return [...runs].map(([key, counts]) => [key, greater(counts, floors.runs.get(key))]);
}

/** An agent's histogram, likewise. */
export function shownDurations({ byAgent, floors }: TaskFigures, agent: number): DurationCounts {
  const now = byAgent[agent];
  const floor = floors.durations.get(agent);
  if (!floor) return now;
  return {
    durationBuckets: greater(now.durationBuckets, floor.durationBuckets),
    durationCount: Math.max(now.durationCount, floor.durationCount),
    durationSumMs: Math.max(now.durationSumMs, floor.durationSumMs),
  };
}

/** Makes what `before` showed the floor of `after`, which counted the same rows afresh. */
export function carryFloors(before: TaskFigures, after: TaskFigures): void {
  const { floors } = after;
  floors.outcomes = shownOutcomes(before);
  for (const [key, counts] of shownRuns(before)) {
    const { agent, project } = runLabels(before, key);
    const run = labelIndex(after.agents, agent) * PROJECTS_PER_AGENT + labelIndex(after.projects, project);
    countRun(after, run, 0, 0);
    floors.runs.set(run, [...counts]);
  }
  for (const [index, own] of before.byAgent.entries()) {
    if (!own || own.durationCount === 0) continue;
    const agent = labelIndex(after.agents, before.agents.names[index]);
    const { durationBuckets, durationCount, durationSumMs } = shownDurations(before, index);
    after.byAgent[agent] ??= createAgentFigures();
    floors.durations.set(agent, { durationBuckets: [...durationBuckets], durationCount, durationSumMs });
  }
}

function raiseFloors(figures: TaskFigures, agent: number, run: number): void {
  const { floors } = figures;
  floors.outcomes = shownOutcomes(figures);
  floors.runs.set(run, greater(figures.runs.get(run) ?? [0, 0, 0], floors.runs.get(run)));
  const { durationBuckets, durationCount, durationSumMs } = shownDurations(figures, agent);
  floors.durations.set(agent, { durationBuckets: [...durationBuckets], durationCount, durationSumMs });
}

function greater(counts: readonly number[], floor: readonly number[] = []): number[] {
  return counts.map((count, index) => Math.max(count, floor[index] ?? 0));
}

/** The agent and project labels of a key of `runs`. */
export function runLabels(figures: TaskFigures, key: number): { agent: string; project: string } {
  return {
    agent: figures.agents.names[Math.floor(key / PROJECTS_PER_AGENT)],
    project: figures.projects.names[key % PROJECTS_PER_AGENT],
  };
}

function createAgentFigures(): AgentFigures {
  return {
    tasks: 0,
    lastTaskMs: undefined,
    durationBuckets: DURATION_BUCKETS_SECONDS.map(() => 0),
    durationCount: 0,
    durationSumMs: 0,
  };
}

function countAgent(figures: TaskFigures, agent: number, task: Task, sign: number): void {
  figures.byAgent[agent] ??= createAgentFigures();
  const own = figures.byAgent[agent];
  own.tasks += sign;
  if (sign === 1 && task.timeMs !== undefined) own.lastTaskMs = Math.max(own.lastTaskMs ?? task.timeMs, task.timeMs);
  if (sign === -1 && task.timeMs === own.lastTaskMs) own.lastTaskMs = lastInLog(figures.log, agent, task.timeMs);
  if (task.durationMs === undefined) return;
  own.durationCount += sign;
  own.durationSumMs += sign * task.durationMs;
  for (const [index, bound] of DURATION_BUCKETS_SECONDS.entries()) {
    if (task.durationMs <= bound * 1_000) own.durationBuckets[index] += sign;
  }
}

/** When an agent's last task but the one being taken back ended, as far back as the log goes. */
function lastInLog(log: TimeLog, agent: number, takenBackMs: number | undefined): number | undefined {
  let isTakenBack = takenBackMs === undefined;
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
