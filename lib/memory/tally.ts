import { advanceErrorFigures, countError, createErrorFigures, type ErrorFigures } from './error-figures.ts';
import type { EventRow } from './event-rows.ts';
import { createKept, type Kept, keepRetry, keepTask } from './kept.ts';
import { createStartedTasks, noteEnd, noteStart, reopenStart, type StartedTasks } from './started-tasks.ts';
import { endingKind, mergePair, type Task, taskOfRow } from './task.ts';
import { advanceTaskFigures, countTask, createTaskFigures, fillWindows, type TaskFigures } from './task-figures.ts';
import { addUnpaired, createUnpaired, forgetUnpaired, type OpenTask, takeMate, type Unpaired } from './unpaired.ts';
import { noteEnding } from './wasted-cost.ts';
import {
  advanceWeekFigures,
  countFix,
  countRetry,
  countWeekTask,
  createWeekFigures,
  type ManualMinutes,
  type WeekFigures,
} from './week-figures.ts';
import { DAY_MS, WEEK, WINDOWS_MS, windowsOfDays } from './windows.ts';

/** Wall clock and a monotonic one that all threads share; both in milliseconds. */
export interface Clock {
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
}

/** The clocks of this machine. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => Number(process.hrtime.bigint() / 1_000_000n),
};

/**
 * All that is known of the events of one memory after reading its rows once, in rowid order. Feeding it new rows gives the
 * same figures as reading everything again. Plain data: a thread can make it and hand it over.
 */
export interface Tally {
  /** Rowid of the last row read. */
  cursor: number;
  rows: number;
  /** Rows passed over because an archive has them too. */
  rowsInBoth: number;
  readonly tasks: TaskFigures;
  readonly week: WeekFigures;
  readonly errors: ErrorFigures;
  readonly started: StartedTasks;
  /** Hashed ids of the tasks of ours that are known to have failed (`noteEnding`). */
  readonly failedTasks: Set<number>;
  readonly unpaired: Unpaired;
  /** Seen, but not yet counted, since each may still get its other row; in the order in which they are due. */
  readonly pending: OpenTask[];
  /** The earliest time that was refused for lying in the future: from then on, a full pass would read it differently. */
  earliestFutureMs: number;
  nowMs: number;
  /** Only a tally of the past keeps anything whole. */
  readonly kept: Kept | undefined;
}

/** Figures as they stood at `nowMs`: what came after it is passed over, and what came last before it is kept whole. */
export interface Past {
  /** How long the week of the KPIs is, and how far back things are kept. */
  readonly days: number;
}

/** A task is counted so long after its time, or after it was first seen. */
const SETTLE_MS = 3_000;
/** Single rows older than this are let go: a row arriving later than that is rare enough for a full pass. */
const KEEP_UNPAIRED_MS = DAY_MS;
/** During a full pass single rows are let go only when there are many. */
const MANY_UNPAIRED = 20_000;

/** The tally of a memory of which nothing has been read. */
export function createTally(nowMs: number, past?: Past): Tally {
  const windowsMs = past ? windowsOfDays(past.days) : WINDOWS_MS;
  return {
    cursor: Number.MIN_SAFE_INTEGER,
    rows: 0,
    rowsInBoth: 0,
    tasks: createTaskFigures(nowMs, windowsMs),
    week: createWeekFigures(nowMs, windowsMs[WEEK]),
    errors: createErrorFigures(nowMs, windowsMs),
    started: createStartedTasks(),
    failedTasks: new Set(),
    unpaired: createUnpaired(),
    pending: [],
    earliestFutureMs: Number.POSITIVE_INFINITY,
    nowMs,
    kept: past && createKept(nowMs - windowsMs[WEEK]),
  };
}

/** What the reading of rows needs to know besides the rows. */
export interface TallyContext {
  readonly nowMs: number;
  readonly monotonicMs: number;
  readonly manualMinutes: ManualMinutes;
  /** Rows up to this rowid were seen by an earlier pass, so they do not wait for their mate a second time. */
  readonly seenUpToRowid: number;
}

/**
 * Reads rows that follow the ones read before.
 * @throws CannotPairError if a row is so old that only a full pass can tell whether it belongs to another; the tally is
 * then no longer right and must be thrown away.
 */
export function feedTally(tally: Tally, rows: readonly EventRow[], context: TallyContext): void {
  const cursorBefore = tally.cursor;
  for (const row of rows) {
    tally.cursor = row.rowid;
    if (row.isInArchive) {
      tally.rowsInBoth += 1;
      continue;
    }
    tally.rows += 1;
    if (tally.kept && isAfter(row, tally.nowMs)) continue;
    if (row.futureMs !== undefined) tally.earliestFutureMs = Math.min(tally.earliestFutureMs, row.futureMs);
    const kind = endingKind(row.eventType);
    if (kind) feedEnding(tally, taskOfRow(row, kind), context);
    else feedOther(tally, row);
  }
  // Rows of this batch wait for the next one: the two rows of a run mostly follow each other.
  countSettled(tally, context, cursorBefore);
}

