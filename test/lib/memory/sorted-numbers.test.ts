import { expect, test } from 'vitest';
import { createRandom } from '../../../lib/memory/demo/random.ts';
import {
  addNumber,
  countUpTo,
  numberAt,
  quantileOf,
  removeNumber,
  type SortedNumbers,
  sortedNumbersOf,
} from '../../../lib/memory/sorted-numbers.ts';

const contents = (set: SortedNumbers): number[] =>
  set.blocks.flatMap((block) => [...block.values.subarray(0, block.used)]);
const ascending = (one: number, other: number): number => one - other;

test.each([
  [1, 10],
  [2, 1_000],
  [3, 2 ** 32 - 2],
])(
  'stays what a sorted array would be through thousands of additions and removals (seed %i, up to %i)',
  (seed, highest) => {
    const random = createRandom(seed);
    const naive: number[] = Array.from({ length: 3_000 }, () => random.between(0, highest));
    const set = sortedNumbersOf(Uint32Array.from(naive));
    for (let step = 0; step < 12_000; step += 1) {
      // Grows at first, shrinks to nothing later.
      if (naive.length === 0 || random.chance(step < 4_000 ? 0.7 : 0.2)) {
        const value = random.between(0, highest);
        naive.push(value);
        addNumber(set, value);
      } else {
        const [value] = naive.splice(random.between(0, naive.length - 1), 1);
        removeNumber(set, value);
      }
      if (step % 500 !== 0) continue;
      expect(contents(set)).toEqual(naive.toSorted(ascending));
      const bounds = [0, ...naive.slice(0, 20), highest].flatMap((bound) => [bound, bound + 1]);
      expect(bounds.map((bound) => countUpTo(set, bound))).toEqual(
        bounds.map((bound) => naive.filter((each) => each <= bound).length),
      );
    }
    expect(set.count).toBe(naive.length);
    expect(contents(set)).toEqual(naive.toSorted(ascending));
  },
);

test('numbers that only grow or only fall are kept in order', () => {
  const set = sortedNumbersOf(new Uint32Array());
  for (let value = 0; value < 2_000; value += 1) addNumber(set, 100_000 + value);
  for (let value = 2_000; value > 0; value -= 1) addNumber(set, value);
  expect(contents(set)).toEqual(contents(set).toSorted(ascending));
  expect([set.count, numberAt(set, 0), numberAt(set, 3_999), numberAt(set, 4_000)]).toEqual([
    4_000,
    1,
    101_999,
    undefined,
  ]);
});

test('removing what is not there changes nothing', () => {
  const set = sortedNumbersOf(Uint32Array.of(1, 5));
  for (const absent of [0, 3, 9]) removeNumber(set, absent);
  expect([set.count, contents(set)]).toEqual([2, [1, 5]]);
});

test.each([
  [[], 0.5, undefined],
  [[7], 0, 7],
  [[7], 0.95, 7],
  [[1, 2], 0.5, 1],
  [[1, 2, 3], 0.5, 2],
  [[10, 20, 30, 40, 50, 60, 70, 80, 90, 100], 0.9, 90],
  [[10, 20, 30, 40, 50, 60, 70, 80, 90, 100], 0.95, 100],
  [[10, 20], 1, 20],
])('the nearest-rank quantile of %j at %d is %d', (numbers, quantile, expected) => {
  expect(quantileOf(sortedNumbersOf(Uint32Array.from(numbers)), quantile)).toBe(expected);
});

test.each([
  [[], 5, 0],
  [[7], 6, 0],
  [[7], 7, 1],
  [[1, 5, 5, 9], 4, 1],
  [[1, 5, 5, 9], 5, 3],
  [Array.from({ length: 2_000 }, () => 5), 4, 0],
  [Array.from({ length: 2_000 }, () => 5), 5, 2_000],
])('of %j as many are up to %i as one can count', (numbers, bound, expected) => {
  expect(countUpTo(sortedNumbersOf(Uint32Array.from(numbers)), bound)).toBe(expected);
});

test.each([50, 90, 95])('p%i is the nearest rank for every size, without rounding errors', (percent) => {
  const wrong: number[] = [];
  const set = sortedNumbersOf(new Uint32Array());
  for (let size = 1; size <= 2_000; size += 1) {
    addNumber(set, size);
    if (quantileOf(set, percent / 100) !== Math.ceil((percent * size) / 100)) wrong.push(size);
  }
  expect(wrong).toEqual([]);
});
