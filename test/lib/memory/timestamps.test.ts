import { expect, test } from 'vitest';
import { createTimestampParser } from '../../../lib/memory/timestamps.ts';

const iso = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : new Date(ms).toISOString());

test.each([
  ['2026-01-01T18:00:00Z', '2026-01-01T18:00:00.000Z'],
  ['2026-01-01t18:00:00z', '2026-01-01T18:00:00.000Z'],
  ['2026-01-01T18:00:00.123456+00:00', '2026-01-01T18:00:00.123Z'],
  ['2026-01-01T18:00:00.999999999Z', '2026-01-01T18:00:00.999Z'],
  ['2026-01-01T18:00:00,5Z', '2026-01-01T18:00:00.500Z'],
  ['2026-01-01T18:00:00+02:00', '2026-01-01T16:00:00.000Z'],
  ['2026-01-01T18:00:00-0530', '2026-01-01T23:30:00.000Z'],
  ['2026-01-01T18:00:00+05', '2026-01-01T13:00:00.000Z'],
  ['2026-01-01 18:00:00+01:00', '2026-01-01T17:00:00.000Z'],
  ['2026-01-01 18:00:00 +01:00', '2026-01-01T17:00:00.000Z'],
  ['2026-01-01 18:00:00', '2026-01-01T18:00:00.000Z'],
  ['2026-01-01 18:00:00.25', '2026-01-01T18:00:00.250Z'],
  ['2026-01-01T18:00', '2026-01-01T17:00:00.000Z'],
  ['2026-01-01T18:00:00.123456', '2026-01-01T17:00:00.123Z'],
  ['2026-07-01T18:00:00', '2026-07-01T16:00:00.000Z'],
  ['0000-02-29 00:00:00', '0000-02-29T00:00:00.000Z'],
  ['0099-12-31 23:59:59', '0099-12-31T23:59:59.000Z'],
  ['9999-12-31 23:59:59', '9999-12-31T23:59:59.000Z'],
  ['2024-02-29 12:00:00', '2024-02-29T12:00:00.000Z'],
  ['2000-02-29 12:00:00', '2000-02-29T12:00:00.000Z'],
  ['1969-12-31 23:59:59.500', '1969-12-31T23:59:59.500Z'],
])('reads "%s" as %s', (text, expected) => {
  expect(iso(createTimestampParser('Europe/Rome').timestamp(text))).toBe(expected);
});

test.each([
  ['the hour before the spring gap', '2026-03-29T01:59:59', '2026-03-29T00:59:59.000Z'],
  ['a time inside the spring gap, as one hour later', '2026-03-29T02:30:00', '2026-03-29T01:30:00.000Z'],
  ['the hour after the spring gap', '2026-03-29T03:00:00', '2026-03-29T01:00:00.000Z'],
  ['the double hour of autumn as its first occurrence', '2026-10-25T02:30:00', '2026-10-25T00:30:00.000Z'],
  ['the hour after the double one', '2026-10-25T03:00:00', '2026-10-25T02:00:00.000Z'],
])('reads %s', (_, text, expected) => {
  expect(iso(createTimestampParser('Europe/Rome').timestamp(text))).toBe(expected);
});

test.each([
  ['UTC', '2026-07-01T18:00:00.000Z'],
  ['America/New_York', '2026-07-01T22:00:00.000Z'],
  ['Asia/Kathmandu', '2026-07-01T12:15:00.000Z'],
  ['Australia/Lord_Howe', '2026-07-01T07:30:00.000Z'],
  ['Pacific/Kiritimati', '2026-07-01T04:00:00.000Z'],
])('reads local times in %s', (timezone, expected) => {
  expect(iso(createTimestampParser(timezone).timestamp('2026-07-01T18:00:00'))).toBe(expected);
});

test.each([
  '',
  ' ',
  'yesterday',
  '2026-01-01',
  '2026-1-1 10:00:00',
  '2026-13-01 10:00:00',
  '2026-00-01 10:00:00',
  '2026-02-30 10:00:00',
  '2026-02-29 10:00:00',
  '1900-02-29 10:00:00',
  '0001-02-29 10:00:00',
  '2026-04-31 10:00:00',
  '2026-01-00 10:00:00',
  '2026-01-01 24:00:00',
  '2026-01-01 10:60:00',
  '2026-01-01 10:00:60',
  '2026-01-01T10:00:00.Z',
  '2026-01-01T10:00:00+1',
  '2026-01-01T10:00:00Z\n',
  '2026-01-01T10:00:00Z; DROP TABLE',
  '-2026-01-01T10:00:00Z',
  '20260101T100000Z',
  '٢٠٢٦-01-01 10:00:00',
  `2026-01-01T10:00:00${'0'.repeat(10_000)}Z`,
  null,
  undefined,
  1_767_261_600,
  Buffer.from('2026-01-01 10:00:00'),
])('does not read %j', (value) => {
  const parser = createTimestampParser('Europe/Rome');
  expect([parser.timestamp(value), parser.createdAt(value)]).toEqual([undefined, undefined]);
});

test('created_at is UTC in every form without an offset', () => {
  const parser = createTimestampParser('Europe/Rome');
  const texts = ['2026-07-01 18:00:00', '2026-07-01T18:00:00', '2026-07-01T18:00:00Z', '2026-07-01T20:00:00+02:00'];
  expect(texts.map((text) => iso(parser.createdAt(text)))).toEqual(texts.map(() => '2026-07-01T18:00:00.000Z'));
});

test('no millisecond is lost to rounding', () => {
  const parser = createTimestampParser('Europe/Rome');
  const all = Array.from({ length: 1_000 }, (_, ms) => ms);
  const fraction = (ms: number): string => String(ms).padStart(3, '0');
  expect(all.map((ms) => parser.timestamp(`1970-01-01T00:00:00.${fraction(ms)}Z`))).toEqual(all);
  expect(all.map((ms) => parser.timestamp(`1970-01-01T00:00:00.${fraction(ms)}999+00:00`))).toEqual(all);
});

test('local times keep their order through a whole year of quarters of an hour, but for the spring gap', () => {
  const parser = createTimestampParser('Europe/Rome');
  const start = Date.UTC(2026, 0, 1);
  const backwards: string[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (let quarter = 0; quarter < 365 * 96; quarter += 1) {
    const local = new Date(start + quarter * 900_000).toISOString().slice(0, 19);
    const ms = parser.timestamp(local) ?? Number.NaN;
    if (!(ms > last)) backwards.push(local);
    last = ms;
  }
  expect(backwards).toEqual(['2026-03-29T03:00:00']);
});
