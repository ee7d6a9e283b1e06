import type { Command } from 'commander';
import { EXIT, OperatorError } from '../../lib/errors.ts';
import { closeGate, openGates, readGates } from '../../lib/queue/gates.ts';
import type { TaskView } from '../../lib/queue/task-queue.ts';
import { type AddCommand, alignColumns, printJson, printLines } from '../command.ts';
import { describeTask, oneLine } from '../queue/describe-task.ts';
import { withQueue } from '../queue/open-queue.ts';

const ENDED_SHOWN = 50;
const NOT_BEGUN = ['waiting', 'delayed', 'needs-approval'];

/** `swarm queue`: looks at the queue of tasks and changes what is on it. */
export const addQueueCommand: AddCommand = (program) => {
  const queue = program.command('queue').description('look at the queue of tasks, and change what is on it');
  addList(queue);
  addShow(queue);
  addCancel(queue);
  addRetry(queue);
  addPauseAndResume(queue);
  addDrain(queue);
};

function addList(queue: Command): void {
  queue
    .command('list', { isDefault: true })
    .description(`list what is not over, and the latest that is`)
    .option('--state <state>', 'only tasks of this state')
    .option('--ended <number>', 'how many that are over', String(ENDED_SHOWN))
    .option('--json', 'print it as JSON')
    .action(async ({ state, ended, json }: { state?: string; ended: string; json?: true }) => {
      const [all, gates] = await withQueue((tasks, redis) =>
        Promise.all([tasks.list(Math.max(0, Number.parseInt(ended, 10) || 0)), readGates(redis, Date.now())]),
      );
      const views = all.filter((view) => state === undefined || view.state === state);
      if (json) {
        printJson(views.map(describeTask));
        return;
      }
      for (const gate of gates) process.stderr.write(`paused (${gate.reason}): ${oneLine(gate.text, 200)}\n`);
      printLines(views.length === 0 ? ['The queue is empty.'] : alignColumns([HEADINGS, ...views.map(row)]));
    });
}

const HEADINGS = ['id', 'state', 'agent', 'project', 'attempts', 'cost $', 'outcome', 'prompt'];

function row(view: TaskView): string[] {
  const { id, state, agent, project, attempts, costUsd, outcome, prompt } = describeTask(view);
  return [
    id,
    state,
    oneLine(agent ?? '–', 30),
    oneLine(project ?? '–', 30),
    String(attempts),
    costUsd.toFixed(2),
    outcome ?? '',
    oneLine(prompt ?? '', 50),
  ];
}

function addShow(queue: Command): void {
  queue
    .command('show')
    .argument('<id>')
    .description('show one task')
    .option('--json', 'print it as JSON')
    .action(async (id: string, { json }: { json?: true }) => {
      const view = await withQueue((tasks) => tasks.show(id));
      if (view === undefined) {
        throw new OperatorError(
          `Could not find a task "${oneLine(id, 100)}" on the queue.`,
          'Older ones are in the memory: swarm trace.',
        );
      }
      const facts = describeTask(view);
      if (json) printJson(facts);
      else {
        const known = Object.entries(facts).filter(([, value]) => value !== null);
        printLines(alignColumns(known.map(([name, value]) => [name, oneLine(String(value), 2_000)])));
      }
    });
}

function addCancel(queue: Command): void {
  queue
    .command('cancel')
    .argument('<id>')
    .description('take a task off the queue, or stop its agent')
    .option('--json', 'print it as JSON')
    .action(async (id: string, { json }: { json?: true }) => {
      const state = await withQueue((tasks) => tasks.cancel(id, 'Cancelled by swarm queue cancel.'));
      const isTooLate = state === 'completed' || state === 'failed';
      const said = state === 'active' ? 'is being stopped' : isTooLate ? `is over already: ${state}` : state;
      if (json) printJson({ id, state });
      else printLines([`${id} ${said}`]);
      if (isTooLate) process.exitCode = EXIT.failed;
    });
}

function addRetry(queue: Command): void {
  queue
    .command('retry')
    .argument('<id>')
    .description('have a task that failed or was cancelled tried again')
    .option('--json', 'print it as JSON')
    .action(async (id: string, { json }: { json?: true }) => {
      await withQueue((tasks) => tasks.retry(id));
      if (json) printJson({ id, state: 'waiting' });
      else printLines([`${id} waits again`]);
    });
}

function addPauseAndResume(queue: Command): void {
  queue
    .command('pause')
    .description('take no more tasks; those under way go on')
    .option('--reason <text>', 'what people are told', 'Paused by swarm queue pause.')
    .action(async ({ reason }: { reason: string }) => {
      await withQueue((_, redis) => closeGate(redis, { reason: 'user', text: reason, untilMs: undefined }));
      printLines(['The queue is paused. swarm queue resume goes on.']);
    });
  queue
    .command('resume')
    .description('take tasks again, whatever paused the queue')
    .action(async () => {
      // Of what Redis does not know, nothing may be spent, whoever wishes it.
      await withQueue((_, redis) =>
        openGates(redis, ['user', 'usage-limit', 'provider', 'budget-day', 'budget-week', 'budget-month']),
      );
      printLines(['The queue is open. What the budget forbids stays forbidden.']);
    });
}

function addDrain(queue: Command): void {
  queue
    .command('drain')
    .description('cancel every task that is not begun; those under way go on')
    .option('--json', 'print it as JSON')
    .action(async ({ json }: { json?: true }) => {
      const cancelled = await withQueue(async (tasks) => {
        const begun = await tasks.list(0);
        const ids = begun.filter(({ state }) => NOT_BEGUN.includes(state)).map(({ id }) => id);
        for (const id of ids) await tasks.cancel(id, 'Cancelled by swarm queue drain.');
        return ids;
      });
      if (json) printJson(cancelled);
      else printLines([`${cancelled.length} tasks cancelled.`]);
    });
}
