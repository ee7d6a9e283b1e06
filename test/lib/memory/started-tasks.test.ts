import { describe, expect, test } from 'vitest';
import type { EventRow } from '../../../lib/memory/event-rows.ts';
import { tasksInProgress } from '../../../lib/memory/started-tasks.ts';
import type { Tally } from '../../../lib/memory/tally.ts';
import { NOW, rowValue, startTally } from '../../support/memory-values.ts';

const LONG_AGO = NOW - 60_000;
const stop = (rowid: number, extra: Partial<EventRow> = {}) =>
  rowValue(rowid, { eventType: 'subagent_stop', agentName: 'subagent', timeMs: LONG_AGO, ...extra });
const task = (rowid: number, extra: Partial<EventRow> = {}) =>
  rowValue(rowid, { timeMs: LONG_AGO, success: 1, ...extra });

describe('tasks in progress', () => {
  const start = (rowid: number, extra: Partial<EventRow> = {}) =>
    rowValue(rowid, { eventType: 'task_start', timeMs: LONG_AGO - 30_000 + rowid, ...extra });
  const inProgress = (tally: Tally) => tasksInProgress(tally.started);

  test.each([
    ['one that only began', [start(1)], { count: 1, oldestMs: LONG_AGO - 29_999 }],
    ['none once it ended', [start(1), task(2)], { count: 0, oldestMs: undefined }],
    ['none once a nameless stop row ended it', [start(1), stop(2)], { count: 0, oldestMs: undefined }],
    [
      'one when another agent ended',
      [start(1), task(2, { agentName: 'Explore' })],
      { count: 1, oldestMs: LONG_AGO - 29_999 },
    ],
    [
      'the other of two',
      [start(1, { taskId: 'A' }), start(2, { taskId: 'B' }), task(3, { taskId: 'A' })],
      { count: 1, oldestMs: LONG_AGO - 29_998 },
    ],
    ['none that nobody could end', [start(1, { sessionId: undefined })], { count: 0, oldestMs: undefined }],
  ])('%s', (_, rows, expected) => {
    expect(inProgress(startTally().feed(rows))).toEqual(expected);
  });

  test('a task that ended before another began does not end that other, however late it settles', () => {
    const { feed } = startTally();
    feed([task(1, { timeMs: NOW }), start(2, { timeMs: NOW + 100 })]);
    expect(inProgress(feed([], NOW + 10_000)).count).toBe(1);
  });

  test('a pair ends the start of its own agent, whether it met before settling or after', () => {
    const rows = [
      start(1, { agentName: 'cervella-docs', timeMs: NOW - 20_000 }),
      start(2, { timeMs: NOW - 10_000 }),
      stop(3, { timeMs: NOW - 1_000 }),
      task(4, { timeMs: NOW - 970 }),
    ];
    const soon = startTally();
    soon.feed(rows);
    const later = startTally(NOW + 60_000);
    const expected = { count: 1, oldestMs: NOW - 20_000 };
    expect(inProgress(soon.feed([], NOW + 60_000))).toEqual(expected);
    expect(inProgress(later.feed(rows))).toEqual(expected);
  });
});
