import type { Command } from 'commander';
import { EXIT, OperatorError, UsageError } from '../../lib/errors.ts';
import { closeGate, OPENED_BY_A_PERSON, openGates, readGates } from '../../lib/queue/gates.ts';
import { TASK_STATES, type TaskState } from '../../lib/queue/outcome.ts';
import type { TaskQueue } from '../../lib/queue/task-queue.ts';
import type { TaskView } from '../../lib/queue/task-view.ts';
import { type AddCommand, alignColumns, printJson, printLines } from '../command.ts';
import { describeTask, oneLine } from '../queue/describe-task.ts';
import { withQueue } from '../queue/open-queue.ts';

const ENDED_SHOWN = 50;
const MOST_ENDED_SHOWN = 6_000;
const NOT_UNDER_WAY: readonly TaskState[] = ['waiting', 'delayed', 'needs-approval'];
const CANCELLED_AT_ONCE = 50;
const PAUSED = 'Paused by swarm queue pause.';

/** `swarm queue`: looks at the queue of tasks and changes what is on it. */
export const addQueueCommand: AddCommand = (program) => {
  const queue = program.command('queue').description('look at the queue of tasks, and change what is on it');
  addList(queue);
  addShow(queue);
  addCancel(queue);
  addApprove(queue);
  addRetry(queue);
  addPauseAndResume(queue);
  addDrain(queue);
};

function addList(queue: Command): void {
  queue
    .command('list', { isDefault: true })
    .description('list what is not over, what comes next first, and the latest that is')
    .option('--state <state>', `only tasks of this state: ${TASK_STATES.join(', ')}`)
    .option('--ended <number>', 'how many that are over', String(ENDED_SHOWN))
    .option('--json', 'print it as JSON')
    .action(async ({ state, ended, json }: { state?: string; ended: string; json?: true }) => {
      const limit = parseEnded(ended);
      if (state !== undefined) checkState(state);
      const [all, gates] = await withQueue((tasks, redis) =>
        Promise.all([tasks.list(limit), readGates(redis, Date.now())]),
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

function parseEnded(text: string): number {
  const number = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (number <= MOST_ENDED_SHOWN) return number;
  throw new UsageError(
    `Could not list the queue: --ended is "${oneLine(text, 40)}".`,
    `Give a whole number from 0 to ${MOST_ENDED_SHOWN}.`,
  );
}

function checkState(text: string): void {
  if (TASK_STATES.some((state) => state === text)) return;
  throw new UsageError(
    `Could not list the queue: --state is "${oneLine(text, 40)}".`,
    `Give one of ${TASK_STATES.join(', ')}.`,
  );
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
        printLines(alignColumns(known.map(([name, value]) => [name, oneLine([value].flat().join('; '), 2_000)])));
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

function addApprove(queue: Command): void {
  queue
    .command('approve')
    .argument('<id>')
    .description('say yes to a task that waits for it, or that asks for a tool it was refused, where no phone does')
    .option('--json', 'print it as JSON')
    .action(async (id: string, { json }: { json?: true }) => {
      const state = await withQueue(async (tasks) => {
        const refused = (await tasks.show(id))?.end?.refused;
        return refused === undefined ? await tasks.approve(id) : await tasks.grant(id);
      });
      if (json) printJson({ id, state });
      else printLines([`${id}: ${state}`]);
    });
}

function addRetry(queue: Command): void {
  queue
    .command('retry')
    .argument('<id>')
    .description('have a task that failed or was cancelled tried again')
    .option('--json', 'print it as JSON')
    .action(async (id: string, { json }: { json?: true }) => {
      const state = await withQueue((tasks) => tasks.retry(id));
      if (json) printJson({ id, state });
      else printLines([`${id} is tried again: ${state}`]);
    });
}

function addPauseAndResume(queue: Command): void {
  queue
    .command('pause')
    .description('take no more tasks; those under way go on')
    .option('--reason <text>', 'what people are told', PAUSED)
    .action(async ({ reason }: { reason: string }) => {
      await withQueue((_, redis) =>
        closeGate(redis, { reason: 'user', text: reason.trim() || PAUSED, untilMs: undefined }),
      );
      printLines(['The queue is paused. swarm queue resume goes on.']);
    });
  queue
    .command('resume')
    .description('take tasks again, whatever paused the queue')
    .action(async () => {
      await withQueue((_, redis) => openGates(redis, OPENED_BY_A_PERSON));
      printLines(['The queue is open. What the budget forbids stays forbidden.']);
    });
}

function addDrain(queue: Command): void {
  queue
    .command('drain')
    .description('cancel every task that is not under way; those that are go on')
    .option('--json', 'print it as JSON')
    .action(async ({ json }: { json?: true }) => {
      const cancelled = await withQueue(cancelAll);
      if (json) printJson(cancelled);
      else printLines([`${cancelled.length} tasks cancelled.`]);
    });
}

/** The ids of those that were cancelled; one that an agent takes up this very moment is not among them. */
async function cancelAll(tasks: TaskQueue): Promise<string[]> {
  const views = await tasks.list(0);
  const ids = views.filter(({ state }) => NOT_UNDER_WAY.includes(state)).map(({ id }) => id);
  const cancelled: string[] = [];
  for (let from = 0; from < ids.length; from += CANCELLED_AT_ONCE) {
    const some = ids.slice(from, from + CANCELLED_AT_ONCE);
    const ends = await Promise.allSettled(some.map((id) => tasks.cancel(id, 'Cancelled by swarm queue drain.')));
    const failed = ends.find((end) => end.status === 'rejected' && !(end.reason instanceof OperatorError));
    if (failed?.status === 'rejected') throw failed.reason;
    cancelled.push(...some.filter((_, index) => isCancelled(ends[index])));
  }
  return cancelled;
}

function isCancelled(end: PromiseSettledResult<TaskState>): boolean {
  return end.status === 'fulfilled' && end.value === 'cancelled';
}
