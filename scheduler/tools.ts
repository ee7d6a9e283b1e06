import type { Redis } from 'ioredis';
import { UnreachableError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { Notification } from '../lib/queue/notification.ts';
import type { TaskQueue } from '../lib/queue/task-queue.ts';
import type { Counters } from './counters.ts';
import type { MonitorDb } from './monitor-db.ts';
import type { Settings } from './settings.ts';

/** What jobs and parts are given to work with. */
export interface Tools {
  readonly settings: Settings;
  readonly db: MonitorDb;
  readonly log: Log;
  readonly counters: Counters;
  /** Now, milliseconds since 1970. */
  readonly clock: () => number;
  /**
   * Does some work on the queue, over a connection of its own.
   * @throws UnreachableError within 3 s if Redis does not answer: a job that lets it pass is tried again every minute.
   */
  readonly withQueue: <T>(work: (queue: TaskQueue, redis: Redis) => Promise<T>) => Promise<T>;
  /** Whether there is a Redis that was named: one that happens to run here is a stranger's. */
  readonly hasQueue: boolean;
  /** Tells people something on the phone, once for each key. @throws UnreachableError likewise. */
  readonly notify: (notification: Omit<Notification, 'version' | 'at'>) => Promise<void>;
}

/** What tools are made of. */
export type ToolOptions = Omit<Tools, 'withQueue' | 'notify'>;

/** Puts the tools together. What talks to Redis is loaded when it is first needed: it is 20 MB of memory. */
export function createTools(given: ToolOptions): Tools {
  const { work: config } = given.settings;
  const withQueue: Tools['withQueue'] = async (work) => {
    if (!given.hasQueue) {
      throw new UnreachableError(
        'Could not use the queue: there is no Redis.',
        'Install redis-server, or set REDIS_URL.',
      );
    }
    const queue = await import('../lib/queue/with-queue.ts');
    return await queue.withQueue(config, work);
  };
  return {
    ...given,
    withQueue,
    notify: (notification) =>
      withQueue(async (_, redis) => {
        const { createNotifier } = await import('../lib/queue/notification.ts');
        const notifier = createNotifier(redis);
        try {
          await notifier.notify(notification);
        } finally {
          await notifier.close();
        }
      }),
  };
}
