import type { Migration } from './migration.ts';

/** What the maintenance found, task by task, and what people were asked to do: ticked off when they have. */
export const maintenance: Migration = {
  name: 'maintenance',
  sql: `
    CREATE TABLE maintenance_results (
      task TEXT NOT NULL,
      run_utc TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('ok', 'attention', 'unavailable')),
      text TEXT NOT NULL,
      figures TEXT NOT NULL,
      PRIMARY KEY (task, run_utc)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE maintenance_checklist (
      id TEXT PRIMARY KEY,
      task TEXT NOT NULL,
      asked_at TEXT NOT NULL,
      done_at TEXT,
      done_by TEXT
    ) STRICT, WITHOUT ROWID;
  `,
};
