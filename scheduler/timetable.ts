/** What happens to a slot whose time went by while nobody ran: see `catch-up.ts`. */
export type CatchUp =
  | { readonly policy: 'latest' | 'all'; readonly withinHours: number }
  /** Done on time (within five minutes) or not at all. */
  | { readonly policy: 'skip' };

/** One job and when it is done, by the clock of SWARM_TIMEZONE. */
export interface TimetableEntry {
  readonly job: string;
  /** Minute, hour, day of the month, month, day of the week. */
  readonly at: string;
  readonly catchUp: CatchUp;
  /** If a slot comes while the one before is still being done: it is left out, or done after that one. */
  readonly overlap: 'skip' | 'wait';
  /** Done only if TIMETABLE_FILE gives it a time. */
  readonly isOff?: true;
}

/**
 * The built-in timetable. TIMETABLE_FILE moves a job (`{"retro": "0 17 * * fri"}`) or switches it off (`{"retro": "off"}`).
 * Nothing is due between 02:00 and 03:00, which on one night of the year does not exist, and on another comes twice.
 */
export const TIMETABLE: readonly TimetableEntry[] = [
  // Monday and Friday, 09:00
  { job: 'code-review', at: '0 9 * * mon,fri', catchUp: { policy: 'latest', withinHours: 24 }, overlap: 'skip' },
  // Every six hours, half past
  { job: 'backup', at: '30 0,6,12,18 * * *', catchUp: { policy: 'latest', withinHours: 8760 }, overlap: 'skip' },
  // Sunday, 05:15
  { job: 'restore-drill', at: '15 5 * * sun', catchUp: { policy: 'latest', withinHours: 72 }, overlap: 'skip' },
  // The first of the month, 04:45, if ARCHIVE_AFTER_DAYS is set
  { job: 'archive', at: '45 4 1 * *', catchUp: { policy: 'latest', withinHours: 72 }, overlap: 'skip' },
  // Every hour but that one, 17 minutes past
  { job: 'reconcile', at: '17 0-1,3-23 * * *', catchUp: { policy: 'skip' }, overlap: 'skip' },
  // Every day at midnight, 06:00, 12:00 and 18:00: how the projects are, which is only worth knowing at the time
  { job: 'health', at: '0 0,6,12,18 * * *', catchUp: { policy: 'skip' }, overlap: 'skip' },
  // The maintenance calendar: every day 07:30, Monday 07:45, the 1st 08:00, the 1st of a quarter 08:15
  { job: 'maintenance-daily', at: '30 7 * * *', catchUp: { policy: 'latest', withinHours: 12 }, overlap: 'skip' },
  { job: 'maintenance-weekly', at: '45 7 * * mon', catchUp: { policy: 'latest', withinHours: 72 }, overlap: 'skip' },
  { job: 'maintenance-monthly', at: '0 8 1 * *', catchUp: { policy: 'latest', withinHours: 168 }, overlap: 'skip' },
  {
    job: 'maintenance-quarterly',
    at: '15 8 1 1,4,7,10 *',
    catchUp: { policy: 'latest', withinHours: 168 },
    overlap: 'skip',
  },
  // Each morning, 08:30
  { job: 'digest', at: '30 8 * * *', catchUp: { policy: 'latest', withinHours: 6 }, overlap: 'skip' },
  // Friday, 18:00
  { job: 'retro', at: '0 18 * * fri', catchUp: { policy: 'latest', withinHours: 48 }, overlap: 'skip' },
];
