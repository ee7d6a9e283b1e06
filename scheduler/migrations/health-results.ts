import type { Migration } from './migration.ts';

/** What each check of each project found, run by run; `known` is the last state that was not "unavailable", and since when. */
export const healthResults: Migration = {
  name: 'health-results',
  sql: `
    CREATE TABLE health_results (
      run_utc TEXT NOT NULL,
      project TEXT NOT NULL,
      check_name TEXT NOT NULL,
      checked_at TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('up', 'down', 'unavailable')),
      seconds REAL NOT NULL,
      text TEXT NOT NULL,
      figures TEXT NOT NULL,
      known_state TEXT CHECK (known_state IN ('up', 'down')),
      known_since TEXT,
      PRIMARY KEY (project, check_name, run_utc)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX health_results_by_run ON health_results (run_utc);
  `,
};