function isAfter({ timeMs, futureMs }: EventRow, nowMs: number): boolean {
  return futureMs !== undefined || (timeMs !== undefined && timeMs > nowMs);
}

/** Counts what has waited long enough and moves every window to `nowMs`. */
export function settleTally(tally: Tally, context: TallyContext): void {
  tally.nowMs = context.nowMs;
  countSettled(tally, context, tally.cursor);
  if (!tally.tasks.windowsAreLive) fillWindows(tally.tasks, context.nowMs);
  advanceTaskFigures(tally.tasks, context.nowMs);
  advanceWeekFigures(tally.week, context.nowMs);
  advanceErrorFigures(tally.errors, context.nowMs);
  forgetUnpaired(tally.unpaired, context.nowMs - KEEP_UNPAIRED_MS);
}

/** Keeps a full pass of a large memory from holding every single row it ever saw. */
export function trimUnpaired(tally: Tally): void {
  const last = tally.tasks.lastTaskMs;
  if (tally.unpaired.count > MANY_UNPAIRED && last !== undefined)
    forgetUnpaired(tally.unpaired, last - KEEP_UNPAIRED_MS);
}

function feedEnding(tally: Tally, task: Task, context: TallyContext): void {
  noteEnding(tally.failedTasks, task);
  const mate = takeMate(tally.unpaired, task);
  if (mate) {
    const pair = mergePair(mate.task, task);
    if (mate.isCounted) recount(tally, mate, pair, context);
    mate.task = pair;
    return;
  }
  const open: OpenTask = { task, isCounted: false, dueMs: dueMsOf(task, context), start: undefined };
  addPending(tally.pending, open);
  addUnpaired(tally.unpaired, open);
}

function feedOther(tally: Tally, row: EventRow): void {
  if (row.eventType === 'task_retry') {
    if (row.taskId !== undefined) countRetry(tally.week, row.taskId);
    if (row.errorMessage !== undefined) countError(tally.errors, row.errorMessage, row.timeMs);
    if (tally.kept) keepRetry(tally.kept, row);
  } else if (row.eventType === 'fix') {
    if (row.parentTaskId !== undefined) countFix(tally.week, row.parentTaskId);
  } else {
    noteStart(tally.started, row);
  }
}

/** Puts a task in its place; nearly always that is the end. */
function addPending(pending: OpenTask[], open: OpenTask): void {
  let at = pending.length;
  while (at > 0 && pending[at - 1].dueMs > open.dueMs) at -= 1;
  if (at === pending.length) pending.push(open);
  else pending.splice(at, 0, open);
}

/** Counts what is due, among rows up to a rowid. */
function countSettled(tally: Tally, context: TallyContext, upToRowid: number): void {
  const { pending } = tally;
  let due = 0;
  while (due < pending.length && pending[due].dueMs <= context.monotonicMs && pending[due].task.rowid <= upToRowid) {
    count(tally, pending[due], context);
    due += 1;
  }
  if (due > 0) pending.splice(0, due);
}

/**
 * When a task may be counted: 3 s after its time or after it was first seen, whichever is earlier; at once if it has no
 * time, or no session to pair by.
 */
function dueMsOf(task: Task, { nowMs, monotonicMs, seenUpToRowid }: TallyContext): number {
  const isKnown = task.rowid <= seenUpToRowid;
  if (isKnown || task.timeMs === undefined || task.sessionId === undefined) return Number.NEGATIVE_INFINITY;
  const ageMs = Math.max(0, nowMs - task.timeMs);
  return ageMs >= SETTLE_MS ? Number.NEGATIVE_INFINITY : monotonicMs + SETTLE_MS - ageMs;
}

function count(tally: Tally, open: OpenTask, context: TallyContext): void {
  open.isCounted = true;
  countFigures(tally, open.task, context, 1);
  open.start = noteEnd(tally.started, open.task);
}

/** The other row came after the task was counted: it is still one task. */
function recount(tally: Tally, single: OpenTask, pair: Task, context: TallyContext): void {
  countFigures(tally, single.task, context, -1);
  countFigures(tally, pair, context, 1);
  reopenStart(tally.started, single.start);
  single.start = noteEnd(tally.started, pair);
}

function countFigures(tally: Tally, task: Task, context: TallyContext, sign: 1 | -1): void {
  countTask(tally.tasks, task, sign);
  countWeekTask(tally.week, task, context.manualMinutes, sign);
  if (task.errorMessage !== undefined) countError(tally.errors, task.errorMessage, task.timeMs, sign);
  if (tally.kept) keepTask(tally.kept, task, sign);
}
