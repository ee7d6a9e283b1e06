import { backups } from './backups.ts';
import { codeReviews } from './code-reviews.ts';
import type { Migration } from './migration.ts';
import { scheduleSlots } from './schedule-slots.ts';

/** Every migration, in the order in which they are applied. To add one: a file here, and a line at the end. */
export const MIGRATIONS: readonly Migration[] = [scheduleSlots, codeReviews, backups];
