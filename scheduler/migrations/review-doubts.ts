import type { Migration } from './migration.ts';

/** Whether somebody told that a pull request is closed or a draft, so that GitHub is to be asked before its review is begun. */
export const reviewDoubts: Migration = {
  name: 'review-doubts',
  sql: 'ALTER TABLE pull_request_reviews ADD COLUMN is_doubted INTEGER NOT NULL DEFAULT 0',
};
