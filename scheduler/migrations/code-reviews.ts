import type { Migration } from './migration.ts';

/** Which commits of a project each slot of the code review covers; the last one queued is what the next begins from. */
export const codeReviews: Migration = {
  name: 'code-reviews',
  sql: `
    CREATE TABLE code_reviews (
      project TEXT NOT NULL,
      slot_utc TEXT NOT NULL,
      from_commit TEXT,
      to_commit TEXT NOT NULL,
      commits INTEGER NOT NULL,
      queued_at TEXT,
      task_id TEXT,
      PRIMARY KEY (project, slot_utc)
    ) STRICT, WITHOUT ROWID;
  `,
};
