import { judgeSlots, windowMs } from './catch-up.ts';
import type { MonitorDb } from './monitor-db.ts';
import { slots } from './slots.ts';
import type { ScheduledEntry } from './timetable-file.ts';

export type SlotState = 'due' | 'waiting' | 'running' | 'done' | 'failed' | 'skipped' | 'missed';

/** A slot that this process has claimed. */
export interface ClaimedSlot {
  readonly job: string;
  readonly slotMs: number;
  readonly latenessMs: number;
  /** Asked for by hand, at no time of the timetable. */
  readonly isManual: boolean;
}

/** How the work on a slot ended. `waiting`: what it needs is away; it is tried again while its window is open. */
export interface SlotEnd {
  readonly state: 'done' | 'failed' | 'waiting' | 'due';
  readonly nowMs: number;
  readonly summary?: string;
  readonly error?: string;
  readonly exitCode: number;
}

/** What is due, who does it, and what was done: each slot once, whoever dies at whatever line. */
export interface Ledger {
  /** Writes down what has become due; `isRunning` says whose run before is not over. */
  readonly notice: (entries: readonly ScheduledEntry[], nowMs: number, isRunning: (job: string) => boolean) => void;
  /** Asks for a run by hand; gives the moment that names it. */
  readonly request: (job: string, nowMs: number) => number;
  /** Takes the oldest slot of a job that is due. */
  readonly claim: (job: string, nowMs: number) => ClaimedSlot | undefined;
  readonly finish: (slot: ClaimedSlot, end: SlotEnd) => void;
  /** Gives back what dead processes had claimed. Only whoever has the lead may: then nobody else is alive. */
  readonly recover: (nowMs: number) => void;
}

/** What is older is not looked for: after a longer absence nobody wants to know every slot that was missed. */
const LOOK_BACK_MS = 8 * 86_400_000;
const KEPT_MS = 400 * 86_400_000;
/** Whoever has died so often while doing a slot would die of it for ever. */
const MOST_ATTEMPTS = 3;
/** What was asked for by hand is done at once or not at all. */
const REQUEST_MS = 600_000;
/** Due, and not begun by somebody who died meanwhile: that is finished whatever time it is. */
const UNBEGUN = "is_manual = 0 AND state IN ('due', 'waiting') AND attempts = 0";

/** The ledger in a monitor.db; `holder` names this process in it. */
export function createLedger(db: MonitorDb, holder: string): Ledger {
  const notice = db.transaction(
    (entries: readonly ScheduledEntry[], nowMs: number, isRunning: (job: string) => boolean): void => {
      forgetFuture(db, nowMs);
      for (const entry of entries) {
        const sinceMs = noteEntry(db, entry, nowMs);
        if (entry.cron !== undefined) noticeEntry(db, { entry, sinceMs, nowMs, isRunning: isRunning(entry.job) });
      }
      db.prepare("UPDATE schedule_slots SET state = 'due' WHERE state = 'waiting'").run();
    },
  );
  return {
    notice: (entries, nowMs, isRunning) => notice.immediate(entries, nowMs, isRunning),
    request: (job, nowMs) => {
      const add = db.prepare(
        "INSERT OR IGNORE INTO schedule_slots (job, slot_utc, state, is_manual) VALUES (?, ?, 'due', 1)",
      );
      let slotMs = nowMs;
      while (add.run(job, utc(slotMs)).changes === 0) slotMs += 1;
      return slotMs;
    },
    claim: (job, nowMs) => claim(db, { job, nowMs, holder }),
    finish: ({ job, slotMs, latenessMs }, { state, nowMs, summary = null, error = null, exitCode }) => {
      // Whoever waits has not begun.
      db.prepare(
        `UPDATE schedule_slots SET state = @state, finished_at = @finishedAt, lateness_ms = @latenessMs, summary = @summary,
           error = @error, exit_code = @exitCode, attempts = iif(@state = 'waiting', 0, attempts)
         WHERE job = @job AND slot_utc = @slot AND state = 'running' AND claimed_by = @holder`,
      ).run({ state, finishedAt: utc(nowMs), latenessMs, summary, error, exitCode, job, slot: utc(slotMs), holder });
    },
    recover: (nowMs) => {
      const giveUp = (error: string, where: string, ...values: readonly (string | number)[]): void => {
        db.prepare(
          `UPDATE schedule_slots SET state = 'failed', finished_at = ?, exit_code = 1, error = ? WHERE ${where}`,
        ).run(utc(nowMs), error, ...values);
      };
      giveUp('the process that ran it has died', "state = 'running' AND is_manual = 1");
      giveUp('nobody was there to do it', "state = 'due' AND is_manual = 1 AND slot_utc < ?", utc(nowMs - REQUEST_MS));
      giveUp('each process that ran it has died', "state = 'running' AND attempts >= ?", MOST_ATTEMPTS);
      db.prepare("UPDATE schedule_slots SET state = 'due' WHERE state = 'running'").run();
      db.prepare('DELETE FROM schedule_slots WHERE slot_utc < ?').run(utc(nowMs - KEPT_MS));
    },
  };
}

