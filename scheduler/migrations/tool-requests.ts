import type { Migration } from './migration.ts';

/**
 * A task may be asked about twice in one round: before it begins, and when its agent was refused a tool. `key` is that of the
 * message in the outbox.
 */
export const toolRequests: Migration = {
  name: 'tool-requests',
  sql: `
    ALTER TABLE telegram_approvals RENAME TO telegram_approvals_before;
    CREATE TABLE telegram_approvals (
      task_id TEXT NOT NULL,
      round INTEGER NOT NULL,
      about TEXT NOT NULL CHECK (about IN ('task', 'tool')),
      key TEXT NOT NULL,
      state TEXT NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'granted', 'rejected', 'expired', 'gone')),
      asked_at TEXT NOT NULL,
      expires_at TEXT NOT NULL,
      decided_at TEXT,
      decided_by INTEGER,
      applied_at TEXT,
      PRIMARY KEY (task_id, round, about)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO telegram_approvals
      SELECT task_id, round, 'task', 'approval-' || task_id || '-' || round,
        state, asked_at, expires_at, decided_at, decided_by, applied_at
      FROM telegram_approvals_before;
    DROP TABLE telegram_approvals_before;
  `,
};
