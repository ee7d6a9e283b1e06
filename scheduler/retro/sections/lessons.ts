import type { LessonOfRetro, Lessons } from '../figures.ts';
import type { Retro } from '../style.ts';

const MOST_SHOWN = 2;

/** New lessons, those that were applied, and active ones that never were. */
export function lessons(retro: Retro): readonly string[] {
  const { figures, words } = retro;
  const heading = [`## ${words.lessons.heading}`, ''];
  if (!figures.lessons || figures.lessons.total === 0) return [...heading, words.lessons.none];
  const { written, applied, neverApplied, activeCount } = figures.lessons;
  const withTimes = (lesson: LessonOfRetro): string =>
    lessonText(lesson, retro, words.lessons.times(lesson.timesApplied));
  return [
    ...heading,
    ...list(words.lessons.written(written.count), written, (lesson) => lessonText(lesson, retro)),
    ...list(words.lessons.applied(applied.count), applied, withTimes),
    ...(neverApplied && activeCount
      ? list(words.lessons.neverApplied(neverApplied.count, activeCount), neverApplied, (lesson) =>
          lessonText(lesson, retro),
        )
      : []),
  ];
}

function list(title: string, { some }: Lessons, show: (lesson: LessonOfRetro) => string): readonly string[] {
  return [`- ${title}`, ...some.slice(0, MOST_SHOWN).map((lesson) => `  - ${show(lesson)}`)];
}

function lessonText(
  { problem, solution, severity = '' }: LessonOfRetro,
  { words, style }: Retro,
  ...remarks: readonly string[]
): string {
  const grave = Object.hasOwn(words.lessons.severities, severity) ? [words.lessons.severities[severity]] : [];
  const text = solution === undefined ? style.prose(problem) : `${style.prose(problem)} → ${style.prose(solution)}`;
  const all = [...grave, ...remarks];
  return all.length === 0 ? text : `${text} (${all.join(', ')})`;
}
