import { expect, test } from 'vitest';
import { chooseKept, type Dated, KEPT_NEWEST } from '../../../scheduler/backup/choose-kept.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A Monday, 00:30. */
const MONDAY_MS = Date.UTC(2026, 0, 5, 0, 30);

const sixHourly = (days: number, source = 'memory'): Dated[] =>
  Array.from({ length: days * 4 }, (_, slot) => ({ source, madeMs: MONDAY_MS + slot * 6 * HOUR_MS }));
const days = (kept: ReadonlySet<Dated>): string[] =>
  [...kept]
    .toSorted((one, other) => one.madeMs - other.madeMs)
    .map(({ madeMs }) => new Date(madeMs).toISOString().slice(0, 16));

test('the newest 28 are kept, and the first of each week before', () => {
  const all = sixHourly(28);
  const kept = chooseKept(all, all[all.length - 1].madeMs);
  expect(days(kept).slice(0, 3)).toEqual(['2026-01-05T00:30', '2026-01-12T00:30', '2026-01-19T00:30']);
  expect([...kept].filter((each) => all.slice(-KEPT_NEWEST).includes(each))).toHaveLength(KEPT_NEWEST);
  expect(kept.size).toBe(KEPT_NEWEST + 3);
});

test('after two years of removing at each run, a year of weeks is left', () => {
  let catalogue: Dated[] = [];
  for (const backup of sixHourly(730)) {
    catalogue.push(backup);
    const kept = chooseKept(catalogue, backup.madeMs);
    catalogue = catalogue.filter((each) => kept.has(each));
  }
  const nowMs = catalogue[catalogue.length - 1].madeMs;
  const weekly = catalogue.slice(0, -KEPT_NEWEST);
  expect(weekly.map(({ madeMs }) => new Date(madeMs).getUTCDay())).toEqual(weekly.map(() => 1));
  expect(nowMs - catalogue[0].madeMs).toBeGreaterThan(358 * DAY_MS);
  expect(nowMs - catalogue[0].madeMs).toBeLessThanOrEqual(366 * DAY_MS);
  expect(weekly.length).toBeGreaterThanOrEqual(51);
});

test('each source is kept by itself', () => {
  const all = [...sixHourly(14, 'memory'), ...sixHourly(14, 'monitor').slice(0, 3)];
  const kept = chooseKept(all, MONDAY_MS + 14 * DAY_MS);
  expect([...kept].filter(({ source }) => source === 'monitor')).toHaveLength(3);
});

test('however old they are, the newest of a source stay', () => {
  const all = sixHourly(7);
  expect(chooseKept(all, MONDAY_MS + 4_000 * DAY_MS).size).toBe(KEPT_NEWEST);
});

test('a clock that was set back removes nothing that is among the newest', () => {
  const all = sixHourly(7);
  expect(chooseKept(all, MONDAY_MS - 30 * DAY_MS).size).toBe(KEPT_NEWEST);
});
