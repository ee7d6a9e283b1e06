import { describe, expect, test } from 'vitest';
import { newSignatures } from '../../../lib/memory/error-figures.ts';
import type { EventRow } from '../../../lib/memory/event-rows.ts';
import type { Tally } from '../../../lib/memory/tally.ts';
import { successRatio, windowOutcomes } from '../../../lib/memory/task-figures.ts';
import { NOW, rowValue, startTally } from '../../support/memory-values.ts';

const LONG_AGO = NOW - 60_000;
const stop = (rowid: number, extra: Partial<EventRow> = {}) =>
  rowValue(rowid, { eventType: 'subagent_stop', agentName: 'subagent', timeMs: LONG_AGO, ...extra });
const task = (rowid: number, extra: Partial<EventRow> = {}) =>
  rowValue(rowid, { timeMs: LONG_AGO, success: 1, ...extra });

/** [success, failed, unknown] of all tasks counted so far. */
const outcomes = (tally: Tally): readonly number[] => tally.tasks.outcomes;
const tasksByAgent = ({ tasks: { agents, byAgent } }: Tally): Record<string, number> =>
  Object.fromEntries(byAgent.flatMap((own, index) => (own.tasks > 0 ? [[agents.names[index], own.tasks]] : [])));
const feedAll = (...rows: EventRow[]): readonly number[] => outcomes(startTally().feed(rows));

test.each([
  ['a pair is one task', [stop(1), task(2)], [1, 0, 0]],
  ['a pair is one task whichever row comes first', [task(1), stop(2)], [1, 0, 0]],
  [
    'a pair whose task row knows no outcome takes it from the stop row',
    [stop(1, { success: 0 }), task(2, { success: null })],
    [0, 1, 0],
  ],
  ['a stop row alone is a task of unknown outcome', [stop(1)], [0, 0, 1]],
  [
    'rows of other types are no tasks',
    [rowValue(1, { eventType: 'tool_use' }), rowValue(2, { eventType: 'session_end' }), rowValue(3, { eventType: '' })],
    [0, 0, 0],
  ],
  ['two rows of the same kind do not pair', [stop(1), stop(2), task(3)], [1, 0, 1]],
  ['each row pairs once', [stop(1), task(2), task(3)], [2, 0, 0]],
  ['rows of different agents are two tasks', [stop(1, { agentName: 'Explore' }), task(2)], [1, 0, 1]],
  ['rows 2 s apart pair', [stop(1), task(2, { timeMs: LONG_AGO + 2_000 })], [1, 0, 0]],
  ['rows 2 s apart pair backwards as well', [stop(1), task(2, { timeMs: LONG_AGO - 2_000 })], [1, 0, 0]],
  ['rows more than 2 s apart do not pair', [stop(1), task(2, { timeMs: LONG_AGO + 2_001 })], [1, 0, 1]],
  ['rows of the orchestrator never pair', [stop(1), task(2, { tags: '["orchestrated"]' })], [1, 0, 1]],
  [
    'autonomous rows never pair',
    [stop(1), task(2, { tags: 'autonomous' }), stop(3, { tags: 'autonomous' })],
    [1, 0, 2],
  ],
  [
    'rows without a session never pair',
    [stop(1, { sessionId: undefined }), task(2, { sessionId: undefined })],
    [1, 0, 1],
  ],
  ['rows of other sessions do not pair', [stop(1), task(2, { sessionId: 's2' })], [1, 0, 1]],
  [
    'rows without a time count and do not pair',
    [stop(1, { timeMs: undefined }), task(2, { timeMs: undefined })],
    [1, 0, 1],
  ],
  [
    'a row that was passed over may pair with a later one',
    [stop(1, { agentName: 'Explore' }), task(2), task(3, { agentName: 'Explore' })],
    [2, 0, 0],
  ],
])('%s', (_, rows, expected) => {
  expect(feedAll(...rows)).toEqual(expected);
});

test.each([
  ['not the nearest in time', LONG_AGO + 1_900, LONG_AGO],
  ['not the earliest in time', LONG_AGO + 1_900, LONG_AGO - 1_900],
  ['across a boundary of seconds', LONG_AGO + 1, LONG_AGO - 1],
])('of several candidates a row takes the one of the lowest rowid, %s', (_, firstMs, secondMs) => {
  const [first, second] = [stop(1, { timeMs: firstMs }), stop(2, { timeMs: secondMs, agentName: undefined })];
  expect(tasksByAgent(startTally().feed([first, second, task(3)]))).toEqual({ 'cervella-backend': 1, unknown: 1 });
});

test('the agent of a pair is the one of its task row', () => {
  expect(tasksByAgent(startTally().feed([stop(1), task(2)]))).toEqual({ 'cervella-backend': 1 });
});

