import type { Task } from '../task.ts';
import { DAY_MS } from '../windows.ts';
import { groupBy } from './group-by.ts';
import { countOutcomes, type Outcomes } from './outcomes.ts';

/** The tasks of one day on the calendar, as far as the day lies within a period. */
export interface DayOfPeriod extends Outcomes {
  /** Such as 2026-11-27, where people live. */
  readonly date: string;
}

/** A period, after `fromMs` and up to `untilMs`, and where its days begin and end. */
export interface DaysOptions {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly timezone: string;
}

/** Tasks by the day on which they ended: every day the period touches, oldest first, those without a task too. */
export function dailyOf(tasks: readonly Task[], { fromMs, untilMs, timezone }: DaysOptions): readonly DayOfPeriod[] {
  // Sweden writes dates as ISO 8601 does.
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short' });
  const lastMs = untilMs - 1;
  const dateOf = (ms: number): string => format.format(Math.min(ms, lastMs));
  const dates = new Set<string>();
  // No day is shorter than half of one, whatever clocks do.
  for (let ms = fromMs; ms < lastMs; ms += DAY_MS / 2) dates.add(dateOf(ms));
  dates.add(dateOf(lastMs));
  const byDate = groupBy(tasks, ({ timeMs = lastMs }) => dateOf(timeMs));
  return [...dates].map((date) => ({ date, ...countOutcomes(byDate.get(date) ?? []) }));
}
