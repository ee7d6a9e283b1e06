import type { Database } from 'better-sqlite3';
import type { MemorySchema } from './schema.ts';
import type { TimestampParser } from './timestamps.ts';

/** One row of swarm_events, each value brought to one type; `undefined` for NULL, empty or of the wrong kind. */
export interface EventRow {
  readonly rowid: number;
  /** Milliseconds since the epoch; undefined if unreadable or more than 5 minutes in the future. */
  readonly timeMs: number | undefined;
  /** Set if the only reason for having no time is that it lies in the future. */
  readonly futureMs: number | undefined;
  readonly eventType: string;
  readonly id: string | undefined;
  readonly agentName: string | undefined;
  readonly sessionId: string | undefined;
  readonly taskId: string | undefined;
  readonly parentTaskId: string | undefined;
  readonly taskStatus: string | undefined;
  readonly success: unknown;
  readonly durationMs: number | undefined;
  readonly errorMessage: string | undefined;
  readonly project: string | undefined;
  readonly tags: string | undefined;
  /** `agent_id` inside notes that are valid JSON; only read for rows younger than `detailsAfterMs`. */
  readonly agentRunId: string | undefined;
}

/** A clock that is ahead of ours by less than this is still believed (swarm-memory.md, rule 2). */
export const FUTURE_TOLERANCE_MS = 300_000;

/** Longer than 48 days is no duration of a task. */
const LONGEST_DURATION_MS = 2 ** 32 - 2;

/** What a reading of rows needs to know besides the database. */
export interface RowReading {
  readonly schema: MemorySchema;
  readonly parser: TimestampParser;
  readonly nowMs: number;
  /** Rows older than this are read without their notes, which only the newest figures need. */
  readonly detailsAfterMs: number;
}

/** The statement behind `readEventRows`, with NULL for the columns this memory does not have. */
export function eventRowsSql(schema: MemorySchema): string {
  const column = (name: string): string => (schema.events.has(name) ? `"${name}"` : 'NULL');
  const runId = schema.events.has('notes')
    ? `CASE WHEN ${schema.events.has('created_at') ? "COALESCE(NULLIF(created_at, ''), timestamp)" : 'timestamp'} >= ?
        AND json_valid(notes) THEN json_extract(notes, '$.agent_id') END`
    : 'CASE WHEN ? THEN NULL END';
  return `SELECT rowid, ${column('created_at')}, timestamp, event_type, ${column('id')}, ${column('agent_name')},
      ${column('session_id')}, ${column('task_id')}, ${column('parent_task_id')}, ${column('task_status')},
      ${column('success')}, ${column('duration_ms')}, ${column('error_message')}, ${column('project')},
      ${column('tags')}, ${runId}
    FROM swarm_events WHERE rowid > ? ORDER BY rowid LIMIT ?`;
}

/** Up to `limit` rows after rowid `after`, in rowid order. */
export function readEventRows(db: Database, reading: RowReading, after: number, limit: number): EventRow[] {
  // The text of a date orders as the date does, whatever the form, as long as a day is left for offsets.
  const detailsAfter = new Date(reading.detailsAfterMs).toISOString().slice(0, 10);
  const rows = db.prepare(eventRowsSql(reading.schema)).raw().all(detailsAfter, after, limit) as unknown[][];
  return rows.map((row) => toEventRow(row, reading));
}

function toEventRow(row: readonly unknown[], reading: RowReading): EventRow {
  const [rowid, createdAt, timestamp, eventType, id, agent, session, task, parent, status, success, duration, error] =
    row;
  const statedMs =
    createdAt === null || createdAt === '' ? reading.parser.timestamp(timestamp) : reading.parser.createdAt(createdAt);
  const isFuture = statedMs !== undefined && statedMs > reading.nowMs + FUTURE_TOLERANCE_MS;
  return {
    rowid: rowid as number,
    timeMs: isFuture ? undefined : statedMs,
    futureMs: isFuture ? statedMs : undefined,
    eventType: typeof eventType === 'string' ? eventType.toLowerCase() : '',
    id: text(id),
    agentName: text(agent),
    sessionId: text(session),
    taskId: text(task),
    parentTaskId: text(parent),
    taskStatus: text(status),
    success,
    durationMs: toDuration(duration),
    errorMessage: text(error),
    project: text(row[13]),
    tags: text(row[14]),
    agentRunId: text(row[15]),
  };
}

function text(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

function toDuration(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= LONGEST_DURATION_MS ? Math.round(value) : undefined;
}
