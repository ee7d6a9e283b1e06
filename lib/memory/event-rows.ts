import type { Database } from 'better-sqlite3';
import { ARCHIVED_ROWID, type AttachedArchive, isArchivedRowid, isInArchive, positionAfter } from './archive-rows.ts';
import type { MemorySchema } from './schema.ts';
import type { TimestampParser } from './timestamps.ts';

/** One row of swarm_events, each value brought to one type and trimmed; `undefined` for NULL, empty or of the wrong kind. */
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
  /** Set for a row of the memory that was counted already, as one of an archive. */
  readonly isInArchive?: true;
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
  /** Attached to the database; their rows come first. */
  readonly archives?: readonly AttachedArchive[];
}

/** Where rows are read: in the memory itself, or in an archive of it. */
export interface RowPlace {
  readonly table: string;
  readonly columns: ReadonlySet<string>;
  /** What its rows are numbered by, and under which number they are read. */
  readonly key: string;
  readonly rowid: string;
  /** Whether a row counts elsewhere. */
  readonly isElsewhere: string;
}

/**
 * The statement behind `readEventRows`, with NULL for the columns this memory does not have. What is only wanted of the
 * newest rows, or of rows without created_at, is left out of the others: every text costs time.
 */
export function eventRowsSql(schema: MemorySchema): string {
  return sqlOf(memoryPlace(schema, []));
}

/** The memory itself, without what its archives have too. */
export function memoryPlace({ events }: MemorySchema, archives: readonly AttachedArchive[]): RowPlace {
  const isElsewhere = isInArchive(archives, 'swarm_events.id');
  return { table: 'main.swarm_events', columns: events, key: 'rowid', rowid: 'rowid', isElsewhere };
}

export function archivePlace({ name, columns }: AttachedArchive): RowPlace {
  return { table: `${name}.swarm_events`, columns, key: 'position', rowid: ARCHIVED_ROWID, isElsewhere: '0' };
}

function sqlOf({ table, columns, key, rowid, isElsewhere }: RowPlace): string {
  const column = (name: string): string => (columns.has(name) ? `"${name}"` : 'NULL');
  const hasCreatedAt = columns.has('created_at');
  const writtenAt = hasCreatedAt ? "COALESCE(NULLIF(created_at, ''), timestamp)" : 'timestamp';
  const ofNewest = (expression: string): string => `CASE WHEN ${writtenAt} >= @detailsAfter THEN ${expression} END`;
  const runId = columns.has('notes')
    ? "CASE WHEN json_valid(notes) THEN json_extract(notes, '$.agent_id') END"
    : 'NULL';
  return `SELECT ${rowid}, ${column('created_at')},
      ${hasCreatedAt ? "CASE WHEN created_at IS NULL OR created_at = '' THEN timestamp END" : 'timestamp'},
      event_type, ${ofNewest(column('id'))}, ${column('agent_name')}, ${column('session_id')}, ${column('task_id')},
      ${column('parent_task_id')}, ${column('task_status')}, ${column('success')}, ${column('duration_ms')},
      ${column('error_message')}, ${column('project')}, ${column('tags')}, ${ofNewest(runId)}, ${isElsewhere}
    FROM ${table} WHERE ${key} > @after ORDER BY ${key} LIMIT @limit`;
}

/** The parameters of `eventRowsSql`. */
export interface RowRange {
  readonly detailsAfter: string;
  readonly after: number;
  readonly limit: number;
}

/** A reader of rows in rowid order, prepared once for a transaction: `limit` rows at most after rowid `after`. */
export function prepareEventRows(db: Database, reading: RowReading): (after: number, limit: number) => EventRow[] {
  // The text of a date orders as the date does, whatever the form, as long as a day is left for offsets.
  const detailsAfter = new Date(reading.detailsAfterMs).toISOString().slice(0, 10);
  const { schema, archives = [] } = reading;
  const prepare = (place: RowPlace) => db.prepare<RowRange>(sqlOf(place)).raw();
  const ofMemory = prepare(memoryPlace(schema, archives));
  const ofArchives = archives.map((archive) => prepare(archivePlace(archive)));
  return (after, limit) => {
    const rows: unknown[][] = [];
    for (const statement of isArchivedRowid(after) ? ofArchives : []) {
      const range = { detailsAfter, after: positionAfter(after), limit: limit - rows.length };
      rows.push(...(statement.all(range) as unknown[][]));
    }
    if (rows.length < limit)
      rows.push(...(ofMemory.all({ detailsAfter, after, limit: limit - rows.length }) as unknown[][]));
    return rows.map((row) => toEventRow(row, reading));
  };
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
    eventType: lowerCase(eventType),
    id: trimmedText(id),
    agentName: intern(trimmedText(agent)),
    sessionId: trimmedText(session),
    taskId: trimmedText(task),
    parentTaskId: trimmedText(parent),
    taskStatus: trimmedText(status),
    success,
    durationMs: toDuration(duration),
    errorMessage: trimmedText(error),
    project: intern(trimmedText(row[13])),
    tags: trimmedText(row[14]),
    agentRunId: trimmedText(row[15]),
    ...(row[16] === 1 ? { isInArchive: true } : {}),
  };
}

/**
 * Text without blanks around it; undefined if nothing is left or it is none. Looking at both ends is much cheaper than
 * trimming what needs no trimming.
 */
export function trimmedText(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string' || value === '') return undefined;
  if (isVisible(value.charCodeAt(0)) && isVisible(value.charCodeAt(value.length - 1))) return value;
  return value.trim() || undefined;
}

function isVisible(code: number): boolean {
  return code > 32 && code < 127;
}

const MAX_INTERNED = 1_000;
const MAX_INTERNED_LENGTH = 100;
const interned = new Map<string, string>();
const lowerCased = new Map<string, string>();

/** The same string object for the same text: maps then need not hash it again and again. */
function intern(value: string | undefined): string | undefined {
  if (value === undefined || value.length > MAX_INTERNED_LENGTH) return value;
  return interned.get(value) ?? remember(interned, value, value);
}

function lowerCase(value: unknown): string {
  if (typeof value !== 'string' || value.length > MAX_INTERNED_LENGTH) return '';
  return lowerCased.get(value) ?? remember(lowerCased, value, value.toLowerCase());
}

function remember(known: Map<string, string>, key: string, value: string): string {
  if (known.size >= MAX_INTERNED) known.clear();
  known.set(key, value);
  return value;
}

function toDuration(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= LONGEST_DURATION_MS ? Math.round(value) : undefined;
}
