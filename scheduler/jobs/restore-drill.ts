import { drillRestore } from '../backup/restore-drill.ts';
import type { Job } from './job.ts';

/** The newest backups are restored into temporary files: one that was never restored is none. */
export const restoreDrill: Job = {
  name: 'restore-drill',
  timeoutMs: 60 * 60_000,
  run: async (context) => ({ summary: `restored ${await drillRestore(context, context.signal)}` }),
};
