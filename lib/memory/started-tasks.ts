import type { EventRow } from './event-rows.ts';
import type { Task } from './task.ts';

/** A row that says a task began. */
export interface Start {
  readonly rowid: number;
  readonly agent: string | undefined;
  readonly taskId: string | undefined;
  readonly sessionId: string | undefined;
  readonly timeMs: number | undefined;
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
  const { rowid, agentName: agent, taskId, sessionId, timeMs } = row;
  if (taskId !== undefined) close(started, started.byTaskId.get(taskId));
  open(started, { rowid, agent, taskId, sessionId, timeMs });
}

/**
 * A task ended: takes away the start row it belongs to, by task id, else the earliest of its session and agent, and
 * returns it. A start row written after the task's own cannot be meant.
 */
export function noteEnd(started: StartedTasks, task: Task): Start | undefined {
  if (started.byTaskId.size === 0 && started.bySession.size === 0) return undefined;
  const byId = task.taskId === undefined ? undefined : started.byTaskId.get(task.taskId);
  const ofSession = task.sessionId === undefined ? [] : (started.bySession.get(task.sessionId) ?? []);
  const start = [byId, ...ofSession].find((each) => each && each.rowid < task.rowid && mayBeStartOf(each, task));
  close(started, start);
  return start;
}

/** Takes back what `noteEnd` did: the task turned out to be another agent's. */
export function reopenStart(started: StartedTasks, start: Start | undefined): void {
  if (!start) return;
  open(started, start);
}

/** How many are under way, and when the oldest of those with a time began. */
export function tasksInProgress(started: StartedTasks): {
  readonly count: number;
  readonly oldestMs: number | undefined;
} {
  const starts = new Set([...started.byTaskId.values(), ...[...started.bySession.values()].flat()]);
  const times = [...starts].flatMap((start) => start.timeMs ?? []);
  return { count: starts.size, oldestMs: times.length === 0 ? undefined : Math.min(...times) };
}

function mayBeStartOf(start: Start, task: Task): boolean {
  if (start.taskId !== undefined && task.taskId !== undefined) return start.taskId === task.taskId;
  const isNameless = task.agent === 'subagent' || task.agent === 'unknown' || start.agent === undefined;
  return isNameless || start.agent === task.agent;
}

function open(started: StartedTasks, start: Start): void {
  if (start.taskId !== undefined) started.byTaskId.set(start.taskId, start);
  if (start.sessionId === undefined) return;
  const ofSession = started.bySession.get(start.sessionId) ?? [];
  if (ofSession.length >= MAX_PER_SESSION) close(started, ofSession[0]);
  const others = started.bySession.get(start.sessionId) ?? [];
  started.bySession.set(
    start.sessionId,
    [...others, start].sort((one, other) => one.rowid - other.rowid),
  );
}

function close(started: StartedTasks, start: Start | undefined): void {
  if (!start) return;
  if (start.taskId !== undefined && started.byTaskId.get(start.taskId) === start) started.byTaskId.delete(start.taskId);
  if (start.sessionId === undefined) return;
  const left = (started.bySession.get(start.sessionId) ?? []).filter((each) => each !== start);
  if (left.length === 0) started.bySession.delete(start.sessionId);
  else started.bySession.set(start.sessionId, left);
}
