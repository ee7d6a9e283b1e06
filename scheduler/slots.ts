import { Temporal } from 'temporal-polyfill';
import type { Cron } from './cron.ts';

const DAY_MS = 86_400_000;
/** The 29th of February comes after eight years at the latest. */
const HORIZON_DAYS = 9 * 366;

/**
 * The moments after `fromMs` and up to `toMs` at which something is due, UTC milliseconds in ascending order. Each time on
 * the wall is one slot: where clocks go back its first occurrence, where they skip it the same time by the old clock.
 */
export function slots(cron: Cron, fromMs: number, toMs: number, timezone: string): readonly number[] {
  const found: number[] = [];
  for (const slotMs of slotsAfter(cron, fromMs, timezone)) {
    if (slotMs > toMs) break;
    found.push(slotMs);
  }
  return found;
}

/** The first slot after a moment; undefined if there is none within nine years. */
export function nextSlot(cron: Cron, afterMs: number, timezone: string): number | undefined {
  return slotsAfter(cron, afterMs, timezone).next().value ?? undefined;
}

function* slotsAfter(cron: Cron, afterMs: number, timezone: string): Generator<number, undefined> {
  const date = Temporal.Instant.fromEpochMilliseconds(afterMs).toZonedDateTimeISO(timezone).toPlainDate();
  // Days are counted without a zone, as the calendar on the wall does.
  const firstDayMs = Date.UTC(date.year, date.month - 1, date.day);
  let lastMs = afterMs;
  for (let offset = 0; offset < HORIZON_DAYS; offset += 1) {
    const day = new Date(firstDayMs + offset * DAY_MS);
    const parts = { month: day.getUTCMonth() + 1, day: day.getUTCDate(), weekday: day.getUTCDay() };
    if (!cron.matchesDay(parts)) continue;
    // In ascending order and no moment twice: a time that is skipped may come after, or fall on, one that is not.
    for (const slotMs of slotsOfDay(cron, { ...parts, year: day.getUTCFullYear() }, timezone)) {
      if (slotMs <= lastMs) continue;
      lastMs = slotMs;
      yield slotMs;
    }
  }
  return undefined;
}

interface CalendarDay {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

function slotsOfDay({ hours, minutes }: Cron, day: CalendarDay, timezone: string): readonly number[] {
  const times = hours.flatMap((hour) => minutes.map((minute) => ({ ...day, hour, minute })));
  return times.map((time) => toInstant(time, timezone)).sort((a, b) => a - b);
}

function toInstant(time: CalendarDay & { hour: number; minute: number }, timezone: string): number {
  return Temporal.PlainDateTime.from(time).toZonedDateTime(timezone, { disambiguation: 'compatible' })
    .epochMilliseconds;
}
