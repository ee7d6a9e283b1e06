import { randomBytes } from 'node:crypto';
import { utc } from '../ledger.ts';
import type { MonitorDb } from '../monitor-db.ts';
import type { Words } from '../words.ts';

/** What a button carries, for the action that it is. */
export type Args = Readonly<Record<string, string | number>>;

/** A button under a message. What it does stays here: Telegram only carries a number nobody can guess. */
export interface Button {
  readonly label: Words | string;
  /** One of ACTIONS. */
  readonly action: string;
  readonly args?: Args;
  /** It works once. */
  readonly isOnce?: true;
  /** How many days it works, if that is not a week. */
  readonly validDays?: number;
}

/** Rows of buttons. */
export type Keyboard = readonly (readonly Button[])[];

/** What a nonce stands for; `forged` if we never gave it out. */
export type Pressed =
  | { readonly state: 'valid' | 'used' | 'expired'; readonly action: string; readonly args: Args }
  | { readonly state: 'forged' };

const DAY_MS = 86_400_000;
const VALID_DAYS = 7;
/** How long a button that does not work any more is told from one that never did. */
const REMEMBERED_MS = 30 * DAY_MS;
const NONCE_BYTES = 16;

/** The row of a button. */
interface ButtonRow {
  readonly action: string;
  readonly args: string;
  readonly expires_at: string;
  readonly used_at: string | null;
}

/** Notes a button; what Telegram carries for it, 24 bytes. */
export function noteButton(db: MonitorDb, button: Button, nowMs: number): string {
  const { action, args = {}, isOnce, validDays = VALID_DAYS } = button;
  const nonce = randomBytes(NONCE_BYTES).toString('base64url');
  db.prepare('INSERT INTO telegram_buttons (nonce, action, args, is_once, expires_at) VALUES (?, ?, ?, ?, ?)').run(
    nonce,
    action,
    JSON.stringify(args),
    isOnce ? 1 : 0,
    utc(nowMs + validDays * DAY_MS),
  );
  return nonce;
}

/** What was pressed; one that works once is used by this. */
export function pressButton(db: MonitorDb, nonce: string, nowMs: number): Pressed {
  const row = db
    .prepare<[string], ButtonRow>('SELECT action, args, expires_at, used_at FROM telegram_buttons WHERE nonce = ?')
    .get(nonce);
  if (!row) return { state: 'forged' };
  const what = { action: row.action, args: JSON.parse(row.args) as Args };
  if (row.used_at !== null) return { state: 'used', ...what };
  if (row.expires_at <= utc(nowMs)) return { state: 'expired', ...what };
  db.prepare('UPDATE telegram_buttons SET used_at = ? WHERE nonce = ? AND is_once = 1').run(utc(nowMs), nonce);
  return { state: 'valid', ...what };
}

/** A button whose work failed works again. */
export function releaseButton(db: MonitorDb, nonce: string): void {
  db.prepare('UPDATE telegram_buttons SET used_at = NULL WHERE nonce = ?').run(nonce);
}

/** Forgets buttons that have not worked for a month. */
export function forgetButtons(db: MonitorDb, nowMs: number): void {
  db.prepare('DELETE FROM telegram_buttons WHERE expires_at < ?').run(utc(nowMs - REMEMBERED_MS));
}
