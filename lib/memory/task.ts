import type { EventRow } from './event-rows.ts';
import { idHash, NO_ID, shortHash } from './text-hash.ts';

/** How a task ended, as far as anybody wrote it down. The order is the one of every array indexed by outcome. */
export const OUTCOMES = ['success', 'failed', 'unknown'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Which hook wrote an ending row: one run often leaves one of each. */
export type EndingKind = 'stop' | 'task';

/** One agent run: one ending row, or two that pair (swarm-memory.md, "What counts as a task"). */
export interface Task {
  readonly kind: EndingKind | 'pair';
  /** Rowid of the first of its rows. */
  readonly rowid: number;
  readonly timeMs: number | undefined;
  readonly agent: string;
  readonly project: string;
  readonly outcome: Outcome;
  readonly durationMs: number | undefined;
  readonly errorMessage: string | undefined;
  readonly sessionId: string | undefined;
  readonly taskId: string | undefined;
  /** Hashes of ids (`idHash`): the task's, the hook's agent id, and those of its rows; only a pair has a second. */
  readonly taskIdHash: number;
  readonly agentRunHash: number;
  readonly idHash: number;
  readonly mateIdHash: number;
  /** Carries the tag `autonomous` and none that says a person had to approve it. */
  readonly isAutonomous: boolean;
  /** Done from our queue, by our orchestrator, which always writes how it ended. */
  readonly isQueued: boolean;
  /** Rows written by our orchestrator stand alone. */
  readonly mayPair: boolean;
  /** 32 bits that are the same for the same session; 0 for a task that cannot pair. */
  readonly sessionHash: number;
}

const STOP_TYPE = 'subagent_stop';
const FAILED_TYPES = new Set(['task_failed', 'task_fail', 'task_error', 'task_timeout']);
const TASK_TYPES = new Set(['task_complete', 'task_completed', 'task_success', ...FAILED_TYPES]);
/** Types of rows that end a task, in lower case. */
export const ENDING_TYPES: readonly string[] = [...TASK_TYPES, STOP_TYPE];
const FAILED_STATUS = new Set(['failed', 'fail', 'error', 'timeout']);
const SUCCESS_STATUS = new Set(['success', 'succeeded']);
const APPROVAL_TAGS = new Set(['approval', 'approved', 'needs-approval']);

/** The kind of an ending row, or undefined if the row ends nothing. */
export function endingKind(eventType: string): EndingKind | undefined {
  if (TASK_TYPES.has(eventType)) return 'task';
  return eventType === STOP_TYPE ? 'stop' : undefined;
}

/** The outcome one row states. `completed` on a stop row only says that it stopped. */
export function outcomeOf(row: Pick<EventRow, 'success' | 'eventType' | 'taskStatus'>): Outcome {
  if (row.success === 1) return 'success';
  if (row.success === 0) return 'failed';
  const status = row.taskStatus?.toLowerCase() ?? '';
  if (FAILED_TYPES.has(row.eventType) || FAILED_STATUS.has(status)) return 'failed';
  return row.eventType === 'task_success' || SUCCESS_STATUS.has(status) ? 'success' : 'unknown';
}

const NO_TAGS: readonly string[] = [];

/** Tags as a JSON array or as comma-separated words. */
export function parseTags(tags: string | undefined): readonly string[] {
  if (tags === undefined) return NO_TAGS;
  if (tags.trimStart().startsWith('[')) {
    try {
      const parsed: unknown = JSON.parse(tags);
      return Array.isArray(parsed) ? parsed.map((tag) => String(tag).trim()) : [];
    } catch {
      return [];
    }
  }
  return tags.split(',').map((tag) => tag.trim());
}

/** The task a single ending row makes. */
export function taskOfRow(row: EventRow, kind: EndingKind): Task {
  const tags = parseTags(row.tags);
  const isAutonomous = tags.includes('autonomous');
  const isOurs = isAutonomous || tags.includes('orchestrated');
  const mayPair = row.sessionId !== undefined && row.timeMs !== undefined && !isOurs;
  return {
    kind,
    rowid: row.rowid,
    timeMs: row.timeMs,
    agent: row.agentName ?? 'unknown',
    project: row.project ?? 'unknown',
    outcome: outcomeOf(row),
    durationMs: row.durationMs,
    errorMessage: row.errorMessage,
    sessionId: row.sessionId,
    taskId: row.taskId,
    taskIdHash: idHash(row.taskId),
    agentRunHash: idHash(row.agentRunId),
    idHash: idHash(row.id),
    mateIdHash: NO_ID,
    isAutonomous: isAutonomous && !tags.some((tag) => APPROVAL_TAGS.has(tag)),
    isQueued: isOurs,
    mayPair,
    sessionHash: mayPair ? shortHash(row.sessionId ?? '') : 0,
  };
}

const PAIR_WITHIN_MS = 2_000;

/** What tells whether two rows are of one run. */
type Half = Pick<Task, 'kind' | 'sessionId' | 'timeMs' | 'agent'>;

/** Whether two single tasks are the two rows of one run. */
export function isPair(one: Half, other: Half): boolean {
  if (one.kind === other.kind || one.sessionId !== other.sessionId) return false;
  if (one.timeMs === undefined || other.timeMs === undefined) return false;
  if (Math.abs(one.timeMs - other.timeMs) > PAIR_WITHIN_MS) return false;
  const stop = one.kind === 'stop' ? one : other;
  return stop.agent === 'subagent' || stop.agent === 'unknown' || one.agent === other.agent;
}

/** The one task two paired rows make: what the `task_*` row knows comes first, the time is the later. */
export function mergePair(one: Task, other: Task): Task {
  const [task, stop] = one.kind === 'task' ? [one, other] : [other, one];
  return {
    kind: 'pair',
    rowid: Math.min(one.rowid, other.rowid),
    timeMs: Math.max(one.timeMs ?? 0, other.timeMs ?? 0),
    agent: task.agent,
    project: task.project === 'unknown' ? stop.project : task.project,
    outcome: task.outcome === 'unknown' ? stop.outcome : task.outcome,
    durationMs: task.durationMs ?? stop.durationMs,
    errorMessage: task.errorMessage ?? stop.errorMessage,
    sessionId: task.sessionId,
    taskId: task.taskId ?? stop.taskId,
    taskIdHash: task.taskIdHash || stop.taskIdHash,
    agentRunHash: task.agentRunHash || stop.agentRunHash,
    idHash: task.idHash,
    mateIdHash: stop.idHash,
    isAutonomous: false,
    isQueued: false,
    mayPair: false,
    sessionHash: task.sessionHash,
  };
}
