import { randomUUID } from 'node:crypto';
import type { Config, WorkConfig } from '../../lib/config.ts';
import { EXIT, UsageError } from '../../lib/errors.ts';
import { readProjects } from '../../lib/projects.ts';
import { approvalFor } from '../../lib/queue/approval.ts';
import { type Priority, parseTask, type Task } from '../../lib/queue/task.ts';
import type { TaskView } from '../../lib/queue/task-view.ts';
import { type AddCommand, loadCommandConfig, loadCommandScheduler, loadCommandWork } from '../command.ts';
import { parseDuration } from '../parse-duration.ts';
import { describeTask, oneLine } from '../queue/describe-task.ts';
import { withQueue } from '../queue/open-queue.ts';
import { readPrompt } from '../queue/read-prompt.ts';
import { waitForEnd } from '../queue/wait-for-end.ts';

interface Options {
  readonly agent: string;
  readonly project: string;
  readonly priority: string;
  readonly budgetUsd?: string;
  readonly timeout?: string;
  readonly model?: string;
  readonly needsApproval?: true;
  readonly dedupeKey?: string;
  readonly wait?: true;
}

const GIVE_IT = 'waits for a yes: on the phone, or by swarm queue approve ID.';
const NEEDS_YES = `It may cost more than APPROVAL_ABOVE_USD, so it ${GIVE_IT}`;
const TWIN_NEEDS_YES = `A task of this dedupe key is not over, and ${GIVE_IT}`;
/** What an error of the command line may show of a prompt it took for an option. */
const LONGEST_COMPLAINT = 200;

/** `swarm enqueue`: puts a task on the queue. */
export const addEnqueueCommand: AddCommand = (program) => {
  program
    .command('enqueue')
    .description('put a task on the queue; prints {"id","state"}')
    .argument('<prompt>', 'what the agent is to do; - reads it from standard input; after -- it may begin with a dash')
    .requiredOption('--agent <name>', 'who does it')
    .requiredOption('--project <name>', 'where, a name of projects.json')
    .option('--priority <high|normal|low>', 'what is sooner', 'normal')
    .option(
      '--budget-usd <amount>',
      'what it may cost (default: BUDGET_TASK_USD); above APPROVAL_ABOVE_USD it needs a yes',
    )
    .option('--timeout <duration>', 'how long a run may take, such as 20m (default: AGENT_TIMEOUT_MINUTES)')
    .option('--model <name>', "the model (default: the project's, else the agent's own)")
    .option('--needs-approval', 'wait for a yes before it is done')
    .option('--dedupe-key <key>', 'if a task of this key is not over yet, take that one')
    .option('--wait', 'wait until it is over, and say what happens meanwhile')
    .option('--json', 'as without it: what is printed is JSON')
    .configureOutput({ outputError: (text, write) => write(`${oneLine(text, LONGEST_COMPLAINT)}\n`) })
    .action(async (prompt: string, options: Options) => {
      const text = await readPrompt(prompt, process.stdin);
      // Before Redis is asked for: a mistake is a mistake whether it runs or not.
      const task = parseTask(makeTask(text, options, loadCommandConfig(), loadCommandWork()));
      const { id, isNew, view } = await withQueue(async (queue) => {
        const { id, isNew } = await queue.enqueue(task);
        return { id, isNew, view: await queue.show(id) };
      });
      if (view?.state === 'needs-approval' && !(isNew && options.needsApproval)) {
        process.stderr.write(`${isNew ? NEEDS_YES : TWIN_NEEDS_YES}\n`);
      }
      if (options.wait) printWhole(await waitForEnd(id));
      else process.stdout.write(`${JSON.stringify({ id, state: view?.state ?? 'waiting' })}\n`);
    });
};

function makeTask(prompt: string, options: Options, config: Config, work: WorkConfig): Task {
  const projects = readProjects(config.projectsFile);
  const project = projects.get(options.project);
  if (!project) {
    const known = [...projects.keys()].join(', ') || 'none';
    throw new UsageError(
      `Could not accept the task: project "${oneLine(options.project, 100)}" is not in ${config.projectsFile} (known: ${known}).`,
      'Add it there, or set PROJECTS_FILE.',
    );
  }
  const budgetUsd = options.budgetUsd === undefined ? work.budgetTaskUsd : Number(options.budgetUsd);
  const { approvalAboveUsd } = loadCommandScheduler();
  const timeoutMs = options.timeout === undefined ? work.agentTimeoutMinutes * 60_000 : parseTimeout(options.timeout);
  return {
    version: 1,
    id: randomUUID(),
    prompt,
    agent: options.agent,
    project: project.name,
    priority: options.priority as Priority,
    ...(options.model === undefined ? {} : { model: options.model }),
    budgetUsd,
    timeoutMs: Math.round(timeoutMs),
    source: 'cli',
    approval: approvalFor({ budgetUsd, isAskedFor: options.needsApproval === true }, approvalAboveUsd),
    ...(options.dedupeKey === undefined ? {} : { dedupeKey: options.dedupeKey }),
    requestedAt: new Date().toISOString(),
  };
}

function parseTimeout(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    const hint = 'Write it like 90s, 20m or 2h.';
    throw new UsageError('Could not accept the task: --timeout: expected a duration.', hint, { cause: error });
  }
}

function printWhole(view: TaskView): void {
  process.stdout.write(`${JSON.stringify(describeTask(view))}\n`);
  if (view.state !== 'completed') process.exitCode = EXIT.failed;
}
