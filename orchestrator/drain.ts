import type { Log } from '../lib/log.ts';
import type { TaskWorker } from './worker.ts';

const MINUTE_MS = 60_000;

/** Waits for the runs under way; after the deadline, or when somebody is in a hurry, their tasks are given back. */
export async function drain({
  worker,
  drainMs,
  hurried,
  log,
}: {
  readonly worker: TaskWorker;
  readonly drainMs: number;
  readonly hurried: Promise<void>;
  readonly log: Log;
}): Promise<void> {
  if (worker.running() === 0) return;
  log.info({ running: worker.running(), drainMinutes: drainMs / MINUTE_MS }, 'waiting for the runs under way');
  const stoppedAtOnce = hurried.then(() => worker.stopRuns('shutdown-now'));
  let timer: NodeJS.Timeout | undefined;
  const stoppedLate = new Promise<void>((resolve, reject) => {
    timer = setTimeout(() => worker.stopRuns('shutdown').then(resolve, reject), drainMs);
  });
  await Promise.race([worker.idle(), stoppedLate, stoppedAtOnce]).finally(() => clearTimeout(timer));
}
