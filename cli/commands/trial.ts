import type { Redis } from 'ioredis';
import type { WorkConfig } from '../../lib/config.ts';
import { EXIT, UsageError } from '../../lib/errors.ts';
import { readProjects } from '../../lib/projects.ts';
import type { TaskQueue } from '../../lib/queue/task-queue.ts';
import { createAgentLauncher } from '../../orchestrator/agent-launch.ts';
import { type AddCommand, loadCommandConfig, loadCommandWork, printJson, printLines } from '../command.ts';
import { localTime } from '../local-time.ts';
import { parseDuration } from '../parse-duration.ts';
import { oneLine } from '../queue/describe-task.ts';
import { withQueue } from '../queue/open-queue.ts';
import { choosePlace, fallBackToDemo, type TrialPlace } from '../trial/place.ts';
import { describeReport, makeReport, type TrialReport, type TrialResult, toTrialResult } from '../trial/report.ts';
import { TRIAL_TASKS, toQueueTask } from '../trial/tasks.ts';
import { watchTask } from '../trial/watch.ts';

interface Options {
  readonly budgetUsd: string;
  readonly project?: string;
  readonly agent?: string;
  readonly timeout: string;
  readonly json?: true;
}

const LEAST_CAP_USD = 0.01;
const MOST_CAP_USD = 100;

/** `swarm trial`: three small real tasks, to see whether agents work here and what they cost. */
export const addTrialCommand: AddCommand = (program) => {
  program
    .command('trial')
    .description('have an agent do three small tasks, and report time, outcome and cost')
    .option('--budget-usd <amount>', 'what they may cost together', '0.30')
    .option('--project <name>', 'where (default: the only one of projects.json)')
    .option('--agent <name>', "who does them (default: one of the command line's own)")
    .option('--timeout <duration>', 'how long to wait for them', '10m')
    .option('--json', 'print the report as JSON')
    .action(async (options: Options) => {
      const report = await withInterrupt((signal) => makeTrial(options, signal));
      if (options.json) printJson(report);
      else printLines(describeReport(report));
      if (!report.isOk) process.exitCode = EXIT.failed;
    });
};

async function makeTrial(options: Options, signal: AbortSignal): Promise<TrialReport> {
  const work = loadCommandWork();
  const { projectsFile, timezone } = loadCommandConfig();
  const limits: Limits = {
    capUsd: parseCap(options.budgetUsd),
    untilMs: performance.now() + parseDuration(options.timeout),
    timeoutMs: Math.min(parseDuration(options.timeout), work.agentTimeoutMinutes * 60_000),
    signal,
    tell: (line: string): void => {
      process.stderr.write(`${localTime(Date.now(), timezone).time} ${oneLine(line, 300)}\n`);
    },
  };
  const projects = readProjects(projectsFile);
  const place = await checkAgent(choosePlace(projects, options), work, (fault) => fallBackToDemo(projects, fault));
  return await withQueue(async (queue, redis) => {
    const report = await tryTasks(queue, redis, place, limits);
    const [{ outcome, error }] = report.tasks;
    if (!report.isReal || outcome !== 'auth') return report;
    return await tryTasks(queue, redis, fallBackToDemo(projects, error ?? 'the agent is not logged in'), limits);
  });
}

/** What cannot be started is found before anything is put on the queue. */
async function checkAgent(
  place: TrialPlace,
  work: WorkConfig,
  fallBack: (fault: string) => TrialPlace,
): Promise<TrialPlace> {
  if (place.notReal !== undefined) return place;
  const fault = await createAgentLauncher(work).findFault();
  return fault === undefined ? place : fallBack(fault);
}

interface Limits {
  readonly capUsd: number;
  readonly untilMs: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly tell: (line: string) => void;
}

/** One after another: what stops the first, such as a login that is missing, would stop the others too. */
async function tryTasks(queue: TaskQueue, redis: Redis, place: TrialPlace, limits: Limits): Promise<TrialReport> {
  const results: TrialResult[] = [];
  const { project, agent } = place;
  const budgetUsd = limits.capUsd / TRIAL_TASKS.length;
  for (const each of TRIAL_TASKS) {
    const task = toQueueTask(each, { project, agent, budgetUsd, timeoutMs: limits.timeoutMs });
    const tell = (line: string): void => limits.tell(`${each.name}: ${line}`);
    await queue.enqueue(task);
    tell(`on the queue as task ${task.id}`);
    const view = await watchTask(queue, redis, task.id, { ...limits, tell });
    const result = toTrialResult(each.name, task.id, view);
    results.push(result);
    const isOver = view?.endedAt !== undefined;
    if (!isOver) tell(`left as it is: swarm trace ${task.id}, or swarm queue cancel ${task.id}`);
    if (!isOver || result.outcome === 'auth' || limits.signal.aborted) break;
  }
  const notBegun = TRIAL_TASKS.slice(results.length).map(({ name }) => name);
  return makeReport(place, limits.capUsd, results, notBegun);
}

/** Does the work with a signal that Ctrl-C aborts; a second one ends the process as usual. */
async function withInterrupt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    return await work(interrupt.signal);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

function parseCap(text: string): number {
  const capUsd = Number(text);
  if (text.trim() !== '' && capUsd >= LEAST_CAP_USD && capUsd <= MOST_CAP_USD) return capUsd;
  throw new UsageError(
    `Could not accept the budget "${oneLine(text, 40)}": expected an amount from ${LEAST_CAP_USD} to ${MOST_CAP_USD} US dollars.`,
    'Write it like 0.30.',
  );
}
