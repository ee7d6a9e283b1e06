import { expect, test } from 'vitest';
import { digestOf } from '../../../lib/memory/cell-digest.ts';
import type { Cells } from '../../../lib/memory/shipped-tables.ts';
import { mergeRow } from '../../../orchestrator/recorder/merge-row.ts';

type Table = 'lessons_learned' | 'error_patterns';

/** What is written into our row; `sent` is what the other machine sent last time. */
const merge = (table: Table, { local, shipped, sent }: { local: Cells; shipped: Cells; sent?: Cells }): Cells => {
  const before = sent && Object.fromEntries(Object.entries(sent).map(([column, value]) => [column, digestOf(value)]));
  return mergeRow({ table, row: shipped, ...(before ? { before } : {}) }, local);
};

const EARLY = '2026-01-01T10:00:00Z';
const LATE = '2026-01-01 11:00:00';

test.each<[string, Table, { local: Cells; shipped: Cells; sent?: Cells }, Cells]>([
  [
    'what is empty here is filled',
    'lessons_learned',
    { local: { solution: null, example: '' }, shipped: { solution: 'a', example: 'b' } },
    { solution: 'a', example: 'b' },
  ],
  [
    'what is filled here is never emptied',
    'lessons_learned',
    {
      local: { solution: 'a', example: 'b' },
      shipped: { solution: null, example: '' },
      sent: { solution: 'a', example: 'b' },
    },
    {},
  ],
  [
    'what was changed there and not here is taken over',
    'lessons_learned',
    { local: { status: 'ACTIVE' }, shipped: { status: 'RESOLVED' }, sent: { status: 'ACTIVE' } },
    { status: 'RESOLVED' },
  ],
  [
    'what was changed here stays',
    'lessons_learned',
    { local: { status: 'RESOLVED' }, shipped: { status: 'ACTIVE' }, sent: { status: 'ACTIVE' } },
    {},
  ],
  [
    'what was changed on both sides stays',
    'lessons_learned',
    { local: { solution: 'ours' }, shipped: { solution: 'theirs' }, sent: { solution: 'before' } },
    {},
  ],
  [
    'each cell by itself',
    'lessons_learned',
    {
      local: { solution: 'ours', severity: 'LOW' },
      shipped: { solution: 'theirs', severity: 'HIGH' },
      sent: { solution: 'before', severity: 'LOW' },
    },
    { severity: 'HIGH' },
  ],
  [
    'without knowing what was sent before nothing of ours is overwritten',
    'lessons_learned',
    { local: { status: 'RESOLVED' }, shipped: { status: 'ACTIVE' } },
    {},
  ],
  [
    'what was taken over once is not taken over again',
    'lessons_learned',
    { local: { status: 'RESOLVED' }, shipped: { status: 'RESOLVED' }, sent: { status: 'ACTIVE' } },
    {},
  ],
  [
    'counters go up',
    'lessons_learned',
    {
      local: { times_applied: 3, occurrence_count: 1, time_wasted_minutes: null },
      shipped: { times_applied: 5, occurrence_count: 2, time_wasted_minutes: 30 },
    },
    { times_applied: 5, occurrence_count: 2, time_wasted_minutes: 30 },
  ],
  [
    'and never down, even if nobody touched them here',
    'lessons_learned',
    { local: { times_applied: 5 }, shipped: { times_applied: 3 }, sent: { times_applied: 5 } },
    {},
  ],
  ['a text is no counter', 'lessons_learned', { local: { times_applied: 5 }, shipped: { times_applied: 'many' } }, {}],
  [
    'a lesson was last applied at the later time',
    'lessons_learned',
    { local: { last_applied: EARLY }, shipped: { last_applied: LATE } },
    { last_applied: LATE },
  ],
  [
    'whichever side that is',
    'lessons_learned',
    { local: { last_applied: LATE }, shipped: { last_applied: EARLY } },
    {},
  ],
  [
    'a time that cannot be read moves nothing',
    'lessons_learned',
    { local: { last_applied: EARLY }, shipped: { last_applied: 'soon' } },
    {},
  ],
  [
    'a pattern was first seen at the earlier time and last at the later',
    'error_patterns',
    {
      local: { first_seen: LATE, last_seen: EARLY, occurrence_count: 2 },
      shipped: { first_seen: EARLY, last_seen: LATE, occurrence_count: 1 },
    },
    { first_seen: EARLY, last_seen: LATE },
  ],
  [
    'when a row was made does not change',
    'lessons_learned',
    {
      local: { timestamp: EARLY, created_at: EARLY },
      shipped: { timestamp: LATE, created_at: LATE },
      sent: { timestamp: EARLY },
    },
    {},
  ],
  ['a column that this memory lacks is left out', 'lessons_learned', { local: {}, shipped: { example: 'a' } }, {}],
])('%s', (_, table, rows, written) => {
  expect(merge(table, rows)).toEqual(written);
});
