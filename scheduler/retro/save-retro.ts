import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OperatorError } from '../../lib/errors.ts';
import { writePrivateFile } from '../../lib/write-private.ts';

/** What names the file of a retrospective. */
export interface RetroFile {
  readonly monitorDbPath: string;
  readonly timezone: string;
  readonly untilMs: number;
  readonly days: number;
  /** Made at no time of the timetable: its file has the time of day in its name, so that it takes nobody's place. */
  readonly isManual: boolean;
}

const WEEK = 7;

/** Where it belongs: `retro/2026-11-27.md` beside monitor.db, by the day on which it ends where people live. */
export function retroPath({ monitorDbPath, timezone, untilMs, days, isManual }: RetroFile): string {
  // Sweden writes dates as ISO 8601 does.
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'short' });
  const [day, time] = format.format(untilMs).split(' ');
  const name = [day, ...(isManual ? [time.replace(':', '')] : []), ...(days === WEEK ? [] : [`${days}d`])].join('-');
  return join(dirname(monitorDbPath), 'retro', `${name}.md`);
}

/**
 * Writes it, readable by this user only, and returns where it is.
 * @throws OperatorError if it cannot be written.
 */
export function saveRetro(file: RetroFile, markdown: string): string {
  const path = retroPath(file);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new OperatorError(
      `Could not make the folder "${dirname(path)}": ${(error as NodeJS.ErrnoException).code}.`,
      'Check MONITOR_DB_PATH, and who owns its folder.',
      { cause: error },
    );
  }
  writePrivateFile(path, markdown);
  return path;
}
