import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { KEY_PREFIX, QUEUES } from './names.ts';

const LONGEST_FACT = 1_000;

/** Something people are told on the phone: the payload of a job on the queue of notifications. */
export const notificationSchema = z.strictObject({
  version: z.literal(1),
  /** Which text of the catalogue it is. */
  kind: z.enum(['budget-notice', 'queue-paused', 'retro', 'task-ended']),
  /** Two with the same key are one. BullMQ refuses one of digits alone. */
  key: z.string().regex(/^(?!\d+$)[\w.-]{1,120}$/),
  at: z.iso.datetime(),
  /** What the text is filled with. */
  facts: z.record(z.string(), z.union([z.string().max(LONGEST_FACT), z.number()])),
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
      const facts = Object.entries(notification.facts).map(([name, fact]) => [name, cut(fact)]);
      const whole = { ...notification, facts: Object.fromEntries(facts), version: 1, at: new Date().toISOString() };
      const payload = notificationSchema.parse(whole);
      await queue.add(payload.kind, payload, {
        jobId: payload.key,
        removeOnComplete: { age: 7 * DAY_SECONDS, count: 1_000 },
        removeOnFail: { age: 7 * DAY_SECONDS, count: 1_000 },
      });
    },
    close: () => queue.close(),
  };
}

/** An error of an agent can be long, and is no reason to say nothing. */
function cut(fact: string | number): string | number {
  return typeof fact === 'string' && fact.length > LONGEST_FACT ? `${fact.slice(0, LONGEST_FACT - 1)}…` : fact;
}
