import { copyFileSync, renameSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { shownOutcomes } from '../../../lib/memory/task-counters.ts';
import { eventRow, makeMemory, stopRow, type TestMemory, taskRow, tempDir } from '../../support/memory-builder.ts';
import { fiveRuns, openReader, readTotals } from '../../support/memory-figures.ts';
import { createTestClock, NOW } from '../../support/memory-values.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const AGO = NOW - 10 * MINUTE_MS;
const sql = (text: string) => (memory: TestMemory) => memory.write((db) => db.exec(text));
const addSuccess = (memory: TestMemory): void => memory.events(taskRow(AGO, { session_id: 's9' }));

test('a reader opens nothing before it is asked', async () => {
  const path = join(tempDir(), 'later.db');
  const reader = openReader(path, createTestClock());
  makeMemory({ path });
  expect(await readTotals(reader)).toEqual({ rows: 0, outcomes: [0, 0, 0] });
});

test.each(['A', 'B', 'C', 'D', 'E', 'F', 'G'] as const)(
  'a memory in state %s is read, and what is added to it',
  async (state) => {
    const memory = makeMemory({ state });
    const reader = openReader(memory.path, createTestClock());
    memory.events(stopRow(AGO));
    const first = await reader.read(({ schema, tally }) => [schema.state, tally.rows]);
    memory.events(stopRow(AGO + MINUTE_MS), eventRow(AGO, { event_type: 'tool_use' }));
    expect([first, await readTotals(reader)]).toEqual([[state, 1], { rows: 3, outcomes: [0, 0, 2] }]);
  },
);

test.each<[string, (memory: TestMemory) => void, [rows: number, outcomes: number[]]]>([
  ['nothing happened', () => {}, [5, [0, 0, 5]]],
  ['a row was added', addSuccess, [6, [1, 0, 5]]],
  ['the first row was deleted', sql('DELETE FROM swarm_events WHERE rowid = 1'), [4, [0, 0, 4]]],
  ['a row in the middle was deleted', sql('DELETE FROM swarm_events WHERE rowid = 3'), [4, [0, 0, 4]]],
  ['the last row was deleted', sql('DELETE FROM swarm_events WHERE rowid = 5'), [4, [0, 0, 4]]],
  ['every row was deleted', sql('DELETE FROM swarm_events'), [0, [0, 0, 0]]],
  [
    'the last row was deleted and another took its rowid',
    (memory) => {
      sql('DELETE FROM swarm_events WHERE rowid = 5')(memory);
      addSuccess(memory);
    },
    [5, [1, 0, 4]],
  ],
  [
    'a row in the middle was deleted and another added',
    (memory) => {
      sql('DELETE FROM swarm_events WHERE rowid = 3')(memory);
      addSuccess(memory);
    },
    [5, [1, 0, 4]],
  ],
  ['the file was vacuumed', sql('VACUUM'), [5, [0, 0, 5]]],
  ['the file was thinned and vacuumed', sql('DELETE FROM swarm_events WHERE rowid < 3; VACUUM'), [3, [0, 0, 3]]],
  ['a column was added', sql('ALTER TABLE swarm_events ADD COLUMN extra TEXT'), [5, [0, 0, 5]]],
  ['the journal mode changed', sql('PRAGMA journal_mode = DELETE'), [5, [0, 0, 5]]],
  [
    'another file took its place by rename',
    (memory) => {
      const other = makeMemory();
      addSuccess(other);
      renameSync(other.path, memory.path);
    },
    [1, [1, 0, 0]],
  ],
  [
    'another content was written into the same inode',
    (memory) => {
      const other = makeMemory();
      addSuccess(other);
      copyFileSync(other.path, memory.path);
    },
    [1, [1, 0, 0]],
  ],
  [
    'it was removed and made anew, perhaps with the same inode',
    (memory) => {
      unlinkSync(memory.path);
      fiveRuns(memory.path);
      addSuccess(memory);
    },
    [6, [1, 0, 5]],
  ],
])('figures are right after %s', async (_, change, [rows, outcomes]) => {
  const memory = fiveRuns();
  const reader = openReader(memory.path, createTestClock());
  expect(await readTotals(reader)).toEqual({ rows: 5, outcomes: [0, 0, 5] });
  change(memory);
  expect(await readTotals(reader)).toEqual({ rows, outcomes });
  expect(await readTotals(reader)).toEqual({ rows, outcomes });
});

test('a row that arrives days late still finds its other row', async () => {
  const clock = createTestClock();
  const memory = makeMemory();
  memory.events(stopRow(NOW - 3 * DAY_MS), stopRow(AGO));
  const reader = openReader(memory.path, clock);
  expect((await readTotals(reader)).outcomes).toEqual([0, 0, 2]);
  memory.events(taskRow(NOW - 3 * DAY_MS + 30));
  expect(await readTotals(reader)).toEqual({ rows: 3, outcomes: [1, 0, 1] });
});

test('readings at the same time agree, and none fails for another', async () => {
  const memory = fiveRuns();
  const reader = openReader(memory.path, createTestClock());
  const first = Array.from({ length: 10 }, () => readTotals(reader));
  addSuccess(memory);
  const failing = reader.read(() => {
    throw new Error('not mine');
  });
  const second = Array.from({ length: 10 }, () => readTotals(reader));
  await expect(failing).rejects.toThrow('not mine');
  const all = { rows: 6, outcomes: [1, 0, 5] };
  expect(await Promise.all([...first, ...second])).toEqual(Array.from({ length: 20 }, () => all));
});

test('what a writer has not committed is not seen, and what it holds open does not matter', async () => {
  const memory = fiveRuns();
  const reader = openReader(memory.path, createTestClock());
  const writer = new Database(memory.path);
  try {
    await readTotals(reader);
    writer.exec(
      "BEGIN IMMEDIATE; INSERT INTO swarm_events (id, timestamp, event_type) VALUES ('x', '', 'task_success')",
    );
    expect((await readTotals(reader)).outcomes).toEqual([0, 0, 5]);
    writer.exec('COMMIT');
    expect((await readTotals(reader)).outcomes).toEqual([1, 0, 5]);
  } finally {
    writer.close();
  }
});

const showsFor = (path: string) => {
  const reader = openReader(path, createTestClock());
  return () => reader.read(({ tally }) => shownOutcomes(tally.tasks));
};

test.each([
  ['minutes late', AGO],
  ['days late', NOW - 3 * DAY_MS],
])('counters never go down for a row that comes %s, nor when the file is vacuumed after that', async (_, timeMs) => {
  const memory = makeMemory();
  const shows = showsFor(memory.path);
  memory.events(stopRow(timeMs));
  expect(await shows()).toEqual([0, 0, 1]);
  memory.events(taskRow(timeMs + 30));
  expect(await shows()).toEqual([1, 0, 1]);
  memory.write((db) => db.exec('VACUUM'));
  expect(await shows()).toEqual([1, 0, 1]);
  memory.events(stopRow(AGO - 60_000, { session_id: 'other' }));
  expect(await shows()).toEqual([1, 0, 1]);
});

test('counters do go down when rows are deleted', async () => {
  const memory = makeMemory();
  const shows = showsFor(memory.path);
  memory.events(stopRow(AGO));
  await shows();
  memory.events(taskRow(AGO + 30));
  await shows();
  memory.write((db) => db.exec('DELETE FROM swarm_events WHERE rowid = 1'));
  expect(await shows()).toEqual([1, 0, 0]);
});
