import { createLabelNames, type LabelNames, labelIndex } from './label-names.ts';
import type { Task } from './task.ts';

/** Upper bounds of the duration histogram, in seconds. */
export const DURATION_BUCKETS_SECONDS = [1, 5, 15, 30, 60, 120, 300, 600, 900, 1200, 1800] as const;

/** The ranges that these bounds make, shortest first, each without its lower bound and with its upper one. */
export const DURATION_RANGES: readonly string[] = [
  ...DURATION_BUCKETS_SECONDS.map(
    (bound, index) => `${index === 0 ? 0 : DURATION_BUCKETS_SECONDS[index - 1]}-${bound}s`,
  ),
  `>${DURATION_BUCKETS_SECONDS.at(-1)}s`,
];

/** What is known of one agent over all time. */
export interface AgentFigures {
  tasks: number;
  lastTaskMs: number | undefined;
  readonly durationBuckets: number[];
  durationCount: number;
  durationSumMs: number;
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

/** What is counted of settled tasks over all time. Plain data. */
export interface TaskCounters {
  readonly agents: LabelNames;
  readonly projects: LabelNames;
  readonly outcomes: number[];
  /** By agent label × 64 + project label, each an array by outcome. */
  readonly runs: Map<number, number[]>;
  readonly byAgent: AgentFigures[];
  lastTaskMs: number | undefined;
  floors: CounterFloors;
}

const OUTCOME_INDEX = { success: 0, failed: 1, unknown: 2 } as const;
const PROJECTS_PER_AGENT = 64;

/** Counters of no tasks at all. */
export function createTaskCounters(): TaskCounters {
  return {
    agents: createLabelNames(),
    projects: createLabelNames(),
    outcomes: [0, 0, 0],
    runs: new Map(),
    byAgent: [],
    lastTaskMs: undefined,
    floors: createFloors(),
  };
}

/** Counts a task, or with `sign` -1 takes it back; returns the indexes it is counted under. */
export function addToCounters(
  counters: TaskCounters,
  task: Task,
  sign: 1 | -1,
): { readonly agent: number; readonly outcome: number } {
  const outcome = OUTCOME_INDEX[task.outcome];
  const agent = labelIndex(counters.agents, task.agent);
  const run = agent * PROJECTS_PER_AGENT + labelIndex(counters.projects, task.project);
  if (sign === -1) raiseFloors(counters, agent, run);
  counters.outcomes[outcome] += sign;
  countRun(counters, run, outcome, sign);
  countAgent(counters, agent, task, sign);
  if (sign === 1 && task.timeMs !== undefined) {
    counters.lastTaskMs = Math.max(counters.lastTaskMs ?? task.timeMs, task.timeMs);
  }
  return { agent, outcome };
}

/** The agent and project labels of a key of `runs`. */
export function runLabels(counters: TaskCounters, key: number): { agent: string; project: string } {
  return {
    agent: counters.agents.names[Math.floor(key / PROJECTS_PER_AGENT)],
    project: counters.projects.names[key % PROJECTS_PER_AGENT],
  };
}

function countRun(counters: TaskCounters, key: number, outcome: number, sign: number): void {
  const counts = counters.runs.get(key) ?? [0, 0, 0];
  counts[outcome] += sign;
  counters.runs.set(key, counts);
}

/** No floors: nothing has been shown yet, or what was shown went down for good reason. */
export function createFloors(): CounterFloors {
  return { outcomes: [0, 0, 0], runs: new Map(), durations: new Map() };
}

/** Counters by outcome as they may be shown: never less than before. */
export function shownOutcomes({ outcomes, floors }: TaskCounters): number[] {
  return greater(outcomes, floors.outcomes);
}

/** Counters of `runs`, likewise. */
export function shownRuns({ runs, floors }: TaskCounters): [key: number, counts: readonly number[]][] {
  return [...runs].map(([key, counts]) => [key, greater(counts, floors.runs.get(key))]);
}

/** An agent's histogram, likewise. */
export function shownDurations({ byAgent, floors }: TaskCounters, agent: number): DurationCounts {
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
export function carryFloors(before: TaskCounters, after: TaskCounters): void {
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

function raiseFloors(counters: TaskCounters, agent: number, run: number): void {
  const { floors } = counters;
  floors.outcomes = shownOutcomes(counters);
  floors.runs.set(run, greater(counters.runs.get(run) ?? [0, 0, 0], floors.runs.get(run)));
  const { durationBuckets, durationCount, durationSumMs } = shownDurations(counters, agent);
  floors.durations.set(agent, { durationBuckets: [...durationBuckets], durationCount, durationSumMs });
}

function greater(counts: readonly number[], floor: readonly number[] = []): number[] {
  return counts.map((count, index) => Math.max(count, floor[index] ?? 0));
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

function countAgent(counters: TaskCounters, agent: number, task: Task, sign: number): void {
  counters.byAgent[agent] ??= createAgentFigures();
  const own = counters.byAgent[agent];
  own.tasks += sign;
  if (sign === 1 && task.timeMs !== undefined) own.lastTaskMs = Math.max(own.lastTaskMs ?? task.timeMs, task.timeMs);
  if (task.durationMs === undefined) return;
  own.durationCount += sign;
  own.durationSumMs += sign * task.durationMs;
  for (const [index, bound] of DURATION_BUCKETS_SECONDS.entries()) {
    if (task.durationMs <= bound * 1_000) own.durationBuckets[index] += sign;
  }
}
