import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Config, WorkConfig } from '../../lib/config.ts';
import { EXIT, OperatorError, UsageError } from '../../lib/errors.ts';
import { readProjects } from '../../lib/projects.ts';
import type { Priority, Task } from '../../lib/queue/task.ts';
import type { TaskQueue, TaskView } from '../../lib/queue/task-queue.ts';
import { readTrace } from '../../lib/queue/trace.ts';
import { type AddCommand, loadCommandConfig, loadCommandWork } from '../command.ts';
import { parseDuration } from '../parse-duration.ts';
import { describeTask, oneLine } from '../queue/describe-task.ts';
import { withQueue } from '../queue/open-queue.ts';

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

const LOOK_EVERY_MS = 300;
/** A task may wait for a usage limit, which lasts hours. */
const WAIT_AT_MOST_MS = 24 * 3_600_000;

/** `swarm enqueue`: puts a task on the queue. */
export const addEnqueueCommand: AddCommand = (program) => {
  program
    .command('enqueue')
    .description('put a task on the queue; prints {"id","state"}')
    .argument('<prompt>', 'what the agent is to do; - reads it from standard input')
    .requiredOption('--agent <name>', 'who does it')
    .requiredOption('--project <name>', 'where, a name of projects.json')
    .option('--priority <high|normal|low>', 'what is sooner', 'normal')
    .option('--budget-usd <amount>', 'what it may cost (default: BUDGET_TASK_USD)')
    .option('--timeout <duration>', 'how long a run may take, such as 20m (default: AGENT_TIMEOUT_MINUTES)')
    .option('--model <name>', "the model (default: the project's, else the agent's own)")
    .option('--needs-approval', 'wait for a yes before it is done')
    .option('--dedupe-key <key>', 'if a task of this key is not over yet, take that one')
    .option('--wait', 'wait until it is over, and say what happens meanwhile')
    .option('--json', 'as without it: what is printed is JSON')
    .action(async (prompt: string, options: Options) => {
      const text = prompt === '-' ? await readStandardInput() : prompt;
      const task = makeTask(text, options, loadCommandConfig(), loadCommandWork());
      await withQueue(async (queue, redis) => {
        const { id } = await queue.enqueue(task);
        const view = options.wait ? await waitForEnd(queue, redis, id) : await queue.show(id);
        print(view, id, options.wait === true);
      });
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
  const timeoutMs = options.timeout === undefined ? work.agentTimeoutMinutes * 60_000 : parseDuration(options.timeout);
  return {
    version: 1,
    id: randomUUID(),
    prompt,
    agent: options.agent,
    project: project.name,
    priority: options.priority as Priority,
    ...(options.model === undefined ? {} : { model: options.model }),
    budgetUsd: options.budgetUsd === undefined ? work.budgetTaskUsd : Number(options.budgetUsd),
    timeoutMs: Math.round(timeoutMs),
    source: 'cli',
    approval: options.needsApproval ? 'pending' : 'not-needed',
    ...(options.dedupeKey === undefined ? {} : { dedupeKey: options.dedupeKey }),
    requestedAt: new Date().toISOString(),
  };
}

/** Looks until the task is over, and tells on standard error what happens to it. */
async function waitForEnd(queue: TaskQueue, redis: Redis, id: string): Promise<TaskView | undefined> {
  const startedMs = performance.now();
  let told = 0;
  let state = '';
  for (;;) {
    const [view, trace] = [await queue.show(id), await readTrace(redis, id)];
    for (const { at, event, detail } of trace.slice(told)) {
      process.stderr.write(`${at.slice(11, 19)} ${event}${detail === undefined ? '' : `: ${oneLine(detail, 200)}`}\n`);
    }
    told = trace.length;
    if (view?.state !== state) process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${view?.state}\n`);
    state = view?.state ?? '';
    if (view === undefined || view.endedAt !== undefined) return view;
    if (performance.now() - startedMs > WAIT_AT_MOST_MS) {
      throw new OperatorError(`Task ${id} is not over after 24 hours.`, `See: swarm trace ${id}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

function print(view: TaskView | undefined, id: string, isWhole: boolean): void {
  const { state, ...rest } = view ? describeTask(view) : { state: 'waiting' };
  process.stdout.write(`${JSON.stringify({ id, state, ...(isWhole ? rest : {}) })}\n`);
  if (isWhole && state !== 'completed') process.exitCode = EXIT.failed;
}

async function readStandardInput(): Promise<string> {
  let text = '';
  process.stdin.setEncoding('utf8');
  for await (const chunk of process.stdin) text += chunk as string;
  return text;
}
