import { InvalidArgumentError } from 'commander';
import { type GoalStep, readGoalSteps } from '../../scheduler/goals.ts';
import { lookIntoMonitorDb } from '../../scheduler/monitor-db.ts';
import { composeRetro } from '../../scheduler/retro/compose.ts';
import { readRetro } from '../../scheduler/retro/read-retro.ts';
import { saveRetro } from '../../scheduler/retro/save-retro.ts';
import { type AddCommand, loadCommandConfig, loadCommandScheduler, loadCommandWork, printJson } from '../command.ts';

const MOST_DAYS = 90;

/** `swarm retro`: what the last days were like, and what to do about it. */
export const addRetroCommand: AddCommand = (program) => {
  program
    .command('retro')
    .description(
      'look back on the last days: figures, agents, errors, lessons, costs, what to repeat and what to avoid',
    )
    .option('--days <n>', 'how many days, each of 24 hours', parseDays, 7)
    .option('--save', 'write it into a file beside monitor.db as well')
    .option('--json', 'print the figures as JSON')
    .action(run);
};

interface Options {
  readonly days: number;
  readonly save?: true;
  readonly json?: true;
}

async function run({ days, save, json }: Options): Promise<void> {
  const config = loadCommandConfig();
  const untilMs = Date.now();
  const scheduler = loadCommandScheduler();
  const goals = readGoals(scheduler.monitorDbPath);
  const figures = await readRetro({ config, work: loadCommandWork(), goals }, { untilMs, days });
  const markdown = composeRetro(figures, config);
  const { timezone } = config;
  const file = save && saveRetro({ ...scheduler, timezone, untilMs, days, isManual: true }, markdown);
  if (json) printJson(withNulls({ ...figures, file }));
  else process.stdout.write(markdown);
  if (file !== undefined) process.stderr.write(`Saved as ${file}\n`);
}

function readGoals(monitorDbPath: string): readonly GoalStep[] {
  const db = lookIntoMonitorDb(monitorDbPath);
  const steps = db === undefined ? [] : readGoalSteps(db);
  db?.close();
  return steps;
}

/** What is not known is null, rather than not there. */
function withNulls(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, each: unknown) => (each === undefined ? null : each)));
}

function parseDays(text: string): number {
  const days = Number(text);
  if (/^\d{1,2}$/.test(text) && days >= 1 && days <= MOST_DAYS) return days;
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${MOST_DAYS}.`);
}
