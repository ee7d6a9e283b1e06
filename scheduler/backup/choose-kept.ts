/** What choosing needs to know of a backup. */
export interface Dated {
  readonly source: string;
  /** When it was made, milliseconds since 1970. */
  readonly madeMs: number;
}

/** A week of backups, four a day. */
export const KEPT_NEWEST = 28;
const DAY_MS = 86_400_000;
/** How long one a week is kept. */
export const KEPT_WEEKLY_MS = 366 * DAY_MS;
const WEEK_MS = 7 * DAY_MS;
/** 1970 began on a Thursday; weeks begin on Monday, UTC. */
const FIRST_MONDAY_MS = 4 * DAY_MS;

/**
 * Those that are kept of each source: the newest 28, and for a year the first of each week. The first of a week stays the
 * first, so what is chosen once is chosen until it is a year old.
 */
export function chooseKept<T extends Dated>(catalogue: readonly T[], nowMs: number): ReadonlySet<T> {
  const newestFirst = catalogue.toSorted((one, other) => other.madeMs - one.madeMs);
  const kept = new Set<T>(firstOfEachWeek(catalogue).filter(({ madeMs }) => nowMs - madeMs <= KEPT_WEEKLY_MS));
  const seen = new Map<string, number>();
  for (const each of newestFirst) {
    const newer = seen.get(each.source) ?? 0;
    if (newer < KEPT_NEWEST) kept.add(each);
    seen.set(each.source, newer + 1);
  }
  return kept;
}

/** The first backup of each source in each week. */
export function firstOfEachWeek<T extends Dated>(catalogue: readonly T[]): readonly T[] {
  const first = new Map<string, T>();
  for (const each of catalogue) {
    const key = `${Math.floor((each.madeMs - FIRST_MONDAY_MS) / WEEK_MS)} ${each.source}`;
    const known = first.get(key);
    if (known === undefined || each.madeMs < known.madeMs) first.set(key, each);
  }
  return [...first.values()];
}
