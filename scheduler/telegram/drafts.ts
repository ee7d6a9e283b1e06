import { utc } from '../ledger.ts';
import type { Context } from './context.ts';

/** A task that somebody has begun to describe. */
export interface Draft {
  /** The task's, once it is one. */
  readonly id: string;
  readonly agent?: string;
  readonly project?: string;
  readonly prompt?: string;
  readonly budgetUsd?: number;
}

type Owner = Pick<Context, 'db' | 'clock' | 'userId'>;

const VALID_MS = 3_600_000;

/** The draft of a person; one at a time, and for an hour. */
export function readDraft({ db, clock, userId }: Owner): Draft | undefined {
  const text = db
    .prepare<[number, string], string>('SELECT draft FROM telegram_drafts WHERE user_id = ? AND expires_at > ?')
    .pluck()
    .get(userId, utc(clock()));
  return text === undefined ? undefined : (JSON.parse(text) as Draft);
}

/** Keeps it, in the place of any other. */
export function keepDraft({ db, clock, userId }: Owner, draft: Draft): void {
  db.prepare('INSERT OR REPLACE INTO telegram_drafts (user_id, draft, expires_at) VALUES (?, ?, ?)').run(
    userId,
    JSON.stringify(draft),
    utc(clock() + VALID_MS),
  );
}

/** Forgets it. */
export function dropDraft({ db, userId }: Owner): void {
  db.prepare('DELETE FROM telegram_drafts WHERE user_id = ?').run(userId);
}
