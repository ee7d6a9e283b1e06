import type { TimetableEntry } from './timetable.ts';

/** Later than that, a slot is late: nobody looks at the clock more often than every minute. */
export const LATE_AFTER_MS = 300_000;
const HOUR_MS = 3_600_000;

/** A slot that is due and what becomes of it: done, left out for a later one, or gone by. */
export interface Verdict {
  readonly slotMs: number;
  readonly state: 'due' | 'skipped' | 'missed';
}

/** How late a slot of this entry may still be done, milliseconds. */
export function windowMs({ catchUp }: Pick<TimetableEntry, 'catchUp'>): number {
  return catchUp.policy === 'skip' ? LATE_AFTER_MS : catchUp.withinHours * HOUR_MS;
}

/**
 * What becomes of slots nobody has dealt with, in ascending order. What is older than the window has gone by; `latest` and
 * `skip` do only the last of the rest, `all` does each.
 */
export function judgeSlots(
  entry: Pick<TimetableEntry, 'catchUp'>,
  slotsMs: readonly number[],
  nowMs: number,
): readonly Verdict[] {
  const lastMs = slotsMs.at(-1);
  return slotsMs.map((slotMs) => {
    if (nowMs - slotMs > windowMs(entry)) return { slotMs, state: 'missed' };
    return { slotMs, state: slotMs === lastMs || entry.catchUp.policy === 'all' ? 'due' : 'skipped' };
  });
}
