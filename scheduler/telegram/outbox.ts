import { utc } from '../ledger.ts';
import type { MonitorDb } from '../monitor-db.ts';

/** What a notification tells; checked by whoever put it on its queue. */
export type Facts = Readonly<Record<string, string | number>>;

/** Something to be told on the phone. */
export interface Told {
  /** Two with the same key are one. */
  readonly key: string;
  readonly kind: string;
  readonly facts: Facts;
  /** When it came to be, UTC. */
  readonly at: string;
}

/** One that is on its way. */
export interface OutboxItem extends Told {
  /** It was handed to Telegram before, and nobody knows what became of it. */
  readonly isRepeat: boolean;
  /** Messages of it that were sent. */
  readonly partsSent: number;
}

const REMEMBERED_MS = 35 * 86_400_000;
const LONGEST_ERROR = 300;

interface OutboxRow {
  readonly key: string;
  readonly kind: string;
  readonly facts: string;
  readonly at: string;
  readonly is_repeat: number;
  readonly parts_sent: number;
}

/** Messages on their way to the phone, in monitor.db: there they wait while Telegram is down, and over every restart. */
export interface Outbox {
  /** False if one of this key is, or was, there. */
  readonly add: (told: Told) => boolean;
  /** Calls this after each that is added here. */
  readonly whenAdded: (listener: () => void) => void;
  /** Those that wait, oldest first. */
  readonly waiting: () => readonly OutboxItem[];
  /** Says that they are being sent: if we die now, they are sent again, and say so. */
  readonly begin: (items: readonly OutboxItem[]) => void;
  readonly partSent: (items: readonly OutboxItem[], messageId: number) => void;
  readonly sent: (items: readonly OutboxItem[]) => void;
  /** They wait again; `isUnsure` if they may have arrived. */
  readonly giveBack: (items: readonly OutboxItem[], isUnsure: boolean) => void;
  /** They are never sent. */
  readonly fail: (items: readonly OutboxItem[], error: string) => void;
  /** What an earlier process was sending when it died waits again. */
  readonly recover: () => void;
  /** The message of one that was sent. */
  readonly messageOf: (key: string) => number | undefined;
  readonly find: (key: string) => Told | undefined;
  /** The latest of a kind. */
  readonly latest: (kind: string) => Told | undefined;
  readonly forgetOld: () => void;
}

/** The outbox of a monitor.db. */
export function createOutbox(db: MonitorDb, clock: () => number): Outbox {
  const each = (items: readonly OutboxItem[], sql: string, ...values: (string | number)[]): void => {
    const statement = db.prepare(sql);
    db.transaction(() => {
      for (const { key } of items) statement.run(...values, key);
    })();
  };
  const insert = 'INSERT OR IGNORE INTO telegram_outbox (key, kind, facts, at) VALUES (?, ?, ?, ?)';
  const listeners: (() => void)[] = [];
  return {
    add: ({ key, kind, facts, at }) => {
      const isNew = db.prepare(insert).run(key, kind, JSON.stringify(facts), at).changes === 1;
      // Later: it may be within a transaction.
      if (isNew) for (const listener of listeners) setImmediate(listener);
      return isNew;
    },
    whenAdded: (listener) => {
      listeners.push(listener);
    },
    waiting: () =>
      db
        .prepare<[], OutboxRow>("SELECT * FROM telegram_outbox WHERE state = 'waiting' ORDER BY at, key LIMIT 500")
        .all()
        .map(toItem),
    begin: (items) => each(items, "UPDATE telegram_outbox SET state = 'sending' WHERE key = ?"),
    partSent: (items, messageId) =>
      each(
        items,
        'UPDATE telegram_outbox SET parts_sent = parts_sent + 1, is_repeat = 0, message_id = ? WHERE key = ?',
        messageId,
      ),
    sent: (items) => each(items, "UPDATE telegram_outbox SET state = 'sent', sent_at = ? WHERE key = ?", utc(clock())),
    giveBack: (items, isUnsure) =>
      each(
        items,
        "UPDATE telegram_outbox SET state = 'waiting', is_repeat = max(is_repeat, ?) WHERE key = ?",
        isUnsure ? 1 : 0,
      ),
    fail: (items, error) =>
      each(
        items,
        "UPDATE telegram_outbox SET state = 'failed', error = ? WHERE key = ?",
        error.slice(0, LONGEST_ERROR),
      ),
    recover: () => {
      db.prepare("UPDATE telegram_outbox SET state = 'waiting', is_repeat = 1 WHERE state = 'sending'").run();
    },
    messageOf: (key) =>
      db.prepare<[string], number | null>('SELECT message_id FROM telegram_outbox WHERE key = ?').pluck().get(key) ??
      undefined,
    find: (key) => {
      const row = db.prepare<[string], OutboxRow>('SELECT * FROM telegram_outbox WHERE key = ?').get(key);
      return row && toItem(row);
    },
    latest: (kind) => {
      const row = db
        .prepare<[string], OutboxRow>('SELECT * FROM telegram_outbox WHERE kind = ? ORDER BY at DESC LIMIT 1')
        .get(kind);
      return row && toItem(row);
    },
    forgetOld: () => {
      db.prepare("DELETE FROM telegram_outbox WHERE state IN ('sent', 'failed') AND at < ?").run(
        utc(clock() - REMEMBERED_MS),
      );
    },
  };
}

function toItem({ key, kind, facts, at, is_repeat, parts_sent }: OutboxRow): OutboxItem {
  const isRepeat = is_repeat === 1;
  return { key, kind, facts: JSON.parse(facts) as Facts, at, isRepeat, partsSent: parts_sent };
}
