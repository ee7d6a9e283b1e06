import { describe, expect, test } from 'vitest';
import type { Row } from '../../../lib/memory/demo/writer.ts';
import { WASTE_REASONS, wastedCosts } from '../../../lib/memory/wasted-cost.ts';
import {
  makeMemory,
  orchestratedRow,
  retryRow,
  stopRow,
  type Table,
  type TestMemory,
  taskRow,
  usageRow,
} from '../../support/memory-builder.ts';
import { openReader } from '../../support/memory-figures.ts';
import { createTestClock, NOW } from '../../support/memory-values.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const AGO = NOW - 10 * MINUTE_MS;

/** A row and the table it belongs to. */
type Entry = readonly [Table, Row];
const event = (row: Row): Entry => ['swarm_events', row];
const succeeded = (taskId: string, extra: Row = {}): Entry => event(orchestratedRow(AGO, taskId, extra));
const failed = (taskId: string, extra: Row = {}): Entry =>
  succeeded(taskId, { event_type: 'task_failed', task_status: 'crashed', success: 0, ...extra });
const cost = (taskId: string, attempt: number, costUsd: number, extra: Row = {}): Entry => [
  'task_usage',
  usageRow(AGO, taskId, { attempt, cost_usd: costUsd, ...extra }),
];

/** What a reader of the memory sees, in dollars: by window, what failed and what was tried again. */
function watch(memory: TestMemory, clock = createTestClock()) {
  const reader = openReader(memory.path, clock);
  return () =>
    reader.read(({ tally, usage }) => {
      const figures = usage();
      return figures && wastedCosts(figures, tally.failedTasks).map((sums) => sums.map((sum) => sum / 1e6));
    });
}

function put(memory: TestMemory, entries: readonly Entry[]): void {
  for (const [table, row] of entries) memory.insert(table, row);
}

const CASES: [string, readonly Entry[], expected: { failed: number; retried: number }][] = [
  ['a task that succeeded wasted nothing', [cost('A', 1, 0.5), succeeded('A')], { failed: 0, retried: 0 }],
  ['a task that failed wasted all of its only attempt', [cost('A', 1, 0.5), failed('A')], { failed: 0.5, retried: 0 }],
  [
    'of a task that failed only the last attempt failed, those before it were tried again',
    [cost('A', 1, 0.25), event(retryRow(AGO, 'A')), cost('A', 2, 0.5), cost('A', 3, 1), failed('A')],
    { failed: 1, retried: 0.75 },
  ],
  [
    'an attempt that another followed is wasted also where the task succeeded in the end',
    [cost('A', 1, 0.25), cost('A', 2, 0.5), succeeded('A')],
    { failed: 0, retried: 0.25 },
  ],
  [
    'every model of an attempt counts',
    [cost('A', 1, 0.25), cost('A', 1, 0.5, { model: 'claude-haiku-4-5' }), failed('A')],
    { failed: 0.75, retried: 0 },
  ],
  ['a task that has not ended has wasted nothing yet', [cost('A', 1, 0.5)], { failed: 0, retried: 0 }],
  ['a retry row alone ends nothing', [cost('A', 1, 0.5), event(retryRow(AGO, 'A'))], { failed: 0, retried: 0 }],
  [
    'a task whose outcome nobody wrote down wasted nothing that one knows of',
    [cost('A', 1, 0.5), succeeded('A', { success: null })],
    { failed: 0, retried: 0 },
  ],
  [
    'a failure told by its type alone counts',
    [cost('A', 1, 0.5), failed('A', { success: null })],
    { failed: 0.5, retried: 0 },
  ],
  ['a task that failed without a cost wasted nothing', [failed('A')], { failed: 0, retried: 0 }],
  [
    'the failure of one task is not that of another',
    [cost('A', 1, 0.5), cost('B', 1, 4), failed('A'), succeeded('B')],
    { failed: 0.5, retried: 0 },
  ],
  [
    'a row that says nothing of the end, such as the hook’s, leaves a failure known',
    [cost('A', 1, 0.5), failed('A'), event(stopRow(AGO, { task_id: 'A', session_id: 'other' }))],
    { failed: 0.5, retried: 0 },
  ],
  [
    'a row that names no task belongs to none',
    [cost('', 1, 1), cost(' ', 2, 2), event(taskRow(AGO, { task_id: '', success: 0 }))],
    { failed: 0, retried: 0 },
  ],
  ['blanks around an id do not matter', [cost(' A', 1, 0.5), failed('A ')], { failed: 0.5, retried: 0 }],
  [
    'a later attempt without a time or a cost still is one',
    [cost('A', 1, 0.5), cost('A', 2, 0, { ended_at: 'later', cost_usd: null }), failed('A')],
    { failed: 0, retried: 0.5 },
  ],
];

