import type { Migration } from './migration.ts';

/** What was set by hand with `swarm goal set`, each time it was. */
export const goals: Migration = {
  name: 'goals',
  sql: `
    CREATE TABLE goals (
      id INTEGER PRIMARY KEY,
      goal TEXT NOT NULL,
      percent REAL NOT NULL CHECK (percent BETWEEN 0 AND 100),
      set_at TEXT NOT NULL
    ) STRICT;
  `,
};
