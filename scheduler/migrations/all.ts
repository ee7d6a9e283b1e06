import { backups } from './backups.ts';
import { codeReviews } from './code-reviews.ts';
import { goals } from './goals.ts';
import { healthResults } from './health-results.ts';
import { maintenance } from './maintenance.ts';
import type { Migration } from './migration.ts';
import { outbox } from './outbox.ts';
import { pullRequestReviews } from './pull-request-reviews.ts';
import { retros } from './retros.ts';
import { reviewDoubts } from './review-doubts.ts';
import { reviewLinks } from './review-links.ts';
import { scheduleSlots } from './schedule-slots.ts';
import { telegram } from './telegram.ts';
import { toolRequests } from './tool-requests.ts';

/** Every migration, in the order in which they are applied. To add one: a file here, and a line at the end. */
export const MIGRATIONS: readonly Migration[] = [
  scheduleSlots,
  codeReviews,
  pullRequestReviews,
  outbox,
  healthResults,
  goals,
  maintenance,
  telegram,
  retros,
  backups,
  reviewDoubts,
  toolRequests,
  reviewLinks,
];
