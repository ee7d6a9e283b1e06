import { randomUUID } from 'node:crypto';
import type { Log } from '../lib/log.ts';
import { readProjects } from '../lib/projects.ts';
import { createCounters } from './counters.ts';
import { JOBS } from './jobs/all.ts';
import type { Job } from './jobs/job.ts';
import { createLead, type Lead } from './lead.ts';
import { createLedger, type Ledger } from './ledger.ts';
import { openMonitorDb } from './monitor-db.ts';
import { createRunner, type Runner } from './runner.ts';
import type { Settings } from './settings.ts';
import { TIMETABLE, type TimetableEntry } from './timetable.ts';
import { readTimetable, type ScheduledEntry } from './timetable-file.ts';
import { createTools, type Tools } from './tools.ts';

/** What tests put in place of the real thing. */
export interface Overrides {
  readonly timetable?: readonly TimetableEntry[];
  readonly jobs?: readonly Job[];
  readonly clock?: () => number;
  readonly hasQueue?: boolean;
}

/** What does jobs, for the scheduler and for `swarm schedule run`. */
export interface Machinery {
  readonly tools: Tools;
  readonly entries: readonly ScheduledEntry[];
  readonly ledger: Ledger;
  readonly lead: Lead;
  readonly runner: Runner;
  /** Waits a moment for what runs, gives the lead up and closes monitor.db. */
  readonly close: () => Promise<void>;
}

const SETTLE_MS = 1_000;

/**
 * Puts it together; nothing is done yet.
 * @throws UsageError if the timetable or projects.json is wrong, OperatorError if monitor.db cannot be used.
 */
export function assemble(settings: Settings, log: Log, overrides: Overrides = {}): Machinery {
  const { timetable = TIMETABLE, jobs = JOBS, clock = Date.now, hasQueue = true } = overrides;
  const { config, scheduler } = settings;
  readProjects(config.projectsFile);
  const entries = readTimetable({ timetable, timezone: config.timezone, file: scheduler.timetableFile });
  const db = openMonitorDb(scheduler.monitorDbPath);
  const tools = createTools({ settings, db, log, clock, hasQueue, counters: createCounters() });
  const lead = createLead(scheduler.monitorDbPath);
  const ledger = createLedger(db, `${process.pid}-${randomUUID()}`);
  const runner = createRunner({ entries, jobs, ledger, lead, tools });
  return {
    tools,
    entries,
    ledger,
    lead,
    runner,
    close: async () => {
      runner.stop();
      await Promise.race([runner.settled(), new Promise((resolve) => setTimeout(resolve, SETTLE_MS).unref())]);
      lead.giveUp();
      db.close();
    },
  };
}
