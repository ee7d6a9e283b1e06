import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { KEY_PREFIX, QUEUES } from '../../lib/queue/names.ts';
import type { Notification } from '../../lib/queue/notification.ts';

/** What people would have been told, in order. */
export function readTold(redis: Redis): () => Promise<readonly Notification[]> {
  const queue = new Queue<Notification>(QUEUES.notifications, { connection: redis, prefix: KEY_PREFIX });
  queue.on('error', () => undefined);
  onTestFinished(() => queue.close());
  return async () => (await queue.getJobs(['waiting'], 0, -1, true)).map(({ data }) => data);
}
