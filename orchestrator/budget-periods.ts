import { Temporal } from 'temporal-polyfill';

/** A stretch of time that has a budget of its own. */
export interface BudgetPeriod {
  /** Tells it from every other of its kind: the day, the Monday of the week, or the month. */
  readonly key: string;
  readonly startMs: number;
  /** When the next one begins, which no longer belongs to it. */
  readonly endMs: number;
}

/** The periods one moment lies in. */
export interface BudgetPeriods {
  readonly day: BudgetPeriod;
  readonly week: BudgetPeriod;
  readonly month: BudgetPeriod;
}

/** The day, the week from Monday and the month of a moment, from local midnight to local midnight in `timezone`. */
export function budgetPeriods(nowMs: number, timezone: string): BudgetPeriods {
  const today = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(timezone).toPlainDate();
  const monday = today.subtract({ days: today.dayOfWeek - 1 });
  const first = today.with({ day: 1 });
  // Without a time of day this is the first moment of the day, also where clocks change at midnight.
  const startOf = (date: Temporal.PlainDate): number => date.toZonedDateTime(timezone).epochMilliseconds;
  const period = (key: string, from: Temporal.PlainDate, to: Temporal.PlainDate): BudgetPeriod => ({
    key,
    startMs: startOf(from),
    endMs: startOf(to),
  });
  return {
    day: period(today.toString(), today, today.add({ days: 1 })),
    week: period(monday.toString(), monday, monday.add({ days: 7 })),
    month: period(first.toPlainYearMonth().toString(), first, first.add({ months: 1 })),
  };
}
