import { archive } from './archive.ts';
import { backup } from './backup.ts';
import { codeReview } from './code-review.ts';
import { digest } from './digest.ts';
import { createHealthJob } from './health.ts';
import type { Job } from './job.ts';
import { maintenanceJobs } from './maintenance.ts';
import { reconcile } from './reconcile.ts';
import { restoreDrill } from './restore-drill.ts';
import { retro } from './retro.ts';

/** Every job. To add one: a file here, a line below, and its time in `timetable.ts`. */
export const JOBS: readonly Job[] = [
  codeReview,
  reconcile,
  retro,
  createHealthJob(),
  ...maintenanceJobs,
  digest,
  backup,
  restoreDrill,
  archive,
];
