import type { Database } from 'better-sqlite3';
import { archivePlace, memoryPlace, type RowPlace, trimmedText } from './event-rows.ts';
import { type MemorySchema, probeSchema } from './schema.ts';
import { readMemory } from './source.ts';
import { type EndingKind, endingKind, type Outcome, outcomeOf } from './task.ts';
import { createTimestampParser, type TimestampParser } from './timestamps.ts';

/** A row of swarm_events that has to do with one task; `undefined` for what it does not say. */
export interface TaskEventRow {
  readonly rowid: number;
  /** When what it tells of happened, milliseconds since 1970; undefined if unreadable. */
  readonly atMs: number | undefined;
  readonly id: string | undefined;
  readonly eventType: string;
  /** Undefined for a row that ends no task. */
  readonly ending: EndingKind | undefined;
  readonly outcome: Outcome;
  readonly agent: string | undefined;
  readonly project: string | undefined;
  readonly taskId: string | undefined;
  readonly parentTaskId: string | undefined;
  readonly sessionId: string | undefined;
  readonly status: string | undefined;
  readonly durationMs: number | undefined;
  readonly error: string | undefined;
  readonly prompt: string | undefined;
  /** Empty unless notes are a JSON object. */
  readonly notes: Readonly<Record<string, unknown>>;
}

/** A row of task_usage; numbers that are none are 0. */
export interface TaskUsageRow {
  readonly atMs: number | undefined;
  readonly attempt: number;
  readonly model: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheCreationTokens: number;
  readonly costUsd: number;
}

/** What a memory knows of one id. */
export interface TaskRows {
  /** Rows of that id: a task's, the row's own, or those of a hook's agent id. */
  readonly own: readonly TaskEventRow[];
  /** Rows that name it, or one of its own rows, as the one they follow: fixes, follow-ups. */
  readonly following: readonly TaskEventRow[];
  readonly usage: readonly TaskUsageRow[];
}

export interface TaskRowsOptions {
  readonly path: string;
  /** Of local timestamps without an offset. */
  readonly timezone: string;
  /** Of a task, of a row, or a hook's agent id; not empty. */
  readonly id: string;
}

const MOST_ROWS = 500;
const LONGEST_TEXT = 20_000;
const HAS_ZONE = /(?:Z|[+-]\d\d:?\d\d)$/i;

/**
 * Reads every row that has to do with an id, without reading the rest of the memory into figures first.
 * @throws MemoryError saying why the memory cannot be read.
 */
export async function readTaskRows({ path, timezone, id }: TaskRowsOptions): Promise<TaskRows> {
  const parser = createTimestampParser(timezone);
  return await readMemory(path, ({ db, archives }) => {
    const schema = probeSchema(db);
    const places = [...archives.map(archivePlace), memoryPlace(schema, archives)];
    const own = places.flatMap((place) => readEventRows({ db, place, parser }, ownRows(place), { id }));
    const ids = JSON.stringify([id, ...own.flatMap((row) => row.id ?? [])]);
    const following = places.flatMap((place) => readEventRows({ db, place, parser }, followingRows(place), { ids }));
    const known = new Set(own.map(({ rowid }) => rowid));
    return {
      own,
      following: following.filter(({ rowid }) => !known.has(rowid)),
      usage: readUsage(db, schema, parser, id),
    };
  });
}

/** Looking for the id in the text first spares parsing the notes of every row. */
function ownRows({ columns }: RowPlace): string {
  return [
    ...['id', 'task_id'].filter((column) => columns.has(column)).map((column) => `${column} = @id`),
    ...(columns.has('notes') ? [`CASE WHEN instr(notes, @id) > 0 THEN ${ofNotes('agent_id')} = @id END`] : []),
    '0',
  ].join(' OR ');
}

/** A memory of nine columns has a fix's target in its notes alone. */
function followingRows({ columns }: RowPlace): string {
  const isOneOfThem = 'IN (SELECT value FROM json_each(@ids))';
  if (columns.has('parent_task_id')) return `parent_task_id ${isOneOfThem}`;
  return columns.has('notes') ? `event_type = 'fix' AND ${ofNotes('fixes')} ${isOneOfThem}` : '0';
}

