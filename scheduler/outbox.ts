import { describeError, UnreachableError } from '../lib/errors.ts';
import type { Notification } from '../lib/queue/notification.ts';
import { utc } from './ledger.ts';
import type { MonitorDb } from './monitor-db.ts';
import type { Tools } from './tools.ts';

/** What is told later. */
export type Message = Pick<Notification, 'kind' | 'key' | 'facts'>;

const KEPT_MS = 30 * 86_400_000;

/** Notes what is to be told, once for each key. Within the transaction of what it tells, it is told if and only if that holds. */
export function postMessage(db: MonitorDb, { key, kind, facts }: Message, nowMs: number): void {
  db.prepare('INSERT OR IGNORE INTO outbox (key, kind, facts, posted_at) VALUES (?, ?, ?, ?)').run(
    key,
    kind,
    JSON.stringify(facts),
    utc(nowMs),
  );
}

type OutboxTools = Pick<Tools, 'db' | 'notify' | 'clock' | 'log'>;

/** Tells what has not been told, in order, and returns how much is left because the queue is away. */
export async function tellMessages({ db, notify, clock, log }: OutboxTools): Promise<number> {
  const untold = db
    .prepare<[], { key: string; kind: Message['kind']; facts: string }>(
      'SELECT key, kind, facts FROM outbox WHERE told_at IS NULL ORDER BY posted_at, key',
    )
    .all();
  const note = db.prepare('UPDATE outbox SET told_at = ? WHERE key = ?');
  for (const [index, { key, kind, facts }] of untold.entries()) {
    try {
      await notify({ key, kind, facts: JSON.parse(facts) as Message['facts'] });
    } catch (error) {
      if (error instanceof UnreachableError) return untold.length - index;
      // It would fail for ever, and hold up what comes after it.
      log.error({ key, reason: describeError(error) }, 'a message could not be told');
    }
    note.run(utc(clock()), key);
  }
  db.prepare('DELETE FROM outbox WHERE told_at < ?').run(utc(clock() - KEPT_MS));
  return 0;
}

/** Tells what there is to tell at the end of a job, and adds to what the job says of itself if some of it has to wait. */
export async function tellAtEnd(tools: OutboxTools, summary: string): Promise<{ readonly summary: string }> {
  const untold = await tellMessages(tools);
  return { summary: untold === 0 ? summary : `${summary}; ${untold} not told yet: the queue is away` };
}
