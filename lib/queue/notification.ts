import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { KEY_PREFIX, QUEUES } from './names.ts';

const LONGEST_FACT = 1_000;
/** The fact `text` is what people read, as it is: a retrospective, a list of things to do. */
const LONGEST_TEXT = 30_000;
/** So many wait at most where nobody takes them, as without Telegram; the oldest are dropped, some at a time. */
const [MOST_WAITING, DROPPED_AT_ONCE] = [2_000, 200];

/** What people are told of; the catalogue of texts (scheduler/telegram/catalogue.ts) has words for each. */
export const NOTIFICATION_KINDS = [
  'budget-notice',
  'queue-paused',
  'task-ended',
  'tool-request',
  'project-health',
  'checklist',
  'reviews-capped',
  'review-refused',
  'retro',
] as const;

/** Something people are told on the phone: the payload of a job on the queue of notifications. */
export const notificationSchema = z.strictObject({
  version: z.literal(1),
  /** Which text of the catalogue it is. */
  kind: z.enum(NOTIFICATION_KINDS),
  /** Two with the same key are one. BullMQ refuses one of digits alone. */
  key: z.string().regex(/^(?!\d+$)[\w.-]{1,120}$/),
  at: z.iso.datetime(),
  /** What the text is filled with. */
  facts: z.record(z.string(), z.union([z.string().max(LONGEST_TEXT), z.number()])),
});
export type Notification = z.infer<typeof notificationSchema>;

/** The same, as it is read: another program may be newer than this one, and have more kinds. */
export const receivedSchema = notificationSchema.extend({ kind: z.string().max(100) }).loose();
export type Received = z.infer<typeof receivedSchema>;

/** What a producer says. */
export type NewNotification = Omit<Notification, 'version' | 'at'>;

/** Puts notifications on their queue; whoever talks to people takes them from there. */
export interface Notifier {
  readonly notify: (...notifications: readonly NewNotification[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

const DAY_SECONDS = 86_400;

/** A notifier on a connection, which stays the caller's. */
export function createNotifier(redis: Redis): Notifier {
  // Without it BullMQ complains of some Redis on the terminal; nothing here depends on its version.
  const options = { connection: redis, prefix: KEY_PREFIX, skipVersionCheck: true };
  const queue = new Queue<Notification>(QUEUES.notifications, options);
  queue.on('error', () => undefined);
  return {
    notify: async (...notifications) => {
      if (notifications.length === 0) return;
      await queue.addBulk(notifications.map(toJob));
      if ((await queue.getWaitingCount()) > MOST_WAITING) await queue.clean(0, DROPPED_AT_ONCE, 'wait');
    },
    close: () => queue.close(),
  };
}

function toJob(notification: NewNotification) {
  const facts = Object.entries(notification.facts).map(([name, fact]) => [name, cut(name, fact)]);
  const whole = { ...notification, facts: Object.fromEntries(facts), version: 1, at: new Date().toISOString() };
  const data = notificationSchema.parse(whole);
  const kept = { age: 7 * DAY_SECONDS, count: 1_000 };
  return { name: data.kind, data, opts: { jobId: data.key, removeOnComplete: kept, removeOnFail: kept } };
}

/** An error of an agent can be long, and is no reason to say nothing. */
function cut(name: string, fact: string | number): string | number {
  const longest = name === 'text' ? LONGEST_TEXT : LONGEST_FACT;
  return typeof fact === 'string' && fact.length > longest ? `${fact.slice(0, longest - 1)}…` : fact;
}
