import { readLatestResults } from '../health/results.ts';
import type { MonitorDb } from '../monitor-db.ts';
import type { RetroFigures } from '../retro/figures.ts';
import { type Week, weekOf } from '../retro/week.ts';
import { type Html, join } from './html.ts';
import type { Speaker } from './speaker.ts';
import { REPLIES } from './words/replies.ts';

const MARKS = { up: '🟢', down: '🔴', unavailable: '⚪' } as const;

/** How the projects are by the last run of the health job; undefined if there was none. */
export function describeHealth(db: MonitorDb, { say, moment }: Speaker): Html | undefined {
  const results = readLatestResults(db);
  if (results.length === 0) return undefined;
  const lines = results.map(({ project, check, state, knownState, knownSinceMs }) => {
    // A first look that finds all well has nothing to tell of the past.
    const since = knownState === 'down' && knownSinceMs !== undefined ? moment(knownSinceMs) : undefined;
    const words = since === undefined ? REPLIES.healthLine : REPLIES.healthLineSince;
    return say(words, { mark: MARKS[state], project, check, since });
  });
  return join([say(REPLIES.health, { when: moment(results[0].checkedMs) }), ...lines]);
}

/** How many checks are well, and how many there are; undefined if there was no run. */
export function countHealth(db: MonitorDb): { readonly up: number; readonly all: number } | undefined {
  const results = readLatestResults(db);
  if (results.length === 0) return undefined;
  return { up: results.filter(({ state }) => state === 'up').length, all: results.length };
}

/** A retrospective as it may be shown. */
export interface LastRetro {
  readonly shortText: string;
  readonly markdown: string;
  /** Undefined if there is nothing to draw. */
  readonly week: Week | undefined;
}

/** The last retrospective that was made; undefined if there is none. */
export function readLastRetro(db: MonitorDb): LastRetro | undefined {
  const row = db
    .prepare<[], { shortText: string; markdown: string; figures: string }>(
      'SELECT short_text AS shortText, markdown, figures FROM retros ORDER BY slot_utc DESC LIMIT 1',
    )
    .get();
  if (row === undefined) return undefined;
  const { figures, ...texts } = row;
  return { ...texts, week: weekOf(JSON.parse(figures) as Partial<RetroFigures>) };
}
