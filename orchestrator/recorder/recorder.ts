import { type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { describeError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { openGates } from '../../lib/queue/gates.ts';
import { KEY_PREFIX, QUEUES } from '../../lib/queue/names.ts';
import { giveUpRecorderLease, takeRecorderLease } from '../../lib/queue/recorder-lease.ts';
import { type Result, resultSchema } from '../../lib/queue/result.ts';
import { addTrace } from '../../lib/queue/trace.ts';
import type { Budget } from '../budget.ts';
import { budgetPeriods } from '../budget-periods.ts';
import { createBatchWriter, StoppedError } from './batch-writer.ts';
import { openMemoryWriter } from './memory-writer.ts';
import { readSpent } from './usage-totals.ts';

/** Writes results into the swarm's memory: alone, as long as it holds the lease. */
export interface Recorder {
  /** Why results are not written, while they are not. */
  readonly problem: () => string | undefined;
  readonly stop: () => Promise<void>;
}

interface RecorderOptions {
  readonly redis: Redis;
  /** For the worker, which closes it. */
  readonly connection: Redis;
  readonly memoryPath: string;
  readonly timezone: string;
  readonly budget: Budget;
  /** Who holds the lease. */
  readonly holder: string;
  readonly log: Log;
  /** How soon the death of another is noticed, for the results it had in hand. */
  readonly timings?: RecorderTimings | undefined;
}

interface RecorderTimings {
  readonly lockMs: number;
  readonly stalledCheckMs: number;
}

const DEFAULT_TIMINGS: RecorderTimings = { lockMs: 30_000, stalledCheckMs: 10_000 };
const RENEW_EVERY_MS = 5_000;
/** So many results may be in one transaction. */
const MOST_AT_ONCE = 200;

/** Starts to write as soon as the lease can be had; the memory may be locked or away, results wait in Redis meanwhile. */
export function startRecorder(options: RecorderOptions): Recorder {
  const { redis, connection, memoryPath, holder, log, timings = DEFAULT_TIMINGS } = options;
  const writer = openMemoryWriter({ path: memoryPath });
  const batches = createBatchWriter(writer, (problem) => {
    if (problem) log.warn({ reason: describeError(problem) }, 'results cannot be written, and wait');
    else log.info('results are written again');
  });
  let isHolder = false;

  const record = async (job: Job<unknown>, token?: string): Promise<void> => {
    const result = parseResult(job);
    try {
      await batches.write(result);
    } catch (error) {
      if (!(error instanceof StoppedError)) throw new UnrecoverableError(describeError(error, 2_000));
      await job.moveToWait(token);
      throw new WaitingError();
    }
    if (result.kind === 'end') void addTrace(redis, result.taskId, 'recorded', result.outcome);
  };
  const worker = new Worker<unknown>(QUEUES.results, record, {
    connection,
    prefix: KEY_PREFIX,
    concurrency: MOST_AT_ONCE,
    autorun: false,
    lockDuration: timings.lockMs,
    stalledInterval: timings.stalledCheckMs,
    maxStalledCount: 1_000_000,
  });
  worker.on('error', (error) => log.warn({ reason: describeError(error) }, 'the queue of results reported a problem'));
  worker.on('failed', (job, error) => log.error({ job: job?.id, reason: describeError(error) }, 'a result is refused'));
  void worker.run().catch((error: unknown) => log.error({ reason: describeError(error) }, 'the recorder ended'));
  void worker.pause(true);

  const tend = async (): Promise<void> => {
    isHolder = await takeRecorderLease(redis, holder);
    if (!isHolder) {
      if (!worker.isPaused()) void worker.pause(true);
      return;
    }
    await restoreBudget(options);
    if (worker.isPaused()) void worker.resume();
  };
  let tending = Promise.resolve();
  let budgetProblem: string | undefined;
  const beat = (): void => {
    tending = tending
      .then(tend)
      .then(() => {
        budgetProblem = undefined;
      })
      .catch((error: unknown) => {
        const reason = describeError(error);
        if (reason !== budgetProblem) log.warn({ reason }, 'the recorder cannot begin');
        budgetProblem = reason;
      });
  };
  beat();
  const timer = setInterval(beat, RENEW_EVERY_MS);

  return {
    problem: () => {
      const problem = batches.problem();
      return problem ? describeError(problem) : budgetProblem;
    },
    stop: async () => {
      clearInterval(timer);
      await tending;
      const isPaused = worker.pause(true);
      batches.stop();
      await isPaused;
      await worker.close();
      if (isHolder) await giveUpRecorderLease(redis, holder);
    },
  };
}

/** After Redis has lost its data, what was spent is read from the memory; new work waits until then. */
async function restoreBudget(options: RecorderOptions): Promise<void> {
  if (!(await options.budget.isKnown())) await readBudget(options);
  // Each time: who found the budget unknown may have closed it when it was known again.
  await openGates(options.redis, ['budget-unknown']);
}

async function readBudget({ budget, memoryPath, timezone, log }: RecorderOptions): Promise<void> {
  const { day, week, month } = budgetPeriods(Date.now(), timezone);
  const since = { day: day.startMs, week: week.startMs, month: month.startMs };
  const { dayUsd, weekUsd, monthUsd } = await readSpent({ path: memoryPath, sinceMs: since });
  await budget.rebuild({ day: dayUsd, week: weekUsd, month: monthUsd });
  log.info({ dayUsd, weekUsd, monthUsd }, 'read from the memory what was spent');
}

function parseResult(job: Job<unknown>): Result {
  const parsed = resultSchema.safeParse(job.data);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'payload'}: ${message}`);
  throw new UnrecoverableError(`Could not accept the result: ${problems.join('; ')}.`.slice(0, 2_000));
}
