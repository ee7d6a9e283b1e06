import type { Migration } from './migration.ts';

/** The catalogue of backups, whole files only, and how the restore drills went. All moments are ISO 8601 in UTC. */
export const backups: Migration = {
  name: 'backups',
  sql: `
    CREATE TABLE backups (
      file TEXT PRIMARY KEY,
      source TEXT NOT NULL,
      source_path TEXT NOT NULL,
      source_signature TEXT NOT NULL,
      made_at TEXT NOT NULL,
      bytes INTEGER NOT NULL,
      sha256 TEXT NOT NULL,
      unpacked_bytes INTEGER NOT NULL,
      row_counts TEXT,
      sent_at TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX backups_of_source ON backups (source, made_at);
    CREATE TABLE restore_drills (
      drilled_at TEXT PRIMARY KEY,
      is_restored INTEGER NOT NULL,
      summary TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
};
