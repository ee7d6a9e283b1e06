import { expect, test } from 'vitest';
import { createRandom } from '../../../lib/memory/demo/random.ts';
import {
  advanceTo,
  compact,
  countAfter,
  createTimeLog,
  forgetBefore,
  insertEntry,
  removeEntry,
  type TimeLog,
} from '../../../lib/memory/time-log.ts';

interface Entry {
  readonly timeMs: number;
  readonly value: number;
}

const WINDOWS_MS = [10, 100, 1_000];
const NOBODY = { enter: () => {}, leave: () => {} };
const entriesOf = (log: TimeLog): Entry[] =>
  Array.from({ length: log.length }, (_, at) => ({ timeMs: log.times[at], value: log.columns[0][at] }));

/** A log, a plain array that does the same slowly, and the sums an observer keeps by window. */
function twins(startMs: number) {
  const log = createTimeLog([new Uint32Array()], WINDOWS_MS, startMs);
  const sums = WINDOWS_MS.map(() => 0);
  const observer = {
    enter: (window: number, entry: number) => {
      sums[window] += log.columns[0][entry];
    },
    leave: (window: number, entry: number) => {
      sums[window] -= log.columns[0][entry];
    },
  };
  return { log, sums, observer, naive: [] as Entry[] };
}

function naiveSums(naive: readonly Entry[], nowMs: number): number[] {
  return WINDOWS_MS.map((ms) =>
    naive.filter(({ timeMs }) => timeMs > nowMs - ms).reduce((sum, { value }) => sum + value, 0),
  );
}

test.each([1, 2, 3, 4])(
  'is what a plain array would be, whatever is inserted, removed, moved and forgotten (seed %i)',
  (seed) => {
    const random = createRandom(seed);
    let nowMs = 10_000;
    const { log, sums, observer, naive } = twins(nowMs);
    for (let step = 0; step < 6_000; step += 1) {
      const dice = random.next();
      if (dice < 0.6) {
        const entry = { timeMs: nowMs - random.between(-20, 1_500), value: random.between(1, 3) };
        const after = naive.findIndex(({ timeMs }) => timeMs > entry.timeMs);
        naive.splice(after === -1 ? naive.length : after, 0, entry);
        insertEntry(log, entry.timeMs, [entry.value], observer);
      } else if (dice < 0.75 && naive.length > 0) {
        const { timeMs, value } = random.pick(naive);
        naive.splice(
          naive.findLastIndex((each) => each.timeMs === timeMs && each.value === value),
          1,
        );
        expect(removeEntry(log, timeMs, [value], observer)).toBe(true);
      } else if (dice < 0.95) {
        nowMs += random.between(-30, 60);
        advanceTo(log, nowMs, observer);
      } else if (dice < 0.97) {
        compact(log);
      } else {
        const before = log.length;
        forgetBefore(log, nowMs - 1_000);
        const gone = before - log.length;
        expect(naive.splice(0, gone).every(({ timeMs }) => timeMs <= nowMs - 1_000)).toBe(true);
      }
      expect(sums).toEqual(naiveSums(naive, nowMs));
    }
    expect(entriesOf(log)).toEqual(naive);
    expect(countAfter(log, nowMs - 500)).toBe(naive.filter(({ timeMs }) => timeMs > nowMs - 500).length);
  },
);

test('an entry is in a window if it is later than now minus the window, to the millisecond', () => {
  const { log, sums, observer } = twins(1_000);
  insertEntry(log, 990, [1], observer);
  insertEntry(log, 991, [2], observer);
  expect(sums).toEqual([2, 3, 3]);
  advanceTo(log, 1_001, observer);
  expect(sums).toEqual([0, 3, 3]);
  advanceTo(log, 999, observer);
  expect(sums).toEqual([3, 3, 3]);
});

test('equal times keep the order of insertion', () => {
  const { log } = twins(100);
  for (const [timeMs, value] of [
    [50, 1],
    [60, 2],
    [50, 3],
    [50, 4],
  ])
    insertEntry(log, timeMs, [value], NOBODY);
  expect(entriesOf(log).map(({ value }) => value)).toEqual([1, 3, 4, 2]);
});

test('removing an entry that is not there is refused', () => {
  const { log, observer, sums } = twins(100);
  insertEntry(log, 99, [1], observer);
  expect([removeEntry(log, 99, [2], observer), removeEntry(log, 98, [1], observer)]).toEqual([false, false]);
  expect([log.length, sums]).toEqual([1, [1, 1, 1]]);
});

test('forgetting waits until a quarter of the log is old, then lets all of it go', () => {
  const { log, observer } = twins(10_000);
  for (let timeMs = 8_996; timeMs <= 9_020; timeMs += 1) insertEntry(log, timeMs, [1], observer);
  forgetBefore(log, 9_000);
  expect(log.length).toBe(25);
  advanceTo(log, 10_002, observer);
  forgetBefore(log, 9_002);
  expect([log.length, log.times[0], log.windows[2].from]).toEqual([18, 9_003, 0]);
});
