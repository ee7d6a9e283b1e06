import { archivePlace, memoryPlace, type RowPlace } from './event-rows.ts';
import { type LessonRow, readLessonRows } from './lesson-rows.ts';
import { probeSchema } from './schema.ts';
import { readMemory } from './source.ts';
import { ENDING_TYPES, isPair } from './task.ts';
import { readEventRows, type TaskEventRow } from './task-rows.ts';
import { createTimestampParser } from './timestamps.ts';

/** What to look for, and in which memory. */
export interface SearchOptions {
  readonly path: string;
  readonly timezone: string;
  /** Words that must all occur, each anywhere; case and accents do not matter. */
  readonly text: string;
  /** So many lessons, and so many tasks, at most. */
  readonly limit: number;
}

/** What was found, the latest first. */
export interface Findings {
  readonly lessons: readonly LessonRow[];
  readonly tasks: readonly TaskEventRow[];
}

/** The texts of a task that are looked through. */
const SEARCHED = ['task_description', 'error_message', 'agent_name', 'project', 'task_id', 'task_status', 'notes'];
const LONGEST_TEXT = 20_000;

/**
 * Looks through lessons and the tasks that ended, row by row from the latest: nothing is written for it into the memory.
 * @throws MemoryError saying why the memory cannot be read.
 */
export async function searchMemory({ path, timezone, text, limit }: SearchOptions): Promise<Findings> {
  const parser = createTimestampParser(timezone);
  const words = fold(text).split(/\s+/).filter(Boolean);
  const hasWords = (found: unknown): boolean => {
    const folded = fold(String(found));
    return words.every((word) => folded.includes(word));
  };
  return await readMemory(path, ({ db, archives }) => {
    const schema = probeSchema(db);
    db.function('has_words', { deterministic: true }, (found: unknown) => (hasWords(found) ? 1 : 0));
    const types = JSON.stringify(ENDING_TYPES);
    // A run may have left two rows.
    const ending = `ORDER BY rowid DESC LIMIT ${limit * 2}`;
    const rows = [memoryPlace(schema, archives), ...archives.map(archivePlace).toReversed()].flatMap((place) => {
      const condition = `lower(event_type) IN (SELECT value FROM json_each(@types)) AND has_words(${searched(place)})`;
      return readEventRows({ db, place, parser }, condition, { types }, ending);
    });
    const lessons = schema.lessons.size === 0 ? [] : readLessonRows(db, schema, parser);
    return {
      lessons: lessons.filter(isLessonWith(hasWords)).reverse().slice(0, limit),
      tasks: oneEach(rows).slice(0, limit),
    };
  });
}

/** Reads every lesson of a memory, the latest first; undefined if it has no table of them. @throws MemoryError likewise. */
export async function readLessonsOf({ path, timezone }: Pick<SearchOptions, 'path' | 'timezone'>) {
  return await readMemory(path, ({ db }): readonly LessonRow[] | undefined => {
    const schema = probeSchema(db);
    if (schema.lessons.size === 0) return undefined;
    return readLessonRows(db, schema, createTimestampParser(timezone)).toReversed();
  });
}

function searched({ columns }: RowPlace): string {
  return SEARCHED.filter((column) => columns.has(column))
    .map((column) => `coalesce(substr(${column}, 1, ${LONGEST_TEXT}), '')`)
    .join(" || ' ' || ");
}

function isLessonWith(hasWords: (text: string) => boolean) {
  return ({ context, problem, solution, pattern, severity, status }: LessonRow): boolean =>
    hasWords([context, problem, solution, pattern, severity, status].join(' '));
}

/** Of the two rows of a run the one that knows more. */
function oneEach(rows: readonly TaskEventRow[]): readonly TaskEventRow[] {
  const kept: TaskEventRow[] = [];
  for (const row of rows) {
    const place = kept.findIndex((other) => isPair(toHalf(row), toHalf(other)));
    if (place === -1) kept.push(row);
    else if (row.ending === 'task') kept[place] = row;
  }
  return kept;
}

function toHalf({ ending = 'stop', sessionId, atMs, agent }: TaskEventRow) {
  // Without a session nobody knows of a second row.
  return { kind: ending, sessionId, timeMs: sessionId === undefined ? undefined : atMs, agent: agent ?? 'unknown' };
}

/** Without case and accents. */
function fold(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase();
}
