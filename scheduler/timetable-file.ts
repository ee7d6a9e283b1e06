import { readFileSync } from 'node:fs';
import { UsageError } from '../lib/errors.ts';
import { type Cron, parseCron } from './cron.ts';
import type { TimetableEntry } from './timetable.ts';

/** An entry as it holds here: moved, switched off or as built in. */
export interface ScheduledEntry extends TimetableEntry {
  readonly timezone: string;
  /** Undefined while it is off. */
  readonly cron: Cron | undefined;
}

/** Where the times come from. */
export interface TimetableSource {
  readonly timetable: readonly TimetableEntry[];
  readonly timezone: string;
  /** TIMETABLE_FILE, if it is set. */
  readonly file: string | undefined;
}

/** On one night of the year it does not exist, on another it comes twice. */
const AMBIGUOUS_HOUR = 2;
const LONGEST_SHOWN = 80;

/**
 * The timetable with what TIMETABLE_FILE changes of it.
 * @throws UsageError if the file cannot be read or is no JSON object, or naming every job in it that is wrong, and why.
 */
export function readTimetable({ timetable, timezone, file }: TimetableSource): readonly ScheduledEntry[] {
  const changes = file === undefined ? {} : readChanges(file);
  const problems = Object.keys(changes)
    .filter((job) => !timetable.some((entry) => entry.job === job))
    .map(
      (job) =>
        `there is no job "${job.slice(0, LONGEST_SHOWN)}" (there are ${timetable.map((each) => each.job).join(', ')})`,
    );
  const entries = timetable.map((entry) => {
    const change = Object.hasOwn(changes, entry.job) ? changes[entry.job] : undefined;
    try {
      return { ...entry, timezone, ...settle(entry, change) };
    } catch (error) {
      problems.push(`of the job "${entry.job}", ${(error as Error).message}`);
      return { ...entry, timezone, cron: undefined };
    }
  });
  if (problems.length === 0) return entries;
  throw new UsageError(
    `Could not use the timetable${file === undefined ? '' : ` "${file}"`}: ${problems.join('; ')}.`,
    'Correct TIMETABLE_FILE, then start again.',
  );
}

/** @throws Error saying what is wrong. */
function settle(entry: TimetableEntry, change: unknown): { readonly at: string; readonly cron: Cron | undefined } {
  if (change === 'off' || (change === undefined && entry.isOff)) return { at: entry.at, cron: undefined };
  if (change !== undefined && typeof change !== 'string') {
    throw new Error(
      `expected "off", "on" or a time in quotes, found ${JSON.stringify(change).slice(0, LONGEST_SHOWN)}`,
    );
  }
  const at = change === undefined || change === 'on' ? entry.at : change.trim();
  const cron = parseCron(at);
  if (cron.hours.includes(AMBIGUOUS_HOUR)) {
    throw new Error(`"${at}" is due between 02:00 and 03:00, when clocks change: leave hour 2 out, as in 0-1,3-23`);
  }
  return { at, cron };
}

function readChanges(file: string): Readonly<Record<string, unknown>> {
  const fail = (reason: string, cause?: unknown): UsageError =>
    new UsageError(`Could not read the timetable "${file}": ${reason}.`, 'Check TIMETABLE_FILE.', { cause });
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw fail((error as NodeJS.ErrnoException).code ?? 'it cannot be read', error);
  }
  let stated: unknown;
  try {
    // Some editors begin a file with a byte order mark.
    stated = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw fail('it is not valid JSON', error);
  }
  if (typeof stated === 'object' && stated !== null && !Array.isArray(stated)) return stated as Record<string, unknown>;
  throw fail('expected an object such as {"retro": "off"}');
}
