import type { Task } from './task.ts';
import { NO_ID, textHash } from './text-hash.ts';
import { advanceTo, createTimeLog, forgetBefore, insertEntry, removeEntry, type TimeLog } from './time-log.ts';
import { BASELINE_MS, WEEK_MS } from './windows.ts';

/** What the KPIs of the last 7 days need to know of each task: was it tried again, mended, done without a person? */
export interface WeekFigures {
  readonly log: TimeLog;
  /** Tasks of the week by the hook's agent id; one that ends twice was tried twice. */
  readonly byAgentRun: Map<number, number>;
  /** Agent ids that ended before the week, as far back as the horizon: another end in the week is another try. */
  readonly earlierRuns: Set<number>;
  /** How many of those in the week are marked as retried, by their task id or by an earlier end. */
  readonly retriedOfAgentRun: Map<number, number>;
  /** Tasks of the week by our task id. */
  readonly byTaskId: Map<number, number>;
  /** Our task ids that have a `task_retry` row. */
  readonly retriedIds: Set<number>;
  /** Ids that a `fix` row points at. */
  readonly fixedIds: Set<number>;
  retried: number;
  fixed: number;
  /** Successful autonomous tasks that needed no fix. */
  autonomous: number;
  /** Minutes a person would have taken for the successful autonomous tasks, less what fixing took. */
  minutesSaved: number;
}

const FIX_MINUTES = 10;
const [AGENT_RUN, FIRST_ID, SECOND_ID, TASK_ID, IS_RETRIED, IS_FIXED, IS_AUTONOMOUS, MINUTES] = [
  0, 1, 2, 3, 4, 5, 6, 7,
];

/** How many minutes of a person's work one task stands for, by agent (`manualMinutes` of projects.json). */
export interface ManualMinutes {
  readonly default: number;
  readonly byAgent: ReadonlyMap<string, number>;
}

/** The figures of a week without tasks. */
export function createWeekFigures(nowMs: number, weekMs = WEEK_MS): WeekFigures {
  const ids = [new Float64Array(), new Float64Array(), new Float64Array(), new Float64Array()];
  const flags = [new Uint8Array(), new Uint8Array(), new Uint8Array(), new Uint16Array()];
  return {
    log: createTimeLog([...ids, ...flags], [weekMs], nowMs),
    byAgentRun: new Map(),
    earlierRuns: new Set(),
    retriedOfAgentRun: new Map(),
    byTaskId: new Map(),
    retriedIds: new Set(),
    fixedIds: new Set(),
    retried: 0,
    fixed: 0,
    autonomous: 0,
    minutesSaved: 0,
  };
}

/** Counts a settled task, or with `sign` -1 takes back what an earlier call counted. */
export function countWeekTask(week: WeekFigures, task: Task, manualMinutes: ManualMinutes, sign: 1 | -1 = 1): void {
  const { agentRunHash: agentRun, idHash: first, mateIdHash: second, taskIdHash: taskId } = task;
  const beginMs = week.log.nowMs - week.log.windows[0].ms;
  if (task.timeMs === undefined || task.timeMs <= beginMs) {
    const isWithinHorizon = task.timeMs === undefined || task.timeMs > beginMs - BASELINE_MS;
    if (isWithinHorizon) noteEarlierRun(week, agentRun);
    return;
  }
  const fixed = isFixed(week, task) ? 1 : 0;
  const retried = week.retriedIds.has(taskId) || week.earlierRuns.has(agentRun) ? 1 : 0;
  const isAutonomous = task.isAutonomous && task.outcome === 'success' ? 1 : 0;
  const minutes = isAutonomous ? (manualMinutes.byAgent.get(task.agent) ?? manualMinutes.default) : 0;
  const values = [agentRun, first, second, taskId, retried, fixed, isAutonomous, minutes];
  if (sign === 1) insertEntry(week.log, task.timeMs, values, observer(week));
  else removeEntry(week.log, task.timeMs, values, observer(week));
}

/** Notes that a task of ours was tried again. */
export function countRetry(week: WeekFigures, taskId: string): void {
  const hash = textHash(taskId);
  week.retriedIds.add(hash);
  // The retry row mostly comes first, so there is seldom anything to look for.
  if (week.byTaskId.has(hash)) flagEntries(week, hash, [TASK_ID], IS_RETRIED);
}

/** Notes that somebody had to mend what the task, or the ending row, of this id did. */
export function countFix(week: WeekFigures, id: string): void {
  const hash = textHash(id);
  week.fixedIds.add(hash);
  flagEntries(week, hash, [FIRST_ID, SECOND_ID, TASK_ID], IS_FIXED);
}

