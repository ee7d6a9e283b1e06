import type { Migration } from './migration.ts';

/** What people are to be told: written together with what it tells, and told when the queue can be reached. */
export const outbox: Migration = {
  name: 'outbox',
  sql: `
    CREATE TABLE outbox (
      key TEXT PRIMARY KEY,
      kind TEXT NOT NULL,
      facts TEXT NOT NULL,
      posted_at TEXT NOT NULL,
      told_at TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX outbox_untold ON outbox (posted_at) WHERE told_at IS NULL;
  `,
};
