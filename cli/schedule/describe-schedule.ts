import { lookIntoMonitorDb } from '../../scheduler/monitor-db.ts';
import type { Settings } from '../../scheduler/settings.ts';
import { nextSlot } from '../../scheduler/slots.ts';
import { readStanding, type Standing } from '../../scheduler/standing.ts';
import { TIMETABLE, type TimetableEntry } from '../../scheduler/timetable.ts';
import { readTimetable, type ScheduledEntry } from '../../scheduler/timetable-file.ts';

/** A job of the timetable as `schedule list --json` prints it; moments are ISO 8601 in UTC. */
export interface ListedJob {
  readonly job: string;
  readonly isOff: boolean;
  readonly at: string;
  readonly timezone: string;
  readonly catchUp: string;
  readonly overlap: TimetableEntry['overlap'];
  readonly nextRun: string | null;
  readonly lastRun: string | null;
  readonly lastState: string | null;
  readonly lastText: string | null;
  readonly lastSuccess: string | null;
  readonly latenessSeconds: number;
}

/**
 * The timetable and how each of its jobs stands; a monitor.db that is not there yet is not made.
 * @throws OperatorError if it cannot be read, UsageError if TIMETABLE_FILE is wrong.
 */
export function listSchedule({ config, scheduler }: Settings, nowMs: number): readonly ListedJob[] {
  const file = scheduler.timetableFile;
  const entries = readTimetable({ timetable: TIMETABLE, timezone: config.timezone, file });
  const db = lookIntoMonitorDb(scheduler.monitorDbPath);
  try {
    return entries.map((entry) => describe(entry, db && readStanding(db, entry.job, nowMs), nowMs));
  } finally {
    db?.close();
  }
}

function describe(entry: ScheduledEntry, standing: Standing | undefined, nowMs: number): ListedJob {
  const { job, at, timezone, cron, catchUp, overlap } = entry;
  return {
    job,
    isOff: cron === undefined,
    at,
    timezone,
    catchUp: catchUp.policy === 'skip' ? 'skip' : `${catchUp.policy}, ${catchUp.withinHours} h`,
    overlap,
    nextRun: iso(cron && nextSlot(cron, nowMs, timezone)),
    lastRun: iso(standing?.lastRunMs),
    lastState: standing?.lastState ?? null,
    lastText: standing?.lastText ?? null,
    lastSuccess: iso(standing?.lastSuccessMs),
    latenessSeconds: cron === undefined ? 0 : Math.round((standing?.latenessMs ?? 0) / 1_000),
  };
}

function iso(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
