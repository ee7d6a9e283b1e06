import { InvalidArgumentError } from 'commander';
import { UsageError } from '../../lib/errors.ts';
import { searchMemory } from '../../lib/memory/search.ts';
import { type AddCommand, loadCommandConfig, printJson, printLines } from '../command.ts';
import { describeFoundTask, describeLesson, foundTaskLine, lessonLine } from '../memory/describe-findings.ts';

const MOST = 200;

/** `swarm search`: lessons and past tasks that speak of something. */
export const addSearchCommand: AddCommand = (program) => {
  program
    .command('search')
    .description('look for words in lessons and past tasks: prompts, errors, agents, projects')
    .argument('<text...>', 'words that must all occur; case and accents do not matter')
    .option('--limit <n>', 'how many lessons, and how many tasks, at most', parseLimit, 20)
    .option('--json', 'print them as JSON')
    .action(run);
};

async function run(text: readonly string[], { limit, json }: { limit: number; json?: true }): Promise<void> {
  const words = text.join(' ').trim();
  if (words === '') throw new UsageError('Could not search for nothing.', 'Give a word or more.');
  const { swarmDbPath: path, timezone } = loadCommandConfig();
  const { lessons, tasks } = await searchMemory({ path, timezone, text: words, limit });
  if (json) {
    printJson({ lessons: lessons.map(describeLesson), tasks: tasks.map(describeFoundTask) });
    return;
  }
  const count = (found: number, name: string): string =>
    `${found} ${name}${found === 1 ? '' : 's'}${found === limit ? ' (perhaps more: --limit)' : ''}`;
  printLines([
    ...lessons.map((lesson) => lessonLine(lesson, timezone)),
    ...tasks.map((task) => foundTaskLine(task, timezone)),
    `${count(lessons.length, 'lesson')}, ${count(tasks.length, 'task')}.`,
  ]);
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (/^\d{1,3}$/.test(text) && limit >= 1 && limit <= MOST) return limit;
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${MOST}.`);
}
