import type { Redis } from 'ioredis';
import { describeError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { openGates } from '../../lib/queue/gates.ts';
import type { Notifier } from '../../lib/queue/notification.ts';
import { giveUpRecorderLease, takeRecorderLease } from '../../lib/queue/recorder-lease.ts';
import type { Budget } from '../budget.ts';
import { budgetPeriods } from '../budget-periods.ts';
import { openMemoryWriter } from './memory-writer.ts';
import { startResultLoop } from './result-loop.ts';
import { tellEnds } from './tell-ends.ts';
import { readSpent } from './usage-totals.ts';

/** Writes results into the swarm's memory: alone, as long as it holds the lease. */
export interface Recorder {
  /** Why results are not written, while they are not. */
  readonly problem: () => string | undefined;
  readonly stop: () => Promise<void>;
}

interface RecorderOptions {
  readonly redis: Redis;
  /** To wait for results on; the recorder closes it. */
  readonly connection: Redis;
  readonly memoryPath: string;
  readonly timezone: string;
  readonly budget: Budget;
  readonly notifier: Notifier;
  /** Who holds the lease. */
  readonly holder: string;
  readonly log: Log;
}

const RENEW_EVERY_MS = 5_000;

/** Starts to write as soon as the lease can be had; the memory may be locked or away, results wait in Redis meanwhile. */
export function startRecorder(options: RecorderOptions): Recorder {
  const { redis, connection, memoryPath, notifier, holder, log } = options;
  let isHolder = false;
  let isReady = false;
  const loop = startResultLoop({
    redis,
    connection,
    writer: openMemoryWriter({ path: memoryPath }),
    mayWrite: () => isReady,
    onRecorded: (results) => notifier.notify(...tellEnds(results)),
    log,
  });

  const tend = async (): Promise<void> => {
    isHolder = await takeRecorderLease(redis, holder);
    if (isHolder) await restoreBudget(options);
    isReady = isHolder;
  };
  let tending = Promise.resolve();
  let leaseProblem: string | undefined;
  const beat = (): void => {
    tending = tending
      .then(tend)
      .then(() => {
        leaseProblem = undefined;
      })
      .catch((error: unknown) => {
        isReady = false;
        const reason = describeError(error);
        if (reason !== leaseProblem) log.warn({ reason }, 'the recorder cannot begin');
        leaseProblem = reason;
      });
  };
  beat();
  const timer = setInterval(beat, RENEW_EVERY_MS);

  return {
    problem: () => loop.problem() ?? leaseProblem,
    stop: async () => {
      clearInterval(timer);
      await tending;
      await loop.stop();
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
