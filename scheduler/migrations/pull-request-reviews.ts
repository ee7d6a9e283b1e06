import type { Migration } from './migration.ts';

/**
 * Which deliveries of GitHub's webhook were taken up, what became of each head of a pull request, and which tasks are to be
 * cancelled. `counted_day` is the local day whose REVIEWS_PER_DAY a review takes one of; null if it takes none.
 */
export const pullRequestReviews: Migration = {
  name: 'pull-request-reviews',
  sql: `
    CREATE TABLE github_deliveries (
      delivery_id TEXT PRIMARY KEY,
      received_at TEXT NOT NULL,
      action TEXT NOT NULL,
      repository TEXT NOT NULL,
      number INTEGER NOT NULL,
      head_sha TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE pull_request_reviews (
      repository TEXT NOT NULL,
      number INTEGER NOT NULL,
      head_sha TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('due', 'queued', 'posted', 'over-cap', 'superseded', 'failed', 'refused')),
      round INTEGER NOT NULL DEFAULT 0,
      noticed_at TEXT NOT NULL,
      begin_at TEXT NOT NULL,
      next_try_at TEXT NOT NULL,
      tries INTEGER NOT NULL DEFAULT 0,
      counted_day TEXT,
      task_id TEXT,
      is_diff_cut INTEGER NOT NULL DEFAULT 0,
      review_id INTEGER,
      changed_at TEXT NOT NULL,
      error TEXT,
      PRIMARY KEY (repository, number, head_sha)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX pull_request_reviews_by_state ON pull_request_reviews (state);
    CREATE INDEX pull_request_reviews_by_day ON pull_request_reviews (counted_day);
    CREATE TABLE review_cancellations (task_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  `,
};
