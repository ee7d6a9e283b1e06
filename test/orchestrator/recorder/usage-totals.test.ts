import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createDemoMemory } from '../../../lib/memory/demo/demo.ts';
import { MemoryBusyError, MemoryUnavailableError } from '../../../orchestrator/recorder/memory-unavailable.ts';
import { openMemoryWriter } from '../../../orchestrator/recorder/memory-writer.ts';
import { OUTSIDE_THE_QUEUE, readSpent } from '../../../orchestrator/recorder/usage-totals.ts';
import { type MemoryState, makeMemory, tempDir, usageRow } from '../../support/memory-builder.ts';
import { endResult, usageResult, usageValue } from '../../support/result-values.ts';
import { startWriter } from '../../support/writer-process.ts';

/** A Wednesday whose week began in the month before. */
const NOW = Date.UTC(2026, 6, 1, 12);
const DAY_MS = 86_400_000;
const SINCE = { day: NOW - DAY_MS / 2, week: NOW - 2.5 * DAY_MS, month: NOW - DAY_MS / 2 };
const NOTHING = { dayUsd: 0, weekUsd: 0, monthUsd: 0 };

test('what our tasks cost counts from the moment a period began, for each period', async () => {
  const memory = makeMemory();
  const ended = (ms: number, costUsd: number, taskId: string) => ({
    ...usageResult(usageValue({ costUsd, endedAt: new Date(ms).toISOString() })),
    taskId,
  });
  openMemoryWriter(memory).write([
    ended(SINCE.week - 1, 100, 'before the week'),
    ended(SINCE.week, 10, 'as the week begins'),
    ended(SINCE.day - 1, 1, 'just before the day'),
    ended(SINCE.day, 0.1, 'as the day begins'),
    ended(NOW + DAY_MS, 0.01, 'by a clock that is ahead'),
  ]);
  expect(await readSpent({ path: memory.path, sinceMs: SINCE })).toEqual({
    dayUsd: 0.11,
    weekUsd: 11.11,
    monthUsd: 0.11,
  });
});

test('every attempt and model of a task counts, and sums are exact', async () => {
  const memory = makeMemory();
  const endedAt = new Date(NOW).toISOString();
  const usage = Array.from({ length: 10 }, (_, index) => usageValue({ attempt: index + 1, costUsd: 0.07, endedAt }));
  openMemoryWriter(memory).write([endResult({ usage }), { ...usageResult(...usage), taskId: 'task-2' }]);
  expect(await readSpent({ path: memory.path, sinceMs: SINCE })).toEqual({ dayUsd: 1.4, weekUsd: 1.4, monthUsd: 1.4 });
});

describe('a row counts', () => {
  test.each([
    ['cli', 1],
    ['telegram', 1],
    ['github', 1],
    ['timetable', 1],
    ['something-new', 1],
    [null, 1],
    ['', 1],
    ['transcript', 0],
    ['orchestrator', 0],
  ])('by its source: %s, %d times', async (source, times) => {
    const memory = makeMemory({ hasUsage: true });
    memory.insert('task_usage', usageRow(NOW, 'a', { source, cost_usd: 1 }));
    expect((await readSpent({ path: memory.path, sinceMs: SINCE })).dayUsd).toBe(times);
    expect(times === 0).toBe(OUTSIDE_THE_QUEUE.some((each) => each === source));
  });

  test.each([
    ['2026-07-01T00:00:00Z', 1],
    ['2026-07-01T00:00:00.000000+00:00', 1],
    ['2026-07-01T01:59:59+02:00', 0],
    ['2026-06-30T22:30:00-02:00', 1],
    ['2026-07-01 00:00:00', 1],
    ['2026-06-30 23:59:59', 0],
    ['yesterday', 0],
    ['2026-99-99T00:00:00Z', 0],
    ['', 0],
  ])('by when it ended, however that is written: %s, %d times', async (ended_at, times) => {
    const memory = makeMemory({ hasUsage: true });
    memory.insert('task_usage', usageRow(NOW, 'a', { ended_at, source: 'cli', cost_usd: 1 }));
    const sinceMs = { day: SINCE.day, week: SINCE.day, month: SINCE.day };
    expect((await readSpent({ path: memory.path, sinceMs })).dayUsd).toBe(times);
  });

  test.each([
    ['much', 0],
    [-1, 0],
    [null, 0],
    [Number.POSITIVE_INFINITY, 0],
    [3, 3],
  ])('by what it cost: %s as %d', async (cost_usd, expected) => {
    const memory = makeMemory({ hasUsage: true });
    memory.insert('task_usage', usageRow(NOW, 'a', { cost_usd, source: 'cli' }));
    expect((await readSpent({ path: memory.path, sinceMs: SINCE })).dayUsd).toBe(expected);
  });
});

test('what a demo made up is not what the orchestrator spent', async () => {
  const path = join(tempDir(), 'demo.db');
  createDemoMemory({ path, seed: 1, days: 10, untilMs: NOW, timezone: 'Europe/Rome' });
  expect(await readSpent({ path, sinceMs: { day: 0, week: 0, month: 0 } })).toEqual(NOTHING);
});

test.each<MemoryState>(['A', 'B', 'C', 'D', 'E', 'F', 'G'])(
  'a memory in state %s without the table has seen no spending, and gets none by being read',
  async (state) => {
    const memory = makeMemory({ state });
    expect(await readSpent({ path: memory.path, sinceMs: SINCE })).toEqual(NOTHING);
    expect(memory.write((db) => db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'task_usage'").all())).toEqual([]);
    expect(readdirSync(dirname(memory.path))).toEqual(['swarm_memory.db']);
  },
);

describe('nobody says 0 of', () => {
  test.each<[string, (path: string) => void, RegExp]>([
    ['a memory that is missing', (path) => rmSync(path), /Could not find/],
    ['an empty file', (path) => writeFileSync(path, ''), /0 bytes/],
    ['a file that is no memory', (path) => writeFileSync(path, 'x'.repeat(5_000)), /not an SQLite database/],
  ])('%s', async (_, spoil, message) => {
    const memory = makeMemory();
    spoil(memory.path);
    const error = await readSpent({ path: memory.path, sinceMs: SINCE }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MemoryUnavailableError);
    expect(error).not.toBeInstanceOf(MemoryBusyError);
    expect((error as Error).message).toMatch(message);
  });

  test('a table of another kind', async () => {
    const memory = makeMemory();
    memory.write((db) => db.exec('CREATE TABLE task_usage (task_id, cost)'));
    await expect(readSpent({ path: memory.path, sinceMs: SINCE })).rejects.toThrow(
      `Could not use the swarm memory "${memory.path}": its table task_usage has no column attempt, ended_at, `,
    );
  });

  test('a memory that is locked', async () => {
    const memory = makeMemory({ journalMode: 'DELETE' });
    await startWriter(memory.path, 'BEGIN EXCLUSIVE; CREATE TABLE more (a)');
    await expect(readSpent({ path: memory.path, sinceMs: SINCE })).rejects.toThrow(MemoryBusyError);
  });
});

test('a memory that may only be read is enough', async () => {
  const memory = makeMemory({ journalMode: 'DELETE' });
  openMemoryWriter(memory).write([endResult({ usage: [usageValue({ endedAt: new Date(NOW).toISOString() })] })]);
  chmodSync(memory.path, 0o444);
  expect((await readSpent({ path: memory.path, sinceMs: SINCE })).dayUsd).toBe(0.5);
});
