import type { Migration } from './migration.ts';

/** The ledger of slots, and since when each entry of the timetable has been as it is. All moments are ISO 8601 in UTC. */
export const scheduleSlots: Migration = {
  name: 'schedule-slots',
  sql: `
    CREATE TABLE schedule_slots (
      job TEXT NOT NULL,
      slot_utc TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('due', 'waiting', 'running', 'done', 'failed', 'skipped', 'missed')),
      is_manual INTEGER NOT NULL DEFAULT 0,
      attempts INTEGER NOT NULL DEFAULT 0,
      claimed_at TEXT,
      claimed_by TEXT,
      lateness_ms INTEGER,
      finished_at TEXT,
      summary TEXT,
      error TEXT,
      exit_code INTEGER,
      PRIMARY KEY (job, slot_utc)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE schedule_entries (
      job TEXT PRIMARY KEY,
      at TEXT NOT NULL,
      timezone TEXT NOT NULL,
      since_utc TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
};
