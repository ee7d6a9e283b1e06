import type { TaskView } from '../../lib/queue/task-view.ts';
import { utc } from '../ledger.ts';
import type { MonitorDb } from '../monitor-db.ts';

export type Decision = 'granted' | 'rejected';
type AskState = 'asked' | Decision | 'expired' | 'gone';

/** A question about a task in one of its rounds: whether it may begin, or whether its agent may use a tool it was refused. */
export interface Question {
  readonly id: string;
  readonly round: number;
  readonly about: 'task' | 'tool';
}

/** A question that was asked. */
export interface Ask extends Question {
  /** Of its message in the outbox. */
  readonly key: string;
  readonly state: AskState;
  readonly expiresAt: string;
}

const COLUMNS = 'task_id AS id, round, about, key, state, expires_at AS expiresAt';
const IT = 'task_id = @id AND round = @round AND about = @about';

/** Notes a question; false if it was asked before. */
export function noteAsk(
  db: MonitorDb,
  { id, round, about }: Question,
  { key, nowMs, expiresMs }: { readonly key: string; readonly nowMs: number; readonly expiresMs: number },
): boolean {
  const sql = `INSERT OR IGNORE INTO telegram_approvals (task_id, round, about, key, asked_at, expires_at)
    VALUES (@id, @round, @about, @key, @askedAt, @expiresAt)`;
  const ask = { id, round, about, key, askedAt: utc(nowMs), expiresAt: utc(expiresMs) };
  return db.prepare(sql).run(ask).changes === 1;
}

/** Notes a decision; false if the question is not open any more. */
export function decideAsk(
  db: MonitorDb,
  { id, round, about }: Question,
  { decision, userId, nowMs }: { readonly decision: Decision; readonly userId: number; readonly nowMs: number },
): boolean {
  const sql = `UPDATE telegram_approvals SET state = @decision, decided_at = @now, decided_by = @userId
    WHERE ${IT} AND state = 'asked' AND expires_at > @now`;
  return db.prepare(sql).run({ id, round, about, decision, userId, now: utc(nowMs) }).changes === 1;
}

/** Decisions that were not carried out yet. */
export function unappliedAsks(db: MonitorDb): readonly Ask[] {
  const where = "state IN ('granted', 'rejected') AND applied_at IS NULL";
  return db.prepare<[], Ask>(`SELECT ${COLUMNS} FROM telegram_approvals WHERE ${where}`).all();
}

/** Notes that a decision was carried out. */
export function noteApplied(db: MonitorDb, { id, round, about }: Question, nowMs: number): void {
  const sql = `UPDATE telegram_approvals SET applied_at = @now WHERE ${IT}`;
  db.prepare(sql).run({ id, round, about, now: utc(nowMs) });
}

/** Questions nobody has answered. */
export function openAsks(db: MonitorDb): readonly Ask[] {
  return db.prepare<[], Ask>(`SELECT ${COLUMNS} FROM telegram_approvals WHERE state = 'asked'`).all();
}

/** Closes a question without an answer; false if somebody has decided it meanwhile. */
export function closeAsk(db: MonitorDb, { id, round, about }: Question, state: 'expired' | 'gone'): boolean {
  const sql = `UPDATE telegram_approvals SET state = @state WHERE ${IT} AND state = 'asked'`;
  return db.prepare(sql).run({ id, round, about, state }).changes === 1;
}

/** A question as it was asked. */
export function findAsk(db: MonitorDb, { id, round, about }: Question): Ask | undefined {
  const sql = `SELECT ${COLUMNS} FROM telegram_approvals WHERE ${IT}`;
  return db.prepare<[object], Ask>(sql).get({ id, round, about });
}

/** Whether a person may still say whether the agent of a task gets the tool it was refused. */
export function isToolAsked(db: MonitorDb, { id, progress: { round } }: TaskView): boolean {
  return findAsk(db, { id, round, about: 'tool' })?.state === 'asked';
}
