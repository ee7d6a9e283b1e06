import { randomUUID } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { OperatorError, UnreachableError } from '../../lib/errors.ts';
import { withRecorderLease } from '../../lib/queue/recorder-lease.ts';
import { createLead } from '../../scheduler/lead.ts';
import { loadCommandConfig, loadCommandScheduler, loadCommandWork } from '../command.ts';
import { withQueue } from '../queue/open-queue.ts';

/**
 * Does something to a database while nobody of us writes to it: for the live memory with the recorder's lease, for the live
 * monitor.db in the scheduler's place, for any other file just so.
 * @throws OperatorError or UnreachableError if that cannot be had, saying what to stop.
 */
export async function withOwnership<T>(path: string, work: () => T): Promise<T> {
  if (isSame(path, loadCommandScheduler().monitorDbPath)) return withLead(path, work);
  if (isSame(path, loadCommandConfig().swarmDbPath) && existsSync(path)) return await withLease(work);
  return work();
}

function withLead<T>(path: string, work: () => T): T {
  const lead = createLead(path);
  if (!lead.take()) {
    throw new OperatorError(
      `Could not replace "${path}": the scheduler works with it.`,
      'Stop the scheduler (docker-compose stop scheduler), do this again, then start it.',
    );
  }
  try {
    return work();
  } finally {
    lead.giveUp();
  }
}

/** Where nobody has named a Redis and none runs, there is no recorder either. */
async function withLease<T>(work: () => T): Promise<T> {
  try {
    return await withQueue((_, redis) =>
      withRecorderLease(redis, `restore-${randomUUID()}`, async (assertHeld) => {
        assertHeld();
        return work();
      }),
    );
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    if (loadCommandWork().redisUrl === undefined) return work();
    throw new UnreachableError(
      `${error.message} A recorder that reaches it might be writing.`,
      'Start Redis; or stop every orchestrator, then do this again with REDIS_URL unset.',
      { cause: error },
    );
  }
}

function isSame(one: string, other: string): boolean {
  if (one === other) return true;
  return existsSync(one) && existsSync(other) && realpathSync(one) === realpathSync(other);
}