/** Whatever comes first, and whether or not somebody looks in between. */
const ORDERS: [string, (entries: readonly Entry[]) => readonly (readonly Entry[])[]][] = [
  ['at once', (entries) => [entries]],
  ['one after the other', (entries) => entries.map((entry) => [entry])],
  ['the last first', (entries) => entries.toReversed().map((entry) => [entry])],
];

describe.each(ORDERS)('rows that come %s', (_, inOrder) => {
  test.each(CASES)('%s', async (__, entries, expected) => {
    const memory = makeMemory({ hasUsage: true });
    const wasted = watch(memory);
    for (const part of inOrder(entries)) {
      put(memory, part);
      await wasted();
    }
    expect(await wasted()).toEqual(Array.from({ length: 4 }, () => [expected.failed, expected.retried]));
  });
});

test('the reasons are in the order of the sums', () => {
  expect(WASTE_REASONS).toEqual(['failed', 'retried']);
});

test('waste leaves the windows with the attempt it was spent on, not with the task’s end', async () => {
  const clock = createTestClock();
  const memory = makeMemory({ hasUsage: true });
  const ended = (hours: number): Row => ({ ended_at: new Date(NOW - hours * HOUR_MS).toISOString() });
  put(memory, [
    cost('A', 1, 0.25, ended(23)),
    cost('A', 2, 0.5, ended(0.5)),
    failed('A'),
    cost('B', 1, 8, ended(6 * 24)),
    failed('B'),
    cost('C', 1, 16, ended(40 * 24)),
    failed('C'),
  ]);
  const wasted = watch(memory, clock);
  expect(await wasted()).toEqual([
    [0.5, 0],
    [0.5, 0.25],
    [8.5, 0.25],
    [8.5, 0.25],
  ]);
  clock.pass(2 * DAY_MS);
  expect(await wasted()).toEqual([
    [0, 0],
    [0, 0],
    [0.5, 0.25],
    [8.5, 0.25],
  ]);
});

test('of several endings of one task the last that knows its outcome decides', async () => {
  const memory = makeMemory({ hasUsage: true });
  const wasted = watch(memory);
  const failures: unknown[] = [];
  put(memory, [cost('A', 1, 0.5)]);
  for (const ending of [failed('A'), succeeded('A', { id: 'second' }), failed('A', { id: 'third' })]) {
    put(memory, [ending]);
    failures.push((await wasted())?.[0][0]);
  }
  expect(failures).toEqual([0.5, 0, 0.5]);
});

const WASTED = { failed: 1, retried: 0.75 };

test.each<[string, string, typeof WASTED]>([
  ['the ending row', "DELETE FROM swarm_events WHERE task_id = 'A'", { failed: 0, retried: 0.75 }],
  ['the last attempt', 'DELETE FROM task_usage WHERE attempt = 3', { failed: 0.5, retried: 0.25 }],
  ['an earlier attempt', 'DELETE FROM task_usage WHERE attempt = 1', { failed: 1, retried: 0.5 }],
  ['every cost', 'DELETE FROM task_usage', { failed: 0, retried: 0 }],
  ['nothing, but the file is vacuumed', 'VACUUM', WASTED],
  [
    'the ending row, and is written again as a success',
    `UPDATE swarm_events SET rowid = rowid + 10, success = 1, event_type = 'task_complete' WHERE task_id = 'A'`,
    { failed: 0, retried: 0.75 },
  ],
])('what was taken away is forgotten: %s', async (_, sql, expected) => {
  const memory = makeMemory({ hasUsage: true });
  const wasted = watch(memory);
  put(memory, [cost('A', 1, 0.25), cost('A', 2, 0.5), cost('A', 3, 1), failed('A'), succeeded('B')]);
  expect((await wasted())?.[0]).toEqual([WASTED.failed, WASTED.retried]);
  memory.write((db) => db.exec(sql));
  expect((await wasted())?.[0]).toEqual([expected.failed, expected.retried]);
});

test('without a table of costs nothing is known of waste', async () => {
  expect(await watch(makeMemory())()).toBeUndefined();
});
