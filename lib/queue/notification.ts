import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { KEY_PREFIX, QUEUES } from './names.ts';

/** Something people are told on the phone: the payload of a job on the queue of notifications. */
export const notificationSchema = z.strictObject({
  version: z.literal(1),
  /** Which text of the catalogue it is. */
  kind: z.enum(['budget-notice', 'queue-paused', 'task-ended']),
  /** Two with the same key are one. */
  key: z.string().regex(/^[\w.-]{1,120}$/),
  at: z.iso.datetime(),
  /** What the text is filled with. */
  facts: z.record(z.string(), z.union([z.string().max(1_000), z.number()])),
});
export type Notification = z.infer<typeof notificationSchema>;

/** Puts notifications on their queue; whoever talks to people takes them from there. */
export interface Notifier {
  readonly notify: (notification: Omit<Notification, 'version' | 'at'>) => Promise<void>;
  readonly close: () => Promise<void>;
}

const DAY_SECONDS = 86_400;

/** A notifier on a connection, which stays the caller's. */
export function createNotifier(redis: Redis): Notifier {
  const queue = new Queue<Notification>(QUEUES.notifications, { connection: redis, prefix: KEY_PREFIX });
  queue.on('error', () => undefined);
  return {
    notify: async (notification) => {
      const payload = notificationSchema.parse({ ...notification, version: 1, at: new Date().toISOString() });
      await queue.add(payload.kind, payload, {
        jobId: payload.key,
        removeOnComplete: { age: 7 * DAY_SECONDS, count: 1_000 },
        removeOnFail: { age: 7 * DAY_SECONDS, count: 1_000 },
      });
    },
    close: () => queue.close(),
  };
}
