import type { SlotState } from './ledger.ts';
import type { MonitorDb } from './monitor-db.ts';

/** How a job stands by the ledger. Moments in UTC milliseconds. */
export interface Standing {
  /** When it last began, whether at its time or by hand. */
  readonly lastRunMs: number | undefined;
  readonly lastState: SlotState | undefined;
  readonly lastSuccessMs: number | undefined;
  /** What its last run said, or why it failed. */
  readonly lastText: string | undefined;
  /** How long the oldest slot since the last success has been waiting to be done; 0 if none is. */
  readonly latenessMs: number;
}

interface SlotRow {
  readonly state: SlotState;
  readonly claimed_at: string | null;
  readonly text: string | null;
}

/** Reads how a job stands at a moment. */
export function readStanding(db: MonitorDb, job: string, nowMs: number): Standing {
  const last = db
    .prepare<[string], SlotRow>(
      `SELECT state, claimed_at, coalesce(error, summary) AS text FROM schedule_slots
       WHERE job = ? AND claimed_at IS NOT NULL ORDER BY claimed_at DESC, slot_utc DESC LIMIT 1`,
    )
    .get(job);
  const success = one(db, "SELECT max(finished_at) FROM schedule_slots WHERE job = ? AND state = 'done'", [job]);
  // What was left out or has gone by is over by the rules of its entry.
  const open = one(
    db,
    `SELECT min(slot_utc) FROM schedule_slots WHERE job = ? AND is_manual = 0
       AND state IN ('due', 'waiting', 'running', 'failed') AND slot_utc > ?`,
    [job, success ?? ''],
  );
  return {
    lastRunMs: toMs(last?.claimed_at),
    lastState: last?.state,
    lastSuccessMs: toMs(success),
    lastText: last?.text ?? undefined,
    latenessMs: open === undefined ? 0 : Math.max(0, nowMs - Date.parse(open)),
  };
}

function one(db: MonitorDb, sql: string, values: readonly string[]): string | undefined {
  return (db
    .prepare<string[], string | null>(sql)
    .pluck()
    .get(...values) ?? undefined) as string | undefined;
}

function toMs(text: string | null | undefined): number | undefined {
  return text ? Date.parse(text) : undefined;
}
