import { createRequire } from 'node:module';

/** Turns the timestamps found in a swarm memory into milliseconds since the epoch; `undefined` for what is unreadable. */
export interface TimestampParser {
  /** SQLite's own `datetime('now')`: UTC unless it says otherwise. */
  readonly createdAt: (value: unknown) => number | undefined;
  /** What hooks, people and scripts write: an offset or Z as written, a space form as UTC, a `T` form as local time. */
  readonly timestamp: (value: unknown) => number | undefined;
}

const FORM =
  /^(\d{4})-(\d\d)-(\d\d)([Tt ])(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?(Z|z|[+-][01]\d(?::?[0-5]\d)?)?$/;
// No zone changes its offset within a quarter of an hour.
const QUARTER_MS = 900_000;
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** A parser that reads local times in `timezone`. A local hour that occurs twice is its first occurrence. */
export function createTimestampParser(timezone: string): TimestampParser {
  const offsetByQuarter = new Map<number, number>();
  const localToUtc = (localMs: number): number => {
    const quarter = Math.floor(localMs / QUARTER_MS);
    let offset = offsetByQuarter.get(quarter);
    if (offset === undefined) {
      offset = zoneOffset(quarter * QUARTER_MS, timezone);
      if (offsetByQuarter.size > 10_000) offsetByQuarter.clear();
      offsetByQuarter.set(quarter, offset);
    }
    return localMs - offset;
  };
  return {
    createdAt: (value) => parseSqliteForm(value) ?? parse(value, (ms) => ms),
    timestamp: (value) => parse(value, localToUtc),
  };
}

/** Loaded when the first local time turns up: with the zone data it takes 12 MB, and newer memories have none. */
function loadTemporal(): typeof import('temporal-polyfill').Temporal {
  const require = createRequire(import.meta.url);
  return (require('temporal-polyfill') as typeof import('temporal-polyfill')).Temporal;
}

/** Milliseconds to subtract from a local time: Temporal's "compatible" rule takes the earlier of two occurrences. */
function zoneOffset(localMs: number, timezone: string): number {
  const Temporal = loadTemporal();
  const local = Temporal.Instant.fromEpochMilliseconds(localMs).toZonedDateTimeISO('UTC').toPlainDateTime();
  return localMs - local.toZonedDateTime(timezone, { disambiguation: 'compatible' }).epochMilliseconds;
}

/** The one form nearly all rows have, `YYYY-MM-DD HH:MM:SS`, without a regular expression: a first pass reads millions. */
function parseSqliteForm(value: unknown): number | undefined {
  if (typeof value !== 'string' || value.length !== 19) return undefined;
  const digits = (at: number): number => (value.charCodeAt(at) - 48) * 10 + (value.charCodeAt(at + 1) - 48);
  for (let at = 0; at < 19; at += 1) {
    if (!isSqliteCharacter(value.charCodeAt(at), at)) return undefined;
  }
  return utc(digits(0) * 100 + digits(2), digits(5), digits(8), digits(11), digits(14), digits(17));
}

function isSqliteCharacter(code: number, at: number): boolean {
  if (at === 4 || at === 7) return code === 45;
  if (at === 10) return code === 32;
  return at === 13 || at === 16 ? code === 58 : code >= 48 && code <= 57;
}

function parse(value: unknown, fromLocal: (ms: number) => number): number | undefined {
  if (typeof value !== 'string' || value.length > 40) return undefined;
  const match = FORM.exec(value);
  if (!match) return undefined;
  const [, year, month, day, separator, hour, minute, second = '0', fraction = '0', zone] = match;
  const ms = utc(Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second));
  if (ms === undefined) return undefined;
  const exact = ms + Math.floor(Number(`0.${fraction}`) * 1_000);
  if (zone) return zone === 'Z' || zone === 'z' ? exact : exact - offsetOf(zone);
  return separator === ' ' ? exact : fromLocal(exact);
}

function utc(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | undefined {
  if (month < 1 || month > 12 || day < 1 || day > DAYS[month - 1]) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  // Date.UTC reads the years 0 to 99 as 1900 to 1999, so those take the long way.
  const ms =
    year >= 100
      ? Date.UTC(year, month - 1, day, hour, minute, second)
      : new Date(0).setUTCFullYear(year, month - 1, day) + ((hour * 60 + minute) * 60 + second) * 1_000;
  return month === 2 && day === 29 && new Date(ms).getUTCDate() !== 29 ? undefined : ms;
}

function offsetOf(zone: string): number {
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0');
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2));
  return (zone[0] === '-' ? -minutes : minutes) * 60_000;
}
