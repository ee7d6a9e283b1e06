import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { createDemoMemory } from '../../lib/memory/demo/demo.ts';
import { type AddCommand, loadCommandConfig, printJson, printLines } from '../command.ts';

/** `swarm demo`: makes a synthetic memory to try things out on. */
export const addDemoCommand: AddCommand = (program) => {
  program
    .command('demo')
    .description('make a synthetic swarm memory: 30 days of made-up runs, the same for the same seed')
    .requiredOption('--db <path>', 'where to make it; there must be no file yet')
    .option('--seed <number>', 'another seed, other rows', wholeNumber, 1)
    .option('--days <number>', 'how many days it tells of', wholeNumber, 30)
    .option('--until <time>', 'the last moment it tells of, as an ISO time (default: now)', isoTime)
    .option('--json', 'print what was made as JSON')
    .action((options: { db: string; seed: number; days: number; until?: number; json?: true }) => {
      const path = resolve(options.db);
      const { timezone } = loadCommandConfig();
      const untilMs = options.until ?? Date.now();
      const made = createDemoMemory({ path, seed: options.seed, days: options.days, untilMs, timezone });
      if (options.json) printJson({ path, ...made });
      else printLines([`Made ${path}: ${made.events} events, ${made.lessons} lessons, all of them invented.`]);
    });
};

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || number > 100_000)
    throw new InvalidArgumentError('Expected a whole number from 1.');
  return number;
}

function isoTime(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new InvalidArgumentError('Expected a time such as 2026-11-22T18:00:00Z.');
  return ms;
}
