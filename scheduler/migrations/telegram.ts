import type { Migration } from './migration.ts';

/**
 * What the phone needs to survive a restart: messages on their way, buttons that were handed out, questions that were asked,
 * and who ordered what. Moments are ISO 8601 in UTC.
 */
export const telegram: Migration = {
  name: 'telegram',
  sql: `
    CREATE TABLE telegram_outbox (
      key TEXT PRIMARY KEY,
      kind TEXT NOT NULL,
      facts TEXT NOT NULL,
      at TEXT NOT NULL,
      state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sending', 'sent', 'failed')),
      is_repeat INTEGER NOT NULL DEFAULT 0,
      parts_sent INTEGER NOT NULL DEFAULT 0,
      message_id INTEGER,
      sent_at TEXT,
      error TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX telegram_outbox_open ON telegram_outbox (state, at);
    CREATE TABLE telegram_buttons (
      nonce TEXT PRIMARY KEY,
      action TEXT NOT NULL,
      args TEXT NOT NULL,
      is_once INTEGER NOT NULL,
      expires_at TEXT NOT NULL,
      used_at TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE telegram_approvals (
      task_id TEXT NOT NULL,
      round INTEGER NOT NULL,
      state TEXT NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'granted', 'rejected', 'expired', 'gone')),
      asked_at TEXT NOT NULL,
      expires_at TEXT NOT NULL,
      decided_at TEXT,
      decided_by INTEGER,
      applied_at TEXT,
      PRIMARY KEY (task_id, round)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE telegram_drafts (
      user_id INTEGER PRIMARY KEY,
      draft TEXT NOT NULL,
      expires_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE telegram_ticks (
      list TEXT NOT NULL,
      item TEXT NOT NULL,
      ticked_at TEXT NOT NULL,
      user_id INTEGER NOT NULL,
      PRIMARY KEY (list, item)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE telegram_audit (
      id INTEGER PRIMARY KEY,
      at TEXT NOT NULL,
      user_id INTEGER NOT NULL,
      chat_id INTEGER NOT NULL,
      what TEXT NOT NULL,
      subject TEXT NOT NULL,
      outcome TEXT NOT NULL
    ) STRICT;
  `,
};