/** A clock that had run ahead left out slots whose time has not come: they get their turn. */
function forgetFuture(db: MonitorDb, nowMs: number): void {
  db.prepare("DELETE FROM schedule_slots WHERE slot_utc >= ? AND is_manual = 0 AND state IN ('skipped', 'missed')").run(
    utc(nowMs),
  );
}

/** Since when an entry has been as it is: what was before is not done. Off and on again counts as new. */
function noteEntry(db: MonitorDb, entry: ScheduledEntry, nowMs: number): number {
  const at = entry.cron === undefined ? 'off' : entry.at;
  const known = db
    .prepare<[string], { at: string; timezone: string; since_utc: string }>(
      'SELECT * FROM schedule_entries WHERE job = ?',
    )
    .get(entry.job);
  if (known?.at === at && known.timezone === entry.timezone && Date.parse(known.since_utc) <= nowMs) {
    return Date.parse(known.since_utc);
  }
  db.prepare('INSERT OR REPLACE INTO schedule_entries VALUES (?, ?, ?, ?)').run(
    entry.job,
    at,
    entry.timezone,
    utc(nowMs),
  );
  // What the entry it was before still had to do goes with it.
  db.prepare(`DELETE FROM schedule_slots WHERE job = ? AND ${UNBEGUN}`).run(entry.job);
  return nowMs;
}

interface Noticing {
  readonly entry: ScheduledEntry;
  readonly sinceMs: number;
  readonly nowMs: number;
  readonly isRunning: boolean;
}

function noticeEntry(db: MonitorDb, { entry, sinceMs, nowMs, isRunning }: Noticing): void {
  const { job, cron, timezone, catchUp } = entry;
  if (cron === undefined) return;
  const due = slots(cron, Math.max(sinceMs, nowMs - LOOK_BACK_MS), nowMs, timezone);
  const isKnown = db.prepare('SELECT 1 FROM schedule_slots WHERE job = ? AND slot_utc = ?');
  const fresh = due.filter((slotMs) => isKnown.get(job, utc(slotMs)) === undefined);
  const add = db.prepare('INSERT OR IGNORE INTO schedule_slots (job, slot_utc, state, error) VALUES (?, ?, ?, ?)');
  for (const { slotMs, state } of judgeSlots(entry, fresh, nowMs)) {
    const isLeftOut = state === 'due' && isRunning && entry.overlap === 'skip';
    add.run(job, utc(slotMs), isLeftOut ? 'skipped' : state, isLeftOut ? 'the run before was not over' : null);
  }
  db.prepare(
    `UPDATE schedule_slots SET state = iif(error IS NULL, 'missed', 'failed') WHERE job = ? AND slot_utc < ? AND ${UNBEGUN}`,
  ).run(job, utc(nowMs - windowMs(entry)));
  if (catchUp.policy === 'all') return;
  db.prepare(
    `UPDATE schedule_slots SET state = 'skipped' WHERE job = ? AND ${UNBEGUN} AND slot_utc <
       (SELECT max(slot_utc) FROM schedule_slots WHERE job = ? AND ${UNBEGUN})`,
  ).run(job, job);
}

interface Claiming {
  readonly job: string;
  readonly nowMs: number;
  readonly holder: string;
}

function claim(db: MonitorDb, { job, nowMs, holder }: Claiming): ClaimedSlot | undefined {
  const row = db
    .prepare<[string, string, string, string], { slot_utc: string; is_manual: number }>(
      `UPDATE schedule_slots SET state = 'running', claimed_at = ?, claimed_by = ?, attempts = attempts + 1, error = NULL
       WHERE job = ? AND state = 'due' AND slot_utc =
         (SELECT min(slot_utc) FROM schedule_slots WHERE job = ? AND state = 'due')
       RETURNING slot_utc, is_manual`,
    )
    .get(utc(nowMs), holder, job, job);
  if (row === undefined) return undefined;
  const slotMs = Date.parse(row.slot_utc);
  return { job, slotMs, latenessMs: Math.max(0, nowMs - slotMs), isManual: row.is_manual === 1 };
}

/** How moments stand in monitor.db: as text they sort by time. */
export function utc(ms: number): string {
  return new Date(ms).toISOString();
}
