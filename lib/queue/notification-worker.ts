import { DelayedError, UnrecoverableError, Worker } from 'bullmq';
import type { WorkConfig } from '../config.ts';
import { describeError } from '../errors.ts';
import { connectForGood } from './connection.ts';
import { KEY_PREFIX, QUEUES } from './names.ts';
import { type Received, receivedSchema } from './notification.ts';

/** Takes notifications off their queue. */
export interface NotificationWorker {
  readonly close: () => Promise<void>;
}

/** What a worker needs. */
export interface NotificationWorkerOptions {
  readonly config: WorkConfig;
  /** Keeps a notification; until it has returned, it stays on the queue. Must take the same one twice. */
  readonly take: (notification: Received) => void;
  /** A notification could not be kept, or is none. */
  readonly onTrouble: (reason: string) => void;
}

const TRY_AGAIN_MS = 10_000;
/** A process that dies with a notification in its hands is no reason to drop it, however often. */
const MOST_STALLED = 1_000;
const CLOSE_WITHIN_MS = 1_000;

/** Starts a worker; it waits for Redis as long as it takes. */
export function startNotificationWorker({ config, take, onTrouble }: NotificationWorkerOptions): NotificationWorker {
  const redis = connectForGood(config);
  redis.on('error', () => undefined);
  const worker = new Worker(
    QUEUES.notifications,
    async (job, token) => {
      const parsed = receivedSchema.safeParse(job.data);
      if (!parsed.success) {
        onTrouble(`"${String(job.id).slice(0, 120)}" is no notification`);
        throw new UnrecoverableError('no notification');
      }
      try {
        take(parsed.data);
      } catch (error) {
        // A full disk, for instance: it is still there when that is mended.
        onTrouble(describeError(error));
        await job.moveToDelayed(Date.now() + TRY_AGAIN_MS, token);
        throw new DelayedError();
      }
    },
    { connection: redis, prefix: KEY_PREFIX, maxStalledCount: MOST_STALLED },
  );
  worker.on('error', () => undefined);
  return {
    close: async () => {
      // Redis may be away: then there is nothing to wait for.
      const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_WITHIN_MS).unref());
      await Promise.race([worker.close().catch(() => undefined), late]);
      redis.disconnect();
    },
  };
}