test('a pair leaves no last task with the agent its stop row named', () => {
  const older = stop(1, { timeMs: LONG_AGO - 3_600_000, sessionId: 's2' });
  const { agents, byAgent } = startTally().feed([older, stop(2), task(3)]).tasks;
  expect(byAgent[agents.indexes.get('subagent') as number].lastTaskMs).toBe(LONG_AGO - 3_600_000);
});

test('an agent without a name is "unknown", and "subagent" stays "subagent"', () => {
  const rows = [stop(1, { agentName: undefined, sessionId: 'a' }), stop(2, { sessionId: 'b' })];
  expect(startTally().feed(rows).tasks.agents.names).toEqual(['other', 'unknown', 'subagent']);
});

describe('settling', () => {
  test.each([
    ['a row that is 3 s old is counted at once', { timeMs: NOW - 3_000 }, 1],
    ['a younger row waits for its mate', { timeMs: NOW - 2_999 }, 0],
    ['a row of the near future waits', { timeMs: NOW + 200_000 }, 0],
    ['a row without a time is counted at once', { timeMs: undefined }, 1],
    ['a row without a session is counted at once', { sessionId: undefined }, 1],
  ])('%s', (_, extra, expected) => {
    expect(outcomes(startTally().feed([stop(1, extra)]))[2]).toBe(expected);
  });

  test('a waiting row is counted 3 s after its time', () => {
    const { tally, feed } = startTally();
    const totals = [0, 1_999, 2_000].map((laterMs) => {
      feed(laterMs === 0 ? [stop(1, { timeMs: NOW - 1_000 })] : [], NOW + laterMs);
      return outcomes(tally)[2];
    });
    expect(totals).toEqual([0, 0, 1]);
  });

  test('a row whose time lies ahead is counted 3 s after it was first seen', () => {
    const { tally, feed } = startTally();
    feed([stop(1, { timeMs: NOW + 200_000 })]);
    feed([], NOW + 2_999);
    expect(outcomes(tally)).toEqual([0, 0, 0]);
    expect(outcomes(feed([], NOW + 3_000))).toEqual([0, 0, 1]);
  });

  test('a pair that meets before it settles is counted once', () => {
    const { feed } = startTally();
    feed([stop(1, { timeMs: NOW })]);
    feed([task(2, { timeMs: NOW + 30 })], NOW + 1_000);
    expect(outcomes(feed([], NOW + 10_000))).toEqual([1, 0, 0]);
  });

  test('a late pair keeps the total and moves the outcome, in all figures', () => {
    const { tally, feed } = startTally();
    feed([stop(1, { timeMs: NOW - 5_000, errorMessage: 'boom' })]);
    expect(outcomes(tally)).toEqual([0, 0, 1]);
    feed([task(2, { timeMs: NOW - 5_000, durationMs: 7_000 })], NOW + 60_000);
    expect(outcomes(tally)).toEqual([1, 0, 0]);
    expect(windowOutcomes(tally.tasks, 0)).toEqual([1, 0, 0]);
    expect(tally.tasks.windows[0].durations.count).toBe(1);
    expect(newSignatures(tally.errors, 0)).toBe(1);
    expect(tally.week.log.length).toBe(1);
  });

  test('a row that is later than a day may belong to one that was let go, which the tally says', () => {
    const { feed } = startTally();
    feed([stop(1, { timeMs: NOW - 2 * 86_400_000 })]);
    expect(() => feed([task(2, { timeMs: NOW - 2 * 86_400_000 })])).toThrow();
  });
});

test('the proportions of the largest real copy give the figures of swarm-memory.md', () => {
  const at = (run: number): number => NOW - 86_400_000 + run * 10_000;
  const rows: EventRow[] = [];
  for (let run = 0; run < 290; run += 1) {
    const sessionId = `s${run % 5}`;
    rows.push(stop(rows.length + 1, { timeMs: at(run), sessionId }));
    if (run < 65) rows.push(task(rows.length + 1, { timeMs: at(run) + 30, sessionId }));
  }
  for (let run = 0; run < 9; run += 1) rows.push(task(rows.length + 1, { timeMs: at(400 + run) }));
  const tally = startTally().feed(rows);
  expect(outcomes(tally)).toEqual([74, 0, 225]);
  expect(successRatio(outcomes(tally))).toBe(1);
});

test('a tally can be handed to another thread, however many rows share one moment', () => {
  const rows = Array.from({ length: 20_000 }, (_, index) => stop(index));
  const copy = structuredClone(startTally().feed(rows));
  expect([copy.rows, outcomes(copy)]).toEqual([20_000, [0, 0, 20_000]]);
});

test('the cursor is the rowid of the last row, whatever it is', () => {
  const { tally, feed } = startTally();
  feed([rowValue(-5, { eventType: 'tool_use' }), rowValue(90)]);
  expect([tally.cursor, tally.rows]).toEqual([90, 2]);
});
