import { copyFileSync, mkdirSync, renameSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test, vi } from 'vitest';
import { MemoryError } from '../../../lib/memory/memory-error.ts';
import type { MemoryReader } from '../../../lib/memory/reader.ts';
import { makeMemory, type TestMemory, taskRow, tempDir } from '../../support/memory-builder.ts';
import { fiveRuns, openReader, readTotals } from '../../support/memory-figures.ts';
import { createTestClock, NOW } from '../../support/memory-values.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const problemOf = async (reader: MemoryReader): Promise<unknown> => {
  const error = await readTotals(reader).catch((thrown: unknown) => thrown);
  return error instanceof MemoryError ? error.problem : error;
};
const sql = (text: string) => (memory: TestMemory) => memory.write((db) => db.exec(text));
const addSuccess = (memory: TestMemory): void => memory.events(taskRow(NOW - 10 * MINUTE_MS, { session_id: 's9' }));

describe('a file that cannot be read', () => {
  test.each<[string, (path: string) => void, string]>([
    ['that is missing', (path) => unlinkSync(path), 'missing'],
    ['of 0 bytes', (path) => truncateSync(path), 'empty'],
    [
      'that is no database',
      (path) => writeFileSync(path, 'not a database, but long enough to have a header '.repeat(100)),
      'not-a-database',
    ],
    [
      'that is a folder',
      (path) => {
        unlinkSync(path);
        mkdirSync(path);
      },
      'not-a-database',
    ],
    ['that was cut short', (path) => truncateSync(path, 20_000), 'damaged'],
    [
      'without a table swarm_events',
      (path) => {
        unlinkSync(path);
        new Database(path).exec('CREATE TABLE a (b)').close();
      },
      'not-a-swarm-memory',
    ],
  ])('%s is named, and read again once it is whole', async (_, spoil, expected) => {
    const memory = fiveRuns();
    const copy = join(tempDir(), 'copy.db');
    copyFileSync(memory.path, copy);
    const reader = openReader(memory.path, createTestClock());
    const before = await readTotals(reader);
    spoil(memory.path);
    expect([await problemOf(reader), await problemOf(reader)]).toEqual([expected, expected]);
    rmSync(memory.path, { recursive: true, force: true });
    renameSync(copy, memory.path);
    addSuccess(memory);
    const after = await readTotals(reader);
    expect([after.rows, after.outcomes]).toEqual([before.rows + 1, [1, 0, 5]]);
  });

  test('is no reason to count anew when the same file comes back', async () => {
    const memory = fiveRuns();
    const reader = openReader(memory.path, createTestClock());
    const before = await readTotals(reader);
    renameSync(memory.path, `${memory.path}.away`);
    expect(await problemOf(reader)).toBe('missing');
    renameSync(`${memory.path}.away`, memory.path);
    expect(await readTotals(reader)).toEqual(before);
  });
});

describe('the clock', () => {
  const ofWeek = (reader: MemoryReader) => reader.read(({ tally }) => [...tally.tasks.windows[2].outcomes]);

  test('may jump ahead and back: windows follow, totals stay', async () => {
    const clock = createTestClock();
    const reader = openReader(fiveRuns().path, clock);
    const seen: unknown[] = [await ofWeek(reader)];
    for (const nowMs of [NOW + 40 * DAY_MS, NOW, NOW + DAY_MS, NOW - 2 * DAY_MS, NOW]) {
      clock.setTo(nowMs);
      seen.push(await ofWeek(reader));
    }
    expect(seen).toEqual([
      [0, 0, 5],
      [0, 0, 0],
      [0, 0, 5],
      [0, 0, 5],
      [0, 0, 0],
      [0, 0, 5],
    ]);
    expect(await readTotals(reader)).toEqual({ rows: 5, outcomes: [0, 0, 5] });
  });

  test('brings rows of the future into the windows once they are due', async () => {
    const clock = createTestClock();
    const memory = fiveRuns();
    const reader = openReader(memory.path, clock);
    await readTotals(reader);
    memory.events(taskRow(NOW + 60 * MINUTE_MS));
    expect([(await readTotals(reader)).outcomes, await ofWeek(reader)]).toEqual([
      [1, 0, 5],
      [0, 0, 5],
    ]);
    clock.pass(55 * MINUTE_MS);
    expect([(await readTotals(reader)).outcomes, await ofWeek(reader)]).toEqual([
      [1, 0, 5],
      [1, 0, 5],
    ]);
  });
});

test('rows changed in place are found by and by', async () => {
  const clock = createTestClock();
  const memory = fiveRuns();
  const reader = openReader(memory.path, clock);
  await readTotals(reader);
  sql('UPDATE swarm_events SET success = 1 WHERE rowid = 3')(memory);
  clock.pass(10 * MINUTE_MS);
  await vi.waitFor(async () => expect(await readTotals(reader)).toEqual({ rows: 5, outcomes: [1, 0, 4] }), {
    timeout: 10_000,
    interval: 200,
  });
});

test('usage changed in place is found by and by', async () => {
  const clock = createTestClock();
  const memory = makeMemory({ hasUsage: true });
  const cost = (reader: MemoryReader) => reader.read(({ usage }) => [...(usage()?.costMicroUsd.values() ?? [])]);
  memory.write((db) =>
    db.exec("INSERT INTO task_usage (task_id, attempt, ended_at, model, cost_usd) VALUES ('A', 1, '', 'm', 1)"),
  );
  const reader = openReader(memory.path, clock);
  expect(await cost(reader)).toEqual([1_000_000]);
  sql('UPDATE task_usage SET cost_usd = 2')(memory);
  clock.pass(10 * MINUTE_MS);
  await vi.waitFor(async () => expect(await cost(reader)).toEqual([2_000_000]), { timeout: 10_000, interval: 200 });
});
