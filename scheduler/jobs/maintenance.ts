import { utc } from '../ledger.ts';
import { askFor } from '../maintenance/checklist.ts';
import { composeMaintenance, summarizeMaintenance } from '../maintenance/describe-maintenance.ts';
import { doTasks } from '../maintenance/do-tasks.ts';
import { writeTaskResults } from '../maintenance/results.ts';
import { type MaintenanceTask, PERIODS, type Period } from '../maintenance/task.ts';
import { MAINTENANCE_TASKS } from '../maintenance/tasks.ts';
import { postMessage, tellAtEnd } from '../outbox.ts';
import type { Job, JobContext } from './job.ts';

/** One job for each period of the maintenance calendar: `maintenance-daily` to `maintenance-quarterly`. */
export const maintenanceJobs: readonly Job[] = PERIODS.map((every) => ({
  name: `maintenance-${every}`,
  run: async (context) => {
    return await tellAtEnd(context, await maintain(every, context));
  },
}));

/** Whoever died in the middle does it again: results are written over, and what is asked or told has a name made of the day. */
async function maintain(every: Period, context: JobContext): Promise<string> {
  const { settings, db, clock, log, signal, slot } = context;
  const { language, timezone } = settings.config;
  const tasks: readonly MaintenanceTask[] = MAINTENANCE_TASKS.filter((task) => task.every === every);
  const results = await doTasks(tasks, { settings, db, log, signal, nowMs: clock() });
  const day = localDay(slot.slotMs, timezone);
  const write = db.transaction((): string => {
    const nowMs = clock();
    writeTaskResults(db, results, utc(slot.slotMs));
    const byHand = tasks.filter(({ by }) => by === 'person');
    const said = { every, results, items: askFor(db, byHand, { day, nowMs }) };
    const facts = composeMaintenance(said, language);
    if (facts !== undefined) {
      postMessage(db, { kind: 'checklist', key: `maintenance-${every}-${day}`, facts }, nowMs);
    }
    return summarizeMaintenance(said);
  });
  return write.immediate();
}

/** YYYY-MM-DD by the calendar on the wall. */
function localDay(ms: number, timezone: string): string {
  // Sweden writes dates as ISO 8601 does.
  return new Intl.DateTimeFormat('sv-SE', { timeZone: timezone }).format(ms);
}
