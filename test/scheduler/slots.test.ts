import { Temporal } from 'temporal-polyfill';
import { expect, test } from 'vitest';
import { parseCron } from '../../scheduler/cron.ts';
import { nextSlot, slots } from '../../scheduler/slots.ts';
import { TIMETABLE } from '../../scheduler/timetable.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const [FROM, TO] = [Date.UTC(2026, 0, 1), Date.UTC(2028, 0, 1)];
const ZONES = ['Europe/Rome', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'America/Santiago'];
const CRONS = [...new Set(['0 */6 * * *', '15 0-1,3-23 * * *', '30 3 1 */3 *', ...TIMETABLE.map(({ at }) => at)])];
const CASES = ZONES.flatMap((zone) => CRONS.map((at) => [zone, at] as const));

const iso = (ms: readonly number[]): string[] => ms.map((each) => new Date(each).toISOString());
const at = (text: string, from: string, to: string, zone = 'Europe/Rome'): string[] =>
  iso(slots(parseCron(text), Date.parse(from), Date.parse(to), zone));

test.each(CASES)('in two years of %s, each time of "%s" on the wall is one slot', (zone, text) => {
  const cron = parseCron(text);
  const wall = slots(cron, FROM, TO, zone).map((ms) => wallTime(ms, zone));
  const expected = wallTimes(text, zone);
  expect(wall.filter((time) => expected.has(time)).length).toBe(
    new Set(wall.filter((time) => expected.has(time))).size,
  );
  const skipped = [...expected].filter((time) => !wall.includes(time));
  // Only what a clock skips (at midnight in Santiago, once a year) is elsewhere, an hour later.
  expect(skipped.every((time) => !exists(time, zone))).toBe(true);
  expect(wall.length).toBeLessThanOrEqual(expected.size);
  expect(wall.length).toBeGreaterThanOrEqual(expected.size - skipped.length);
});

test.each(CASES)('in %s, looking at the clock each minute or once a day finds the same slots of "%s"', (zone, text) => {
  const cron = parseCron(text);
  const whole = slots(cron, FROM, TO, zone);
  const pieces: number[] = [];
  // Steps that fall on no boundary of anything.
  for (let ms = FROM; ms < TO; ms += 17 * HOUR_MS + 13 * MINUTE_MS) {
    pieces.push(...slots(cron, ms, Math.min(TO, ms + 17 * HOUR_MS + 13 * MINUTE_MS), zone));
  }
  expect(pieces).toEqual(whole);
});

test('the beginning of a stretch is not in it, its end is', () => {
  expect(at('0 9 * * *', '2026-06-01T07:00:00Z', '2026-06-02T07:00:00Z')).toEqual(['2026-06-02T07:00:00.000Z']);
});

test('an hour that occurs twice counts the first time', () => {
  expect(at('30 1 * * *', '2026-11-01T00:00:00Z', '2026-11-02T00:00:00Z', 'America/New_York')).toEqual([
    '2026-11-01T05:30:00.000Z',
  ]);
});

test('a time that the clock skips is not lost, and falls on no other twice', () => {
  expect(at('0 0,1 * * *', '2026-09-06T00:00:00Z', '2026-09-06T12:00:00Z', 'America/Santiago')).toEqual([
    '2026-09-06T04:00:00.000Z',
  ]);
});

test.each([
  ['0 9 * * mon', '2026-06-01T07:00:00Z', '2026-06-08T07:00:00.000Z'],
  ['0 4 29 2 *', '2026-06-01T00:00:00Z', '2028-02-29T03:00:00.000Z'],
  ['0 4 1 1,4,7,10 *', '2026-06-01T00:00:00Z', '2026-07-01T02:00:00.000Z'],
])('after a moment the next slot of "%s" is found', (text, after, expected) => {
  expect(iso([nextSlot(parseCron(text), Date.parse(after), 'Europe/Rome') ?? 0])).toEqual([expected]);
});

test.each([
  ['0 12 13 * fri', '2026-02-01T00:00:00Z', '2026-02-15T00:00:00Z', ['06', '13']],
  ['0 12 */10 * *', '2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z', ['01', '11', '21']],
  ['0 12 * * 0,7', '2026-02-01T00:00:00Z', '2026-02-10T00:00:00Z', ['01', '08']],
  ['0 12 * * 5-7', '2026-02-01T00:00:00Z', '2026-02-08T00:00:00Z', ['01', '06', '07']],
])('"%s" means these days', (text, from, to, days) => {
  expect(at(text, from, to).map((each) => each.slice(8, 10))).toEqual(days);
});

/** The times a wall without a zone shows, from the first to the last moment of the two years. */
function wallTimes(text: string, zone: string): ReadonlySet<string> {
  const cron = parseCron(text);
  const [first, last] = [wallTime(FROM, zone), wallTime(TO, zone)];
  const found: string[] = [];
  for (let ms = Date.UTC(2025, 11, 30); ms < Date.UTC(2028, 0, 3); ms += 24 * HOUR_MS) {
    const date = new Date(ms);
    const day = { month: date.getUTCMonth() + 1, day: date.getUTCDate(), weekday: date.getUTCDay() };
    if (!cron.matchesDay(day)) continue;
    for (const hour of cron.hours) {
      for (const minute of cron.minutes) {
        found.push(new Date(ms + hour * HOUR_MS + minute * MINUTE_MS).toISOString().slice(0, 19));
      }
    }
  }
  return new Set(found.filter((time) => time > first && time <= last));
}

function wallTime(ms: number, zone: string): string {
  return Temporal.Instant.fromEpochMilliseconds(ms)
    .toZonedDateTimeISO(zone)
    .toPlainDateTime()
    .toString()
    .padEnd(19, ':00')
    .slice(0, 19);
}

function exists(wall: string, zone: string): boolean {
  const ms = Temporal.PlainDateTime.from(wall).toZonedDateTime(zone).epochMilliseconds;
  return wallTime(ms, zone) === wall;
}
