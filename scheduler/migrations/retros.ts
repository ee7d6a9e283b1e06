import type { Migration } from './migration.ts';

/** The retrospective of each slot: where its page is, and what the phone is told. Moments are ISO 8601 in UTC. */
export const retros: Migration = {
  name: 'retros',
  sql: `
    CREATE TABLE retros (
      slot_utc TEXT PRIMARY KEY,
      from_utc TEXT NOT NULL,
      until_utc TEXT NOT NULL,
      file TEXT NOT NULL,
      markdown TEXT NOT NULL,
      short_text TEXT NOT NULL,
      figures TEXT NOT NULL CHECK (json_valid(figures)),
      made_at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
};
