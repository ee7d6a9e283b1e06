import { Temporal } from 'temporal-polyfill';

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const FORM =
  /\bresets (?:at )?(?:([a-z]{3})[a-z]* (\d{1,2}),? (?:at )?)?(\d{1,2})(?::(\d\d))? ?(am|pm) \(([\w+-]+(?:\/[\w+-]+)*)\)/i;
/** The longest limit is one of a week. */
const FARTHEST_MS = 8 * 86_400_000;

/** A moment at which a limit may well end: in the future, and not so far that it must be a mistake. */
export function isPlausibleReset(atMs: number, nowMs: number): boolean {
  return atMs > nowMs && atMs <= nowMs + FARTHEST_MS;
}

/**
 * When a limit ends, as the command line writes it for people: "resets 8:30am (America/Los_Angeles)", the next such moment, or
 * "resets Nov 25, 2:46am (…)". Milliseconds since the epoch; `undefined` if the text does not say.
 */
export function parseReset(text: string, nowMs: number): number | undefined {
  const match = FORM.exec(text.slice(0, 2_000));
  if (!match) return undefined;
  const [, month, day, hour, minute = '0', half, zone] = match;
  try {
    const now = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(zone);
    const hour24 = (Number(hour) % 12) + (half.toLowerCase() === 'pm' ? 12 : 0);
    const time = Temporal.PlainTime.from({ hour: hour24, minute: Number(minute) }, { overflow: 'reject' });
    const at = month ? nextDate(now, MONTHS.indexOf(month.toLowerCase()) + 1, Number(day), time) : nextTime(now, time);
    return isPlausibleReset(at.epochMilliseconds, nowMs) ? at.epochMilliseconds : undefined;
  } catch {
    // No such time, day or zone.
    return undefined;
  }
}

function nextTime(now: Temporal.ZonedDateTime, time: Temporal.PlainTime): Temporal.ZonedDateTime {
  const today = now.withPlainTime(time);
  return Temporal.ZonedDateTime.compare(today, now) > 0 ? today : now.add({ days: 1 }).withPlainTime(time);
}

function nextDate(
  now: Temporal.ZonedDateTime,
  month: number,
  day: number,
  time: Temporal.PlainTime,
): Temporal.ZonedDateTime {
  const thisYear = now.with({ month, day }, { overflow: 'reject' }).withPlainTime(time);
  return Temporal.ZonedDateTime.compare(thisYear, now) > 0 ? thisYear : thisYear.add({ years: 1 });
}
