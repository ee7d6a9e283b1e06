import { describe, expect, test } from 'vitest';
import { type BudgetPeriod, budgetPeriods } from '../../orchestrator/budget-periods.ts';

const STEP_MS = 3 * 3_600_000;
const utc = (ms: number): string => new Date(ms).toISOString().slice(0, 16);
const told = ({ key, startMs, endMs }: BudgetPeriod): string => `${key} ${utc(startMs)} ${utc(endMs)}`;
const periodsAt = (moment: string, timezone = 'Europe/Rome'): string[] => {
  const { day, week, month } = budgetPeriods(Date.parse(moment), timezone);
  return [day, week, month].map(told);
};

test.each([
  [
    'an ordinary day',
    '2026-11-25T12:00:00Z',
    'Europe/Rome',
    [
      '2026-11-25 2026-11-24T23:00 2026-11-25T23:00',
      '2026-11-23 2026-11-22T23:00 2026-11-29T23:00',
      '2026-11 2026-10-31T23:00 2026-11-30T23:00',
    ],
  ],
  [
    'local midnight on a Monday that is the first of a month',
    '2026-05-31T22:00:00Z',
    'Europe/Rome',
    [
      '2026-06-01 2026-05-31T22:00 2026-06-01T22:00',
      '2026-06-01 2026-05-31T22:00 2026-06-07T22:00',
      '2026-06 2026-05-31T22:00 2026-06-30T22:00',
    ],
  ],
  [
    'the moment before, still Sunday and May',
    '2026-05-31T21:59:59.999Z',
    'Europe/Rome',
    [
      '2026-05-31 2026-05-30T22:00 2026-05-31T22:00',
      '2026-05-25 2026-05-24T22:00 2026-05-31T22:00',
      '2026-05 2026-04-30T22:00 2026-05-31T22:00',
    ],
  ],
  [
    'a week across two years',
    '2027-01-01T12:00:00Z',
    'Europe/Rome',
    [
      '2027-01-01 2026-12-31T23:00 2027-01-01T23:00',
      '2026-12-28 2026-12-27T23:00 2027-01-03T23:00',
      '2027-01 2026-12-31T23:00 2027-01-31T23:00',
    ],
  ],
  [
    'the day clocks go forward, of 23 hours',
    '2026-03-29T12:00:00Z',
    'Europe/Rome',
    [
      '2026-03-29 2026-03-28T23:00 2026-03-29T22:00',
      '2026-03-23 2026-03-22T23:00 2026-03-29T22:00',
      '2026-03 2026-02-28T23:00 2026-03-31T22:00',
    ],
  ],
  [
    'the day clocks go back, of 25 hours',
    '2026-10-25T12:00:00Z',
    'Europe/Rome',
    [
      '2026-10-25 2026-10-24T22:00 2026-10-25T23:00',
      '2026-10-19 2026-10-18T22:00 2026-10-25T23:00',
      '2026-10 2026-09-30T22:00 2026-10-31T23:00',
    ],
  ],
  [
    'a day that begins at one, since clocks go forward at midnight',
    '2026-09-06T12:00:00Z',
    'America/Santiago',
    [
      '2026-09-06 2026-09-06T04:00 2026-09-07T03:00',
      '2026-08-31 2026-08-31T04:00 2026-09-07T03:00',
      '2026-09 2026-09-01T04:00 2026-10-01T03:00',
    ],
  ],
  [
    'far east, where it is another day',
    '2026-06-30T12:00:00Z',
    'Pacific/Auckland',
    [
      '2026-07-01 2026-06-30T12:00 2026-07-01T12:00',
      '2026-06-29 2026-06-28T12:00 2026-07-05T12:00',
      '2026-07 2026-06-30T12:00 2026-07-31T12:00',
    ],
  ],
  [
    'the leap day, in UTC',
    '2028-02-29T23:59:59Z',
    'UTC',
    [
      '2028-02-29 2028-02-29T00:00 2028-03-01T00:00',
      '2028-02-28 2028-02-28T00:00 2028-03-06T00:00',
      '2028-02 2028-02-01T00:00 2028-03-01T00:00',
    ],
  ],
])('%s', (_, moment, timezone, expected) => {
  expect(periodsAt(moment, timezone)).toEqual(expected);
});

describe.each(['Europe/Rome', 'America/Santiago', 'Pacific/Chatham', 'UTC'])('over two years in %s', (timezone) => {
  const FIRST = Date.UTC(2026, 0, 1);
  const steps = Array.from({ length: 2 * 365 * 8 }, (_, step) => budgetPeriods(FIRST + step * STEP_MS, timezone));

  test('every moment lies in its periods, and a day in its week and its month', () => {
    for (const [step, { day, week, month }] of steps.entries()) {
      const nowMs = FIRST + step * STEP_MS;
      const isWithin = [day, week, month].every(({ startMs, endMs }) => startMs <= nowMs && nowMs < endMs);
      const isNested = [week, month].every(({ startMs, endMs }) => startMs <= day.startMs && day.endMs <= endMs);
      if (!isWithin || !isNested)
        expect.fail(`${new Date(nowMs).toISOString()} ${JSON.stringify({ day, week, month })}`);
    }
  });

  test.each([
    ['day', 731],
    ['week', 106],
    ['month', 25],
  ] as const)('a %s ends where the next begins, and no two have the same key', (kind, atMost) => {
    const found = [...new Map(steps.map((each) => [each[kind].startMs, each[kind]])).values()];
    expect(found.slice(1).map(({ startMs }) => startMs)).toEqual(found.slice(0, -1).map(({ endMs }) => endMs));
    const keys = new Set(found.map(({ key }) => key));
    expect(keys.size).toBe(found.length);
    expect(keys.size).toBeGreaterThan(atMost - 3);
    expect(keys.size).toBeLessThanOrEqual(atMost);
  });
});
