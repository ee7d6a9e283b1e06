import type { Migration } from './migration.ts';

/** Where a review stands, as GitHub said when it took it. */
export const reviewLinks: Migration = {
  name: 'review-links',
  sql: 'ALTER TABLE pull_request_reviews ADD COLUMN review_url TEXT;',
};
