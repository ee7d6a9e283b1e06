import { type LessonRow, readLessonRows } from '../../../lib/memory/lesson-rows.ts';
import { createTimestampParser } from '../../../lib/memory/timestamps.ts';
import { readMemoryOnce } from '../../../lib/read-memory.ts';
import type { BotCommand } from '../context.ts';
import { type Html, join, oneLine } from '../html.ts';
import { REPLIES } from '../words/replies.ts';

const MOST_SHOWN = 8;
const LONGEST_TEXT = 300;

/** `/lezioni`: the lessons that hold, the latest first. */
export const lessons: BotCommand = {
  names: { it: 'lezioni', en: 'lessons' },
  about: { it: 'Le lezioni imparate', en: 'The lessons learned' },
  run: async ({ settings, speaker }) => {
    const { config } = settings;
    const parser = createTimestampParser(config.timezone);
    const rows = await readMemoryOnce(config, ({ db, schema }) =>
      schema.lessons.size === 0 ? [] : readLessonRows(db, schema, parser),
    );
    // A memory whose lessons have no status (state A) holds all of them to be valid.
    const active = rows.filter(({ status }) => status === undefined || status === 'ACTIVE').reverse();
    if (active.length === 0) return { text: speaker.say(REPLIES.noLessons) };
    const quote = (text: string | undefined): Html | undefined =>
      text === undefined ? undefined : speaker.quote(oneLine(text, LONGEST_TEXT), LONGEST_TEXT);
    const describe = ({ problem, context, pattern, solution, timesApplied: times }: LessonRow): Html =>
      speaker.say(REPLIES.lesson, {
        problem: quote(problem ?? context ?? pattern) ?? '–',
        solution: quote(solution),
        times,
      });
    const list = join(active.slice(0, MOST_SHOWN).map(describe));
    return { text: speaker.say(REPLIES.lessons, { count: active.length, list }) };
  },
};
