import { expect, test } from 'vitest';
import {
  advanceErrorFigures,
  countError,
  createErrorFigures,
  type ErrorFigures,
  newSignatures,
  repeatedErrors,
} from '../../../lib/memory/error-figures.ts';
import { WINDOWS } from '../../../lib/memory/windows.ts';
import { NOW } from '../../support/memory-values.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
type Seen = readonly [message: string, timeMs: number | undefined];

function figuresOf(...errors: readonly Seen[]): ErrorFigures {
  const figures = createErrorFigures(NOW);
  for (const [message, timeMs] of errors) countError(figures, message, timeMs);
  return figures;
}
const fresh = (figures: ErrorFigures): number[] => WINDOWS.map((_, window) => newSignatures(figures, window));
const repeated = (figures: ErrorFigures): number[] => WINDOWS.map((_, window) => repeatedErrors(figures, window));

test.each<[string, Seen[], number[], number[]]>([
  ['no error', [], [0, 0, 0, 0], [0, 0, 0, 0]],
  ['one error', [['boom 1', NOW]], [1, 1, 1, 1], [0, 0, 0, 0]],
  [
    'the same kind twice',
    [
      ['boom 1', NOW],
      ['Boom 2', NOW - 1],
    ],
    [1, 1, 1, 1],
    [1, 1, 1, 1],
  ],
  [
    'two kinds',
    [
      ['boom', NOW],
      ['crash', NOW],
    ],
    [2, 2, 2, 2],
    [0, 0, 0, 0],
  ],
  [
    'a kind known for two days',
    [
      ['boom', NOW - 2 * DAY_MS],
      ['boom', NOW],
    ],
    [0, 0, 1, 1],
    [0, 0, 1, 1],
  ],
  [
    'a kind whose earlier sight is read later',
    [
      ['boom', NOW],
      ['boom', NOW - 2 * DAY_MS],
    ],
    [0, 0, 1, 1],
    [0, 0, 1, 1],
  ],
  [
    'a kind known for longer than any window',
    [
      ['boom', NOW - 40 * DAY_MS],
      ['boom', NOW],
    ],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ],
  [
    'a kind seen at an unknown time',
    [
      ['boom', undefined],
      ['boom', NOW],
    ],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ],
  [
    'a kind seen at an unknown time, read later',
    [
      ['boom', NOW],
      ['boom', undefined],
    ],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ],
  [
    'three of one kind',
    [
      ['boom', NOW],
      ['boom', NOW],
      ['boom', NOW - 2 * HOUR_MS],
    ],
    [0, 1, 1, 1],
    [1, 1, 1, 1],
  ],
])('%s: how many kinds are new and how many come back, by window', (_, errors, expectedNew, expectedRepeated) => {
  const figures = figuresOf(...errors);
  expect([fresh(figures), repeated(figures)]).toEqual([expectedNew, expectedRepeated]);
});

test('errors leave the windows as time passes', () => {
  const figures = figuresOf(['boom', NOW], ['boom', NOW - HOUR_MS + 1]);
  expect(repeated(figures)).toEqual([1, 1, 1, 1]);
  advanceErrorFigures(figures, NOW + 1);
  expect([fresh(figures), repeated(figures)]).toEqual([
    [0, 1, 1, 1],
    [0, 1, 1, 1],
  ]);
  advanceErrorFigures(figures, NOW + 31 * DAY_MS);
  expect([fresh(figures), repeated(figures), figures.log.length]).toEqual([[0, 0, 0, 0], [0, 0, 0, 0], 0]);
});

test('a kind that was long forgotten by the windows is not new when it comes back', () => {
  const figures = figuresOf(['boom', NOW]);
  advanceErrorFigures(figures, NOW + 40 * DAY_MS);
  countError(figures, 'boom', NOW + 40 * DAY_MS);
  expect(fresh(figures)).toEqual([0, 0, 0, 0]);
});

test('an error that is taken back is not repeated any more', () => {
  const figures = figuresOf(['boom', NOW], ['boom', NOW]);
  countError(figures, 'boom', NOW, -1);
  expect(repeated(figures)).toEqual([0, 0, 0, 0]);
});
