import { archive } from './archive.ts';
import { backup } from './backup.ts';
import { codeReview } from './code-review.ts';
import type { Job } from './job.ts';
import { restoreDrill } from './restore-drill.ts';

/** Every job. To add one: a file here, a line below, and its time in `timetable.ts`. */
export const JOBS: readonly Job[] = [codeReview, backup, restoreDrill, archive];
