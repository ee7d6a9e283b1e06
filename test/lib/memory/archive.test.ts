import { chmodSync, copyFileSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { copyOldEvents, deleteArchivedEvents } from '../../../lib/memory/archive-move.ts';
import { createDemoMemory } from '../../../lib/memory/demo/demo.ts';
import { readTaskRows } from '../../../lib/memory/task-rows.ts';
import { countEvents, readRows } from '../../support/backup-scene.ts';
import { makeMemory, orchestratedRow, stopRow, taskRow, tempDir } from '../../support/memory-builder.ts';
import { figuresOf, openReader } from '../../support/memory-figures.ts';
import { createTestClock, NOW } from '../../support/memory-values.ts';

const DAY_MS = 86_400_000;

/** A year of made-up events that ends at NOW. */
function makeYear(seed = 1): string {
  const path = join(tempDir(), 'swarm_memory.db');
  createDemoMemory({ path, seed, days: 250, untilMs: NOW, timezone: 'Europe/Rome' });
  return path;
}

const copyOld = (path: string, days: number): Promise<number | undefined> =>
  copyOldEvents({ path, timezone: 'Europe/Rome', nowMs: NOW, beforeMs: NOW - days * DAY_MS });

/** Moves what is older than so many days, as the job does it. */
async function moveOld(path: string, days: number): Promise<number> {
  const upTo = await copyOld(path, days);
  let moved = 0;
  for (let deleted = 1; upTo !== undefined && deleted > 0; moved += deleted) deleted = deleteArchivedEvents(path, upTo);
  return moved;
}

function write(path: string, sql: string): void {
  const db = new Database(path);
  db.exec(sql);
  db.close();
}

const readFigures = (path: string) => openReader(path, createTestClock()).read(figuresOf);
const archives = (path: string): readonly string[] =>
  readdirSync(dirname(path))
    .filter((name) => /-archive-\d{4}\.db$/.test(name))
    .toSorted();

describe('events that are moved into archives', () => {
  test.each([1, 2, 3])('count as before, in every figure (memory %i)', async (seed) => {
    const path = makeYear(seed);
    const before = await readFigures(path);
    const rows = countEvents(path) as number;
    const moved = await moveOld(path, 60);
    expect(moved).toBeGreaterThan(rows / 2);
    expect(countEvents(path)).toBe(rows - moved);
    expect(archives(path)).toEqual(['swarm_memory-archive-2025.db', 'swarm_memory-archive-2026.db']);
    expect(await readFigures(path)).toEqual(before);
  });

  test('count once while they are in both: copied, and some, but not all, deleted', async () => {
    const path = makeYear();
    const before = await readFigures(path);
    const rows = countEvents(path);
    const upTo = (await copyOld(path, 30)) ?? 0;
    expect([countEvents(path), await readFigures(path)]).toEqual([rows, before]);
    expect(deleteArchivedEvents(path, Math.round(upTo / 2))).toBeGreaterThan(0);
    expect(await readFigures(path)).toEqual(before);
    // The next move ends what was begun, and doubles nothing.
    await moveOld(path, 30);
    expect(await readFigures(path)).toEqual(before);
    const total = archives(path).reduce((sum, name) => sum + (countEvents(join(dirname(path), name)) as number), 0);
    expect(total + (countEvents(path) as number)).toBe(rows);
  });

  test('a reader that goes on counts the same at every step, and what is new', async () => {
    const path = makeYear();
    const reader = openReader(path, createTestClock());
    const before = await reader.read(figuresOf);
    for (const days of [200, 120, 60, 10]) {
      const upTo = (await copyOld(path, days)) ?? 0;
      expect(await reader.read(figuresOf)).toEqual(before);
      while (deleteArchivedEvents(path, upTo) > 0) expect(await reader.read(figuresOf)).toEqual(before);
      expect(await reader.read(figuresOf)).toEqual(before);
    }
    write(path, "INSERT INTO swarm_events (id, timestamp, event_type) VALUES ('fresh', '', 'task_success')");
    expect((await reader.read(({ tally }) => tally.rows)) - before.rows).toBe(1);
  });

  test('a second move adds to the file of the year and leaves the order of the rows', async () => {
    const path = makeYear();
    const order = readRows(path, 'SELECT id FROM swarm_events ORDER BY rowid').flat();
    await moveOld(path, 150);
    await moveOld(path, 50);
    const inFiles = [...archives(path).map((name) => join(dirname(path), name))].flatMap((file) =>
      readRows(file, 'SELECT id FROM swarm_events ORDER BY position').flat(),
    );
    expect([...inFiles, ...readRows(path, 'SELECT id FROM swarm_events ORDER BY rowid').flat()]).toEqual(order);
  });

  test('an older memory that is brought back counts nothing twice', async () => {
    const path = makeYear();
    const before = await readFigures(path);
    const whole = join(tempDir(), 'whole.db');
    copyFileSync(path, whole);
    await moveOld(path, 30);
    copyFileSync(whole, path);
    expect(await readFigures(path)).toEqual(before);
    await moveOld(path, 30);
    expect(await readFigures(path)).toEqual(before);
  });

  test('are still found by their task', async () => {
    const memory = makeMemory();
    memory.events(orchestratedRow(NOW - 90 * DAY_MS, 'old-task'), orchestratedRow(NOW, 'new-task'));
    await moveOld(memory.path, 30);
    const { own } = await readTaskRows({ path: memory.path, timezone: 'Europe/Rome', id: 'old-task' });
    expect(own.map(({ taskId, outcome }) => [taskId, outcome])).toEqual([['old-task', 'success']]);
  });

  test('belong to whom the memory does', async () => {
    const memory = makeMemory();
    memory.events(taskRow(NOW - 90 * DAY_MS));
    chmodSync(memory.path, 0o640);
    await moveOld(memory.path, 30);
    const [name] = archives(memory.path);
    expect(statSync(join(dirname(memory.path), name)).mode & 0o777).toBe(0o640);
    expect(readdirSync(dirname(memory.path)).toSorted()).toEqual(['swarm_memory-archive-2026.db', 'swarm_memory.db']);
  });
});

describe('what is not moved', () => {
  test('rows after the first that is too young, however old they are', async () => {
    const memory = makeMemory();
    memory.events(taskRow(NOW - 90 * DAY_MS), taskRow(NOW - DAY_MS), taskRow(NOW - 80 * DAY_MS));
    expect([await moveOld(memory.path, 30), countEvents(memory.path)]).toEqual([1, 2]);
  });

  test('rows without an id, and those behind them', async () => {
    const memory = makeMemory();
    memory.events(taskRow(NOW - 90 * DAY_MS), taskRow(NOW - 80 * DAY_MS, { id: null }), taskRow(NOW - 70 * DAY_MS));
    expect([await moveOld(memory.path, 30), countEvents(memory.path)]).toEqual([1, 2]);
  });

  test('a row that was changed after it had been copied stays, and counts once', async () => {
    const memory = makeMemory();
    memory.events(taskRow(NOW - 90 * DAY_MS, { id: 'changed' }), taskRow(NOW - 80 * DAY_MS), taskRow(NOW));
    const upTo = (await copyOld(memory.path, 30)) ?? 0;
    memory.write((db) => db.exec("UPDATE swarm_events SET notes = 'x' WHERE id = 'changed'"));
    expect([deleteArchivedEvents(memory.path, upTo), countEvents(memory.path)]).toEqual([1, 2]);
    expect((await readFigures(memory.path)).rows).toBe(3);
  });

  test('nothing, where nothing is old enough', async () => {
    const memory = makeMemory();
    memory.events(taskRow(NOW), stopRow(NOW));
    expect([await moveOld(memory.path, 30), archives(memory.path)]).toEqual([0, []]);
  });

  test('a memory of nine columns is moved and counted as well', async () => {
    const memory = makeMemory({ state: 'F' });
    memory.events(taskRow(NOW - 90 * DAY_MS), stopRow(NOW - 80 * DAY_MS), taskRow(NOW - 60_000));
    const before = await readFigures(memory.path);
    expect([await moveOld(memory.path, 30), await readFigures(memory.path)]).toEqual([2, before]);
  });
});

test('an archive that cannot be read is told: figures without it would be wrong', async () => {
  const path = makeYear();
  await moveOld(path, 60);
  const file = join(dirname(path), archives(path)[0]);
  writeFileSync(file, 'no database');
  await expect(readFigures(path)).rejects.toMatchObject({
    problem: 'damaged',
    message: expect.stringContaining(`Could not read the archive "${file}"`),
  });
  expect(existsSync(file)).toBe(true);
});
