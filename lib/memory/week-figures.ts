import type { Task } from './task.ts';
import { textHash } from './text-hash.ts';
import { advanceTo, createTimeLog, forgetBefore, insertEntry, removeEntry, type TimeLog } from './time-log.ts';
import { WEEK_MS } from './windows.ts';

/** What the KPIs of the last 7 days need to know of each task: was it tried again, mended, done without a person? */
export interface WeekFigures {
  readonly log: TimeLog;
  /** Tasks of the week by what identifies a run: the hook's agent id, or our task id. */
  readonly runs: Map<number, number>;
  /** Our task ids that have a `task_retry` row. */
  readonly retriedKeys: Set<number>;
  /** Ids that a `fix` row points at. */
  readonly fixedIds: Set<number>;
  retried: number;
  fixed: number;
  /** Successful autonomous tasks that needed no fix. */
  autonomous: number;
  /** Minutes a person would have taken for the successful autonomous tasks, less what fixing took. */
  minutesSaved: number;
}

const NONE = 0;
const FIX_MINUTES = 10;
const [KEY, FIRST_ID, SECOND_ID, TASK_ID, IS_FIXED, IS_AUTONOMOUS, MINUTES] = [0, 1, 2, 3, 4, 5, 6];

/** How many minutes of a person's work one task stands for, by agent (`manualMinutes` of projects.json). */
export interface ManualMinutes {
  readonly default: number;
  readonly byAgent: ReadonlyMap<string, number>;
}

/** The figures of a week without tasks. */
export function createWeekFigures(nowMs: number): WeekFigures {
  const ids = [new Float64Array(), new Float64Array(), new Float64Array(), new Float64Array()];
  const flags = [new Uint8Array(), new Uint8Array(), new Uint16Array()];
  return {
    log: createTimeLog([...ids, ...flags], [WEEK_MS], nowMs),
    runs: new Map(),
    retriedKeys: new Set(),
    fixedIds: new Set(),
    retried: 0,
    fixed: 0,
    autonomous: 0,
    minutesSaved: 0,
  };
}

/** Counts a settled task, or with `sign` -1 takes back what an earlier call counted. */
export function countWeekTask(week: WeekFigures, task: Task, manualMinutes: ManualMinutes, sign: 1 | -1 = 1): void {
  if (task.timeMs === undefined || task.timeMs <= week.log.nowMs - WEEK_MS) return;
  const ids = [task.id, task.mateId, task.taskId].map((id) => (id === undefined ? NONE : textHash(id)));
  const isFixed = ids.some((id) => week.fixedIds.has(id)) ? 1 : 0;
  const isAutonomous = task.isAutonomous && task.outcome === 'success' ? 1 : 0;
  const minutes = isAutonomous ? Math.min(manualMinutes.byAgent.get(task.agent) ?? manualMinutes.default, 65_535) : 0;
  const values = [runKey(task), ...ids, isFixed, isAutonomous, minutes];
  if (sign === 1) insertEntry(week.log, task.timeMs, values, observer(week));
  else removeEntry(week.log, task.timeMs, values, observer(week));
}

/** Notes that a task of ours was tried again. */
export function countRetry(week: WeekFigures, taskId: string): void {
  const key = textHash(taskId);
  if (week.retriedKeys.has(key)) return;
  const tasks = week.runs.get(key) ?? 0;
  week.retried -= retriedTasks(week, key, tasks);
  week.retriedKeys.add(key);
  week.retried += retriedTasks(week, key, tasks);
}

/** Notes that somebody had to mend what the task, or the ending row, of this id did. */
export function countFix(week: WeekFigures, id: string): void {
  const hash = textHash(id);
  if (week.fixedIds.has(hash)) return;
  week.fixedIds.add(hash);
  const { log } = week;
  for (let entry = log.windows[0].from; entry < log.length; entry += 1) {
    const isMeant = [FIRST_ID, SECOND_ID, TASK_ID].some((column) => log.columns[column][entry] === hash);
    if (!isMeant || log.columns[IS_FIXED][entry]) continue;
    countEntry(week, entry, -1);
    log.columns[IS_FIXED][entry] = 1;
    countEntry(week, entry, 1);
  }
}

/** Moves the week to end at `nowMs`. */
export function advanceWeekFigures(week: WeekFigures, nowMs: number): void {
  advanceTo(week.log, nowMs, observer(week));
  forgetBefore(week.log, nowMs - WEEK_MS);
}

/** Tasks of the week. */
export function weekTasks(week: WeekFigures): number {
  return week.log.length - week.log.windows[0].from;
}

/** An agent id counts as another try when it ends twice; a task id only when a retry row says so. Agent ids are negative. */
function runKey(task: Task): number {
  if (task.agentRunId !== undefined) return -textHash(task.agentRunId);
  return task.taskId === undefined ? NONE : textHash(task.taskId);
}

function retriedTasks(week: WeekFigures, key: number, tasks: number): number {
  return week.retriedKeys.has(key) || (key < 0 && tasks > 1) ? tasks : 0;
}

function observer(week: WeekFigures) {
  return {
    enter: (_: number, entry: number) => countEntry(week, entry, 1),
    leave: (_: number, entry: number) => countEntry(week, entry, -1),
  };
}

function countEntry(week: WeekFigures, entry: number, sign: 1 | -1): void {
  const columns = week.log.columns;
  countRunKey(week, columns[KEY][entry], sign);
  const isFixed = columns[IS_FIXED][entry];
  week.fixed += sign * isFixed;
  if (!columns[IS_AUTONOMOUS][entry]) return;
  week.autonomous += sign * (1 - isFixed);
  week.minutesSaved += sign * (columns[MINUTES][entry] - isFixed * FIX_MINUTES);
}

function countRunKey(week: WeekFigures, key: number, sign: 1 | -1): void {
  if (key === NONE) return;
  const before = week.runs.get(key) ?? 0;
  week.retried += retriedTasks(week, key, before + sign) - retriedTasks(week, key, before);
  if (before + sign === 0) week.runs.delete(key);
  else week.runs.set(key, before + sign);
}