/** Moves the week to end at `nowMs`. */
export function advanceWeekFigures(week: WeekFigures, nowMs: number): void {
  const { enter, leave } = observer(week);
  advanceTo(week.log, nowMs, {
    enter,
    leave: (window, entry) => {
      leave(window, entry);
      // It is gone: marked already, so that it is not marked, and counted, among those that stay.
      week.log.columns[IS_RETRIED][entry] = 1;
      noteEarlierRun(week, week.log.columns[AGENT_RUN][entry]);
    },
  });
  forgetBefore(week.log, nowMs - week.log.windows[0].ms);
}

/** Tasks of the week. */
export function weekTasks(week: WeekFigures): number {
  return week.log.length - week.log.windows[0].from;
}

/** Whether a `fix` row points at a task. */
export function isFixed({ fixedIds }: WeekFigures, { idHash: first, mateIdHash: second, taskIdHash }: Task): boolean {
  return fixedIds.has(first) || fixedIds.has(second) || fixedIds.has(taskIdHash);
}

/** Whether a task of the week was tried more than once. */
export function isRetried(week: WeekFigures, { taskIdHash, agentRunHash }: Task): boolean {
  const isAgain = week.earlierRuns.has(agentRunHash) || (week.byAgentRun.get(agentRunHash) ?? 0) > 1;
  return isAgain || week.retriedIds.has(taskIdHash);
}

function noteEarlierRun(week: WeekFigures, agentRun: number): void {
  if (agentRun === NO_ID || week.earlierRuns.has(agentRun)) return;
  week.earlierRuns.add(agentRun);
  if (week.byAgentRun.has(agentRun)) flagEntries(week, agentRun, [AGENT_RUN], IS_RETRIED);
}

/** Sets a flag of the tasks of the week that bear this id in one of the columns. */
function flagEntries(week: WeekFigures, hash: number, columns: readonly number[], flag: number): void {
  const { log } = week;
  for (let entry = log.windows[0].from; entry < log.length; entry += 1) {
    if (log.columns[flag][entry] || !columns.some((column) => log.columns[column][entry] === hash)) continue;
    countEntry(week, entry, -1);
    log.columns[flag][entry] = 1;
    countEntry(week, entry, 1);
  }
}

function observer(week: WeekFigures) {
  return {
    enter: (_: number, entry: number) => countEntry(week, entry, 1),
    leave: (_: number, entry: number) => countEntry(week, entry, -1),
  };
}

function countEntry(week: WeekFigures, entry: number, sign: 1 | -1): void {
  const columns = week.log.columns;
  const isRetried = columns[IS_RETRIED][entry];
  const isFixed = columns[IS_FIXED][entry];
  week.retried += sign * isRetried;
  week.fixed += sign * isFixed;
  countAgentRun(week, columns[AGENT_RUN][entry], isRetried, sign);
  addTo(week.byTaskId, columns[TASK_ID][entry], sign);
  if (!columns[IS_AUTONOMOUS][entry]) return;
  week.autonomous += sign * (1 - isFixed);
  week.minutesSaved += sign * (columns[MINUTES][entry] - isFixed * FIX_MINUTES);
}

/** Keeps `retried` right for tasks that share an agent id, each counted once however it was tried again. */
function countAgentRun(week: WeekFigures, agentRun: number, isRetried: number, sign: 1 | -1): void {
  if (agentRun === NO_ID) return;
  const before = week.byAgentRun.get(agentRun) ?? 0;
  const retriedBefore = week.retriedOfAgentRun.size === 0 ? 0 : (week.retriedOfAgentRun.get(agentRun) ?? 0);
  if (before + sign === 0) week.byAgentRun.delete(agentRun);
  else week.byAgentRun.set(agentRun, before + sign);
  if (isRetried) addTo(week.retriedOfAgentRun, agentRun, sign);
  week.retried += triedTwice(before + sign, retriedBefore + sign * isRetried) - triedTwice(before, retriedBefore);
}

function triedTwice(tasks: number, alreadyRetried: number): number {
  return tasks > 1 ? tasks - alreadyRetried : 0;
}

function addTo(counts: Map<number, number>, key: number, amount: number): void {
  if (key === NO_ID) return;
  const sum = (counts.get(key) ?? 0) + amount;
  if (sum === 0) counts.delete(key);
  else counts.set(key, sum);
}
