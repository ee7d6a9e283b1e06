import type { EventRow } from './event-rows.ts';
import type { Task } from './task.ts';

/** A row that says a task began. */
interface Start {
  readonly agent: string | undefined;
  readonly taskId: string | undefined;
  readonly timeMs: number | undefined;
  hasEnded: boolean;
}

/** Start rows that no task has ended yet, found by task id or by session and agent. Plain data. */
export interface StartedTasks {
  readonly byTaskId: Map<string, Start>;
  readonly bySession: Map<string, Start[]>;
}

const START_TYPES = new Set(['task_start', 'task_started']);
/** No session has more tasks under way; the oldest beyond that were never going to be ended. */
const MAX_PER_SESSION = 200;

/** No task under way. */
export function createStartedTasks(): StartedTasks {
  return { byTaskId: new Map(), bySession: new Map() };
}

/** Notes a start row; one with neither task id nor session could never be ended and is passed over. */
export function noteStart(started: StartedTasks, row: EventRow): void {
  if (!START_TYPES.has(row.eventType)) return;
  const start = { agent: row.agentName, taskId: row.taskId, timeMs: row.timeMs, hasEnded: false };
  if (row.taskId !== undefined) started.byTaskId.set(row.taskId, start);
  if (row.sessionId === undefined) return;
  const ofSession = started.bySession.get(row.sessionId) ?? [];
  if (ofSession.length >= MAX_PER_SESSION) forget(started, ofSession.shift());
  ofSession.push(start);
  started.bySession.set(row.sessionId, ofSession);
}

/** A task ended: takes away the start it belongs to, by task id, else the earliest of its session and agent. */
export function noteEnd(started: StartedTasks, task: Task): void {
  const byId = task.taskId === undefined ? undefined : started.byTaskId.get(task.taskId);
  const ofSession = task.sessionId === undefined ? undefined : started.bySession.get(task.sessionId);
  const start = byId ?? ofSession?.find((each) => mayBeStartOf(each, task));
  if (!start) return;
  forget(started, start);
  if (!ofSession || task.sessionId === undefined) return;
  const left = ofSession.filter((each) => !each.hasEnded);
  if (left.length === 0) started.bySession.delete(task.sessionId);
  else started.bySession.set(task.sessionId, left);
}

/** How many are under way, and when the oldest of those with a time began. */
export function tasksInProgress(started: StartedTasks): {
  readonly count: number;
  readonly oldestMs: number | undefined;
} {
  const open = new Set<Start>();
  for (const start of [...started.byTaskId.values(), ...[...started.bySession.values()].flat()]) {
    if (!start.hasEnded) open.add(start);
  }
  const times = [...open].flatMap((start) => start.timeMs ?? []);
  return { count: open.size, oldestMs: times.length === 0 ? undefined : Math.min(...times) };
}

function mayBeStartOf(start: Start, task: Task): boolean {
  if (start.hasEnded || (start.taskId !== undefined && task.taskId !== undefined)) return false;
  const isNameless = task.agent === 'subagent' || task.agent === 'unknown' || start.agent === undefined;
  return isNameless || start.agent === task.agent;
}

function forget(started: StartedTasks, start: Start | undefined): void {
  if (!start) return;
  start.hasEnded = true;
  if (start.taskId !== undefined && started.byTaskId.get(start.taskId) === start) started.byTaskId.delete(start.taskId);
}
