import { type Command, InvalidArgumentError } from 'commander';
import { UsageError } from '../../lib/errors.ts';
import { GOALS, readGoalSteps, setGoal } from '../../scheduler/goals.ts';
import { lookIntoMonitorDb, openMonitorDb } from '../../scheduler/monitor-db.ts';
import { type AddCommand, alignColumns, loadCommandScheduler, printJson, printLines } from '../command.ts';
import { oneLine } from '../queue/describe-task.ts';

/** `swarm goal`: what is measured by hand. */
export const addGoalCommand: AddCommand = (program) => {
  const goal = program.command('goal').description('what is measured by hand: set, list');
  addSet(goal);
  goal
    .command('list', { isDefault: true })
    .description('show how each goal has come along')
    .option('--json', 'print it as JSON')
    .action((options: { json?: true }) => {
      const db = lookIntoMonitorDb(loadCommandScheduler().monitorDbPath);
      const steps = db === undefined ? [] : readGoalSteps(db);
      db?.close();
      if (options.json) printJson(steps);
      else if (steps.length === 0) printLines([`Nothing is set yet: swarm goal set ${GOALS[0].goal} PERCENT`]);
      else printLines(alignColumns(steps.map((step) => [step.goal, `${step.percent} %`, step.setAt.slice(0, 10)])));
    });
};

function addSet(goal: Command): void {
  goal
    .command('set')
    .description('say how far a goal has come; what was said before is kept')
    .argument('<name>', `one of ${GOALS.map((each) => each.goal).join(', ')}`)
    .argument('<percent>', 'from 0 to 100', parsePercent)
    .option('--json', 'print it as JSON')
    .action((name: string, percent: number, options: { json?: true }) => {
      if (!GOALS.some((each) => each.goal === name)) {
        throw new UsageError(
          `Could not set the goal "${oneLine(name, 60)}": there is none of that name.`,
          `There are: ${GOALS.map((each) => each.goal).join(', ')}.`,
        );
      }
      const db = openMonitorDb(loadCommandScheduler().monitorDbPath);
      try {
        setGoal(db, name, percent, Date.now());
      } finally {
        db.close();
      }
      if (options.json) printJson({ goal: name, percent });
      else printLines([`${name}: ${percent} %`]);
    });
}

function parsePercent(text: string): number {
  const match = /^(\d{1,3}(?:[.,]\d{1,3})?)\s*%?$/.exec(text.trim());
  const percent = match ? Number(match[1].replace(',', '.')) : Number.NaN;
  if (percent <= 100) return percent;
  throw new InvalidArgumentError('Expected a number from 0 to 100, such as 35.');
}
