import type { LessonRow } from '../../lib/memory/lesson-rows.ts';
import { readLessonsOf } from '../../lib/memory/search.ts';
import { type AddCommand, loadCommandConfig, printJson, printLines } from '../command.ts';
import { describeLesson, lessonLine } from '../memory/describe-findings.ts';

/** `swarm lessons`: what the swarm has learned, and whether anybody uses it. */
export const addLessonsCommand: AddCommand = (program) => {
  program
    .command('lessons')
    .description('show the lessons of the memory, the latest first, and how often each was applied')
    .option('--json', 'print them as JSON')
    .action(async (options: { json?: true }) => {
      const { swarmDbPath: path, timezone } = loadCommandConfig();
      const lessons = await readLessonsOf({ path, timezone });
      if (options.json) printJson((lessons ?? []).map(describeLesson));
      else printLines(describe(lessons, timezone));
    });
};

function describe(lessons: readonly LessonRow[] | undefined, timezone: string): readonly string[] {
  if (lessons === undefined) return ['This memory has no table of lessons.'];
  const active = lessons.filter(({ status }) => status === 'ACTIVE');
  const unused = active.filter(({ timesApplied }) => timesApplied === 0).length;
  return [
    ...lessons.map((lesson) => lessonLine(lesson, timezone)),
    ...(lessons.length > 0 ? [''] : []),
    `Lessons: ${lessons.length}, active: ${active.length}, active and never applied: ${unused}.`,
  ];
}
