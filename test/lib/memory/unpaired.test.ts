import { expect, test } from 'vitest';
import { createRandom } from '../../../lib/memory/demo/random.ts';
import type { EventRow } from '../../../lib/memory/event-rows.ts';
import { isPair, type Task } from '../../../lib/memory/task.ts';
import {
  addUnpaired,
  CannotPairError,
  createUnpaired,
  forgetUnpaired,
  type OpenTask,
  takeMate,
  type Unpaired,
} from '../../../lib/memory/unpaired.ts';
import { NOW, taskValue } from '../../support/memory-values.ts';

const stop = (rowid: number, extra: Partial<EventRow> = {}): Task =>
  taskValue(rowid, { eventType: 'subagent_stop', ...extra });
const waiting = (task: Task): OpenTask => ({ task, isCounted: false, dueMs: 0, start: undefined });

function unpairedOf(...tasks: Task[]): Unpaired {
  const unpaired = createUnpaired();
  for (const task of tasks) addUnpaired(unpaired, waiting(task));
  return unpaired;
}

test('a mate is taken out, so that it is found only once', () => {
  const unpaired = unpairedOf(stop(1));
  expect(takeMate(unpaired, taskValue(2))?.task.rowid).toBe(1);
  expect(takeMate(unpaired, taskValue(3))).toBeUndefined();
  expect(unpaired.count).toBe(0);
});

test.each([
  ['without a session', { sessionId: undefined }],
  ['without a time', { timeMs: undefined }],
  ['of the orchestrator', { tags: 'orchestrated' }],
])('a row %s is neither kept nor given a mate', (_, extra) => {
  const unpaired = unpairedOf(stop(1, extra));
  expect(unpaired.count).toBe(0);
  expect(takeMate(unpairedOf(stop(1)), taskValue(2, extra))).toBeUndefined();
});

test('rows of the years before 1970 pair like any other', () => {
  const timeMs = Date.UTC(1960, 0, 1) - 1;
  expect(takeMate(unpairedOf(stop(1, { timeMs })), taskValue(2, { timeMs: timeMs + 2 }))?.task.rowid).toBe(1);
});

test('old rows are let go, and a newcomer as old as they were is refused', () => {
  const unpaired = unpairedOf(stop(1, { timeMs: NOW - 10_000 }), stop(2));
  forgetUnpaired(unpaired, NOW - 10_000);
  expect(unpaired.count).toBe(1);
  expect(() => takeMate(unpaired, taskValue(3, { timeMs: NOW - 8_000 }))).toThrow(CannotPairError);
  expect(takeMate(unpaired, taskValue(4, { timeMs: NOW - 5_000 }))).toBeUndefined();
  expect(takeMate(unpaired, taskValue(5))?.task.rowid).toBe(2);
});

test('nobody is refused while nothing was let go', () => {
  const unpaired = unpairedOf(stop(1));
  forgetUnpaired(unpaired, NOW - 10_000);
  expect(takeMate(unpaired, taskValue(2, { timeMs: NOW - 1_000_000 }))).toBeUndefined();
});

test.each([1, 2, 3])('finds the same mates as looking through all rows one by one (seed %i)', (seed) => {
  const random = createRandom(seed);
  const unpaired = createUnpaired();
  const open: Task[] = [];
  const found: unknown[] = [];
  const expected: unknown[] = [];
  for (let rowid = 1; rowid <= 3_000; rowid += 1) {
    const task = taskValue(rowid, {
      eventType: random.pick(['subagent_stop', 'task_complete']),
      agentName: random.pick(['subagent', 'cervella-docs', 'cervella-backend']),
      sessionId: random.pick(['s1', 's2', '']) || undefined,
      timeMs: NOW + rowid * 100 + random.between(-3_000, 3_000),
    });
    const mate = open.find((each) => each.mayPair && task.mayPair && isPair(each, task));
    if (mate) open.splice(open.indexOf(mate), 1);
    else open.push(task);
    expected.push(mate?.rowid);
    const taken = takeMate(unpaired, task);
    if (!taken) addUnpaired(unpaired, waiting(task));
    found.push(taken?.task.rowid);
  }
  expect(found).toEqual(expected);
  expect(found.filter((rowid) => rowid !== undefined).length).toBeGreaterThan(500);
});
