import { expect, test } from 'vitest';
import { lagOf, type Progress, progressAfter } from '../../../scheduler/replication/lag.ts';

/** At each second when the memory was last written to, how many uploads there were, and the lag that follows, in seconds. */
type Second = readonly [atS: number, writtenS: number, uploads: number, lagS: number | undefined];

test.each<[what: string, seconds: readonly Second[]]>([
  [
    'nothing is known until something is written or uploaded',
    [
      [100, 40, 5, undefined],
      [130, 40, 5, undefined],
      [160, 40, 6, 0],
    ],
  ],
  [
    'it grows from the write that waits, however many follow it, until the next upload',
    [
      [100, 40, 5, undefined],
      [130, 128, 5, 2],
      [160, 159, 5, 32],
      [190, 159, 5, 62],
      [220, 219, 6, 0],
      [250, 219, 6, 0],
    ],
  ],
  [
    'a write that was uploaded since is no lag, and a quiet memory has none',
    [
      [100, 40, 5, undefined],
      [130, 128, 6, 0],
      [9_000, 128, 6, 0],
      [9_030, 9_029, 6, 1],
    ],
  ],
  [
    'a store that never takes anything is one that lags',
    [
      [100, 40, 0, undefined],
      [130, 101, 0, 29],
      [430, 101, 0, 329],
    ],
  ],
  [
    'after a restart of Litestream nothing is known again',
    [
      [100, 40, 5, undefined],
      [130, 128, 5, 2],
      [160, 128, 0, undefined],
      [190, 189, 0, 1],
      [220, 189, 1, 0],
    ],
  ],
  [
    'a clock that runs ahead in the memory makes no lag below 0',
    [
      [100, 40, 5, undefined],
      [130, 500, 5, 0],
      [160, 500, 5, 30],
    ],
  ],
])('%s', (_, seconds) => {
  let progress: Progress | undefined;
  for (const [at, written, uploads, lag] of seconds) {
    progress = progressAfter(progress, { atMs: at * 1_000, writtenMs: written * 1_000, uploads });
    expect([at, lagOf(progress)]).toEqual([at, lag === undefined ? undefined : lag * 1_000]);
  }
});
