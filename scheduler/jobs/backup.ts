import { OperatorError } from '../../lib/errors.ts';
import { backUp } from '../backup/back-up.ts';
import type { Job } from './job.ts';

/** Both databases, what was moved out of the memory, and the settings are backed up. */
export const backup: Job = {
  name: 'backup',
  timeoutMs: 60 * 60_000,
  run: async (context) => {
    const { made, failed } = await backUp(context, context.signal);
    const megabytes = made.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;
    const summary = `${made.length} files, ${megabytes.toFixed(1)} MB`;
    if (failed.length > 0) throw new OperatorError(failed.join(' '), `Backed up all the same: ${summary}.`);
    return { summary };
  },
};
