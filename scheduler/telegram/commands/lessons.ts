import type { Database } from 'better-sqlite3';
import type { MemorySchema } from '../../../lib/memory/schema.ts';
import { readMemoryOnce } from '../../../lib/read-memory.ts';
import type { BotCommand } from '../context.ts';
import { join, oneLine } from '../html.ts';
import { REPLIES } from '../words/replies.ts';

const MOST_SHOWN = 8;
const LONGEST_TEXT = 300;

interface Lesson {
  readonly problem: unknown;
  readonly solution: unknown;
  readonly times: unknown;
}

/** `/lezioni`: the lessons that hold, the latest first. */
export const lessons: BotCommand = {
  names: { it: 'lezioni', en: 'lessons' },
  about: { it: 'Le lezioni imparate', en: 'The lessons learned' },
  run: async ({ settings, speaker }) => {
    const { found, count } = await readMemoryOnce(settings.config, ({ db, schema }) => readActive(db, schema));
    if (count === 0) return { text: speaker.say(REPLIES.noLessons) };
    const lines = found.map(({ problem, solution, times }) =>
      speaker.say(REPLIES.lesson, {
        problem: speaker.quote(oneLine(String(problem ?? '–'), LONGEST_TEXT), LONGEST_TEXT),
        solution: solution ? speaker.quote(oneLine(String(solution), LONGEST_TEXT), LONGEST_TEXT) : undefined,
        times: Number(times) || 0,
      }),
    );
    return { text: speaker.say(REPLIES.lessons, { count, list: join(lines) }) };
  },
};

function readActive(db: Database, schema: MemorySchema): { found: readonly Lesson[]; count: number } {
  if (schema.lessons.size === 0) return { found: [], count: 0 };
  const where = schema.lessons.has('status') ? "WHERE upper(trim(status)) = 'ACTIVE'" : '';
  const count = db.prepare<[], number>(`SELECT count(*) FROM lessons_learned ${where}`).pluck().get() ?? 0;
  const found = db
    .prepare<[number], Lesson>(
      `SELECT substr(coalesce(problem, context, pattern), 1, 1000) AS problem, substr(solution, 1, 1000) AS solution,
         times_applied AS times FROM lessons_learned ${where} ORDER BY rowid DESC LIMIT ?`,
    )
    .all(MOST_SHOWN);
  return { found, count };
}
