import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { assemble } from '../../scheduler/assemble.ts';
import { utc } from '../../scheduler/ledger.ts';
import type { Settings } from '../../scheduler/settings.ts';

/** How a run asked for by hand ended. */
export interface ManualEnd {
  readonly state: 'done' | 'failed';
  readonly summary: string | null;
  readonly error: string | null;
  readonly exitCode: number;
}

const LOOK_EVERY_MS = 200;
const LONGEST_WAIT_MS = 60 * 60_000;

/**
 * Has a job run once, now. A scheduler that works on the same monitor.db does it, with its own settings and never beside a
 * run of the same job; without one this process does.
 * @throws OperatorError if it is not over within an hour.
 */
export async function runJobNow(job: string, settings: Settings, log: Log): Promise<ManualEnd> {
  const machinery = assemble(settings, log);
  const { tools, ledger, lead, runner } = machinery;
  try {
    const slotUtc = utc(ledger.request(job, tools.clock()));
    const read = tools.db.prepare<[string, string], EndRow>(
      'SELECT state, summary, error, exit_code FROM schedule_slots WHERE job = ? AND slot_utc = ?',
    );
    const untilMs = Date.now() + LONGEST_WAIT_MS;
    while (Date.now() < untilMs) {
      if (lead.take()) runner.beginJob(job);
      const row = read.get(job, slotUtc);
      if (row?.state === 'done' || row?.state === 'failed') {
        return { state: row.state, summary: row.summary, error: row.error, exitCode: row.exit_code };
      }
      await sleep(LOOK_EVERY_MS);
    }
    throw new OperatorError(`Could not see the end of "${job}" within an hour.`, 'See the log of the scheduler.');
  } finally {
    await machinery.close();
  }
}

interface EndRow {
  readonly state: string;
  readonly summary: string | null;
  readonly error: string | null;
  readonly exit_code: number;
}