function ofNotes(field: string): string {
  return `CASE WHEN json_valid(notes) THEN json_extract(notes, '$.${field}') END`;
}

/** An open memory, and what it takes to read its rows. */
export interface RowReader {
  readonly db: Database;
  readonly place: RowPlace;
  readonly parser: TimestampParser;
}

/** Reads the rows of swarm_events that meet a condition in SQL; `ending` is the clause behind it, at most 500 rows by default. */
export function readEventRows(
  { db, place: { table, columns, rowid, isElsewhere }, parser }: RowReader,
  condition: string,
  parameters: Readonly<Record<string, string>>,
  ending = `ORDER BY rowid LIMIT ${MOST_ROWS}`,
): TaskEventRow[] {
  const column = (name: string): string => (columns.has(name) ? name : `NULL AS ${name}`);
  const text = (name: string): string =>
    columns.has(name) ? `substr(${name}, 1, ${LONGEST_TEXT}) AS ${name}` : `NULL AS ${name}`;
  const short = ['id', 'timestamp', 'created_at', 'event_type', 'agent_name', 'project', 'task_id', 'parent_task_id'];
  const more = ['session_id', 'task_status', 'error_message', 'task_description', 'notes'];
  const sql = `SELECT ${rowid} AS rowid, ${[...[...short, ...more].map(text), column('success'), column('duration_ms')].join(', ')}
    FROM ${table} WHERE (${condition}) AND NOT (${isElsewhere}) ${ending}`;
  const rows = db.prepare<[Readonly<Record<string, string>>], Record<string, unknown>>(sql).all(parameters);
  return rows.map((row) => toEventRow(row, parser));
}

function toEventRow(row: Readonly<Record<string, unknown>>, parser: TimestampParser): TaskEventRow {
  const eventType = (trimmedText(row.event_type) ?? '').toLowerCase();
  const status = trimmedText(row.task_status);
  return {
    rowid: row.rowid as number,
    atMs: timeOf(row, parser),
    id: trimmedText(row.id),
    eventType,
    ending: endingKind(eventType),
    outcome: outcomeOf({ success: row.success, eventType, taskStatus: status }),
    agent: trimmedText(row.agent_name),
    project: trimmedText(row.project),
    taskId: trimmedText(row.task_id),
    parentTaskId: trimmedText(row.parent_task_id),
    sessionId: trimmedText(row.session_id),
    status,
    durationMs: typeof row.duration_ms === 'number' && row.duration_ms >= 0 ? row.duration_ms : undefined,
    error: trimmedText(row.error_message),
    prompt: trimmedText(row.task_description),
    notes: parseNotes(row.notes),
  };
}

/**
 * The time of the event where it is stated beyond doubt, to the millisecond: figures go by created_at, which is uniform, but
 * of whole seconds, and says when the row was written.
 */
function timeOf({ timestamp, created_at }: Readonly<Record<string, unknown>>, parser: TimestampParser) {
  const stated = parser.timestamp(timestamp);
  if (stated !== undefined && HAS_ZONE.test(String(timestamp))) return stated;
  return parser.createdAt(created_at) ?? stated;
}

function parseNotes(notes: unknown): Readonly<Record<string, unknown>> {
  if (typeof notes !== 'string' || !notes.trimStart().startsWith('{')) return {};
  try {
    return JSON.parse(notes) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function readUsage(db: Database, { usage }: MemorySchema, parser: TimestampParser, id: string): TaskUsageRow[] {
  if (!usage.has('task_id')) return [];
  const rows = db
    .prepare<[string], Record<string, unknown>>(`SELECT * FROM task_usage WHERE task_id = ? LIMIT ${MOST_ROWS}`)
    .all(id);
  const amount = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : 0);
  return rows.map((row) => ({
    atMs: parser.timestamp(row.ended_at),
    attempt: amount(row.attempt),
    model: trimmedText(row.model) ?? 'unknown',
    inputTokens: amount(row.input_tokens),
    outputTokens: amount(row.output_tokens),
    cacheReadTokens: amount(row.cache_read_tokens),
    cacheCreationTokens: amount(row.cache_creation_tokens),
    costUsd: amount(row.cost_usd),
  }));
}
