import { utc } from '../ledger.ts';
import type { MonitorDb } from '../monitor-db.ts';
import type { CheckState } from './check.ts';
import type { CheckOutcome } from './run-checks.ts';

/** A check that went from one state to another. */
export interface Change {
  readonly outcome: CheckOutcome;
  readonly to: 'up' | 'down';
  /** How long the state before lasted; undefined if nothing was known before. */
  readonly lastedMs: number | undefined;
}

/** What was found last, as it stands in monitor.db. */
export interface LatestResult {
  readonly project: string;
  readonly check: string;
  readonly checkedMs: number;
  readonly state: CheckState;
  readonly seconds: number;
  readonly figures: Readonly<Record<string, number>>;
  readonly knownState: 'up' | 'down' | undefined;
  readonly knownSinceMs: number | undefined;
}

const KEPT_MS = 400 * 86_400_000;

/** Whether the checks of a run are written down already. */
export function hasResults(db: MonitorDb, runUtc: string): boolean {
  return db.prepare('SELECT 1 FROM health_results WHERE run_utc = ? LIMIT 1').get(runUtc) !== undefined;
}

/**
 * Writes down what a run found, and returns what has changed since what was known before. That a check cannot be made
 * changes nothing, and a first look changes something only if it finds a fault. Within a transaction of the caller's.
 */
export function writeResults(
  db: MonitorDb,
  outcomes: readonly CheckOutcome[],
  { runUtc, nowMs }: { readonly runUtc: string; readonly nowMs: number },
): readonly Change[] {
  const findLast = db.prepare<[string, string], KnownRow>(
    'SELECT known_state, known_since FROM health_results WHERE project = ? AND check_name = ? ORDER BY run_utc DESC LIMIT 1',
  );
  const add = db.prepare(`
    INSERT INTO health_results (run_utc, project, check_name, checked_at, state, seconds, text, figures, known_state, known_since)
    VALUES (@runUtc, @project, @check, @checkedAt, @state, @seconds, @text, @figures, @knownState, @knownSince)`);
  const changes: Change[] = [];
  for (const outcome of outcomes) {
    const { project, check, state, seconds, text, figures = {} } = outcome;
    const last = findLast.get(project, check) ?? { known_state: null, known_since: null };
    const isNews = state !== 'unavailable' && state !== last.known_state;
    if (isNews && (last.known_state !== null || state === 'down')) {
      const lastedMs = last.known_since === null ? undefined : Math.max(0, nowMs - Date.parse(last.known_since));
      changes.push({ outcome, to: state, lastedMs });
    }
    add.run({
      ...{ runUtc, project, check, checkedAt: utc(nowMs), state, seconds },
      text: text.en,
      figures: JSON.stringify(figures),
      knownState: isNews ? state : last.known_state,
      knownSince: isNews ? utc(nowMs) : last.known_since,
    });
  }
  db.prepare('DELETE FROM health_results WHERE run_utc < ?').run(utc(nowMs - KEPT_MS));
  return changes;
}

interface KnownRow {
  readonly known_state: 'up' | 'down' | null;
  readonly known_since: string | null;
}

/** What the latest run found, check by check; nothing before the first. */
export function readLatestResults(db: MonitorDb): readonly LatestResult[] {
  return db
    .prepare<[], ResultRow>(
      `SELECT project, check_name, checked_at, state, seconds, figures, known_state, known_since FROM health_results
       WHERE run_utc = (SELECT max(run_utc) FROM health_results) ORDER BY project, check_name`,
    )
    .all()
    .map(({ project, check_name, checked_at, state, seconds, figures, known_state, known_since }) => ({
      ...{ project, check: check_name, checkedMs: Date.parse(checked_at), state, seconds },
      figures: JSON.parse(figures) as Record<string, number>,
      knownState: known_state ?? undefined,
      knownSinceMs: known_since === null ? undefined : Date.parse(known_since),
    }));
}

interface ResultRow extends KnownRow {
  readonly project: string;
  readonly check_name: string;
  readonly checked_at: string;
  readonly state: CheckState;
  readonly seconds: number;
  readonly figures: string;
}
