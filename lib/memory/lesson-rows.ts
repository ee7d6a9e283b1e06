import type { Database } from 'better-sqlite3';
import { trimmedText } from './event-rows.ts';
import type { MemorySchema } from './schema.ts';
import type { TimestampParser } from './timestamps.ts';

/** A lesson; text is from outside, cut, and undefined where the row or the memory has none. */
export interface LessonRow {
  readonly id: string | undefined;
  /** Milliseconds since 1970; undefined if unreadable. */
  readonly writtenMs: number | undefined;
  readonly context: string | undefined;
  readonly problem: string | undefined;
  readonly solution: string | undefined;
  readonly pattern: string | undefined;
  readonly severity: string | undefined;
  /** In capitals; undefined in a memory whose lessons have no status (state A). */
  readonly status: string | undefined;
  readonly timesApplied: number;
  readonly lastAppliedMs: number | undefined;
}

const MOST_ROWS = 5_000;
const LONGEST_TEXT = 1_000;
const TEXTS = ['context', 'problem', 'solution', 'pattern', 'severity', 'status'];
const TIMES = ['timestamp', 'created_at', 'last_applied'];

/** Reads the lessons of an open memory, the latest written 5,000 of more, in the order in which they were written. */
export function readLessonRows(db: Database, { lessons }: MemorySchema, parser: TimestampParser): readonly LessonRow[] {
  const column = (name: string, length = LONGEST_TEXT): string =>
    lessons.has(name) ? `substr("${name}", 1, ${length}) AS "${name}"` : `NULL AS "${name}"`;
  const applied = lessons.has('times_applied') ? 'times_applied' : '0 AS times_applied';
  const columns = [...['id', ...TEXTS, ...TIMES].map((name) => column(name)), applied];
  const sql = `SELECT ${columns.join(', ')} FROM lessons_learned ORDER BY rowid DESC LIMIT ${MOST_ROWS}`;
  const rows = db.prepare<[], Record<string, unknown>>(sql).all();
  return rows.reverse().map((row) => ({
    id: trimmedText(row.id),
    writtenMs: parser.createdAt(row.created_at) ?? parser.timestamp(row.timestamp),
    context: trimmedText(row.context),
    problem: trimmedText(row.problem),
    solution: trimmedText(row.solution),
    pattern: trimmedText(row.pattern),
    severity: trimmedText(row.severity)?.toUpperCase(),
    status: lessons.has('status') ? (trimmedText(row.status)?.toUpperCase() ?? '') : undefined,
    timesApplied: Number.isInteger(row.times_applied) ? Math.max(0, row.times_applied as number) : 0,
    lastAppliedMs: parser.timestamp(row.last_applied),
  }));
}
