import type { MonitorDb } from '../monitor-db.ts';
import { type Html, join } from './html.ts';
import type { Speaker } from './speaker.ts';

/** A check of a project as the health job writes it down. */
interface HealthRow {
  readonly project: string;
  readonly check_name: string;
  readonly state: string;
  readonly text: string;
  readonly checked_at: string;
}

const MARKS: Readonly<Record<string, string>> = { up: '🟢', down: '🔴' };

/**
 * How the projects are by the last run of the health job, whose table this reads: the one place where the phone knows it.
 * Undefined if there was no run.
 */
export function readHealth(db: MonitorDb, speaker: Speaker): Html | undefined {
  const rows = healthRows(db);
  if (rows.length === 0) return undefined;
  const lines = rows.map(({ project, check_name: check, state, text }) =>
    speaker.say(
      { it: '{mark} <b>{project}</b> · {check} {text}', en: '{mark} <b>{project}</b> · {check} {text}' },
      {
        mark: MARKS[state] ?? '⚪',
        project,
        check,
        text: state === 'up' ? '' : speaker.quote(text, 200),
      },
    ),
  );
  return join([{ html: `🩺 ${speaker.moment(Date.parse(rows[0].checked_at))}` }, ...lines]);
}

/** How many checks are well, and how many there are; undefined if there was no run. */
export function countHealth(db: MonitorDb): { readonly up: number; readonly all: number } | undefined {
  const rows = healthRows(db);
  if (rows.length === 0) return undefined;
  return { up: rows.filter(({ state }) => state === 'up').length, all: rows.length };
}

function healthRows(db: MonitorDb): readonly HealthRow[] {
  if (!db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'health_results'").get()) return [];
  return db
    .prepare<[], HealthRow>(
      `SELECT project, check_name, state, text, checked_at FROM health_results
       WHERE run_utc = (SELECT max(run_utc) FROM health_results) ORDER BY project, check_name`,
    )
    .all();
}
