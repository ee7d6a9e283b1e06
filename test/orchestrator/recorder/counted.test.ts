import { describe, expect, test } from 'vitest';
import { computeKpis } from '../../../lib/memory/kpis.ts';
import type { MemoryReader } from '../../../lib/memory/reader.ts';
import type { Result } from '../../../lib/queue/result.ts';
import { openMemoryWriter } from '../../../orchestrator/recorder/memory-writer.ts';
import { eventRow } from '../../../orchestrator/recorder/rows.ts';
import { type MemoryState, makeMemory, stopRow, type TestMemory } from '../../support/memory-builder.ts';
import { figuresOf, openReader } from '../../support/memory-figures.ts';
import { createTestClock } from '../../support/memory-values.ts';
import { endResult, fixResult, retryResult, usageValue } from '../../support/result-values.ts';

const NOW = Date.now();
const endedAt = new Date(NOW).toISOString();
const usage = [usageValue({ endedAt })];
/** Longer than a task waits until it is counted. */
const SETTLED_AFTER_MS = 10_000;
const DAY = 1;

const write = ({ path }: TestMemory, ...results: readonly Result[]) => openMemoryWriter({ path }).write(results);

/** A memory with two runs that hooks saw, one of them of the session our tasks have, and a reader that has read it. */
async function watched(state: MemoryState = 'C') {
  const memory = makeMemory({ state });
  memory.events(stopRow(NOW, { session_id: 'session-1' }), stopRow(NOW - 60_000, { session_id: 'other' }));
  const clock = createTestClock(NOW + SETTLED_AFTER_MS);
  const reader = openReader(memory.path, clock);
  const readSettled = () => {
    clock.pass(SETTLED_AFTER_MS);
    return reader.read(figuresOf);
  };
  return { memory, reader, readSettled, before: await readSettled() };
}

const kpisOf = (reader: MemoryReader) =>
  reader.read(({ tally, schema, lessons, usage: costs }) => {
    const input = { tally, schema, lessons: lessons(), usage: costs(), eurPerUsd: 1, infraCostEurMonth: 0 };
    return Object.fromEntries(computeKpis(input).map(({ key, value }) => [key, value]));
  });

describe('what is written is counted by the reader of the exporter:', () => {
  test.each<[MemoryState, outcome: 'ok' | 'budget', outcomes: number[]]>([
    ['A', 'ok', [1, 0, 2]],
    ['B', 'ok', [1, 0, 2]],
    ['C', 'ok', [1, 0, 2]],
    ['C', 'budget', [0, 1, 2]],
    ['D', 'ok', [1, 0, 2]],
    ['E', 'ok', [1, 0, 2]],
    ['F', 'ok', [1, 0, 2]],
    ['F', 'budget', [0, 1, 2]],
    ['G', 'ok', [1, 0, 2]],
    ['G', 'budget', [0, 1, 2]],
  ])('in state %s a task that ended with %s as one more task, with its costs', async (state, outcome, outcomes) => {
    const { memory, readSettled, before } = await watched(state);
    expect(before.outcomes).toEqual([0, 0, 2]);
    // In a session of its own: nine columns cannot say that a row pairs with none.
    write(memory, endResult({ outcome, endedAt, usage, sessionId: 'session-of-ours' }));
    const after = await readSettled();
    expect(after.outcomes).toEqual(outcomes);
    expect(after.windows[DAY]).toMatchObject({ outcomes, tokens: 400, costMicroUsd: 500_000, tasksWithUsage: 1 });
    expect(after.costs).toEqual({ 'claude-sonnet-4-5,cervella-backend': 500_000 });
  });

  test('a task in the session of a hook that wrote just before is a task of its own', async () => {
    const { memory, readSettled } = await watched();
    write(memory, endResult({ endedAt, sessionId: 'session-1', agent: 'subagent' }));
    expect((await readSettled()).outcomes).toEqual([1, 0, 2]);
  });

  test('a task with all it went through: one task, tried again, mended, with the costs of both attempts', async () => {
    const { memory, reader, readSettled, before } = await watched();
    const second = usageValue({ attempt: 2, costUsd: 0.25, endedAt });
    write(memory, retryResult({ endedAt, usage }));
    write(memory, endResult({ endedAt, attempts: 2, durationMs: 90_000, usage: [...usage, second] }));
    write(memory, fixResult({ at: endedAt }));
    const after = await readSettled();
    expect(after.outcomes).toEqual([1, 0, 2]);
    expect(after.runs).toEqual({ ...before.runs, 'cervella-backend miracollo': [1, 0, 0] });
    expect(after.agents['cervella-backend']).toMatchObject({ count: 1, durationCount: 1, durationSumMs: 90_000 });
    expect(after.windows[DAY]).toMatchObject({ tokens: 800, costMicroUsd: 750_000, tasksWithUsage: 1, newErrors: 1 });
    const kpis = await kpisOf(reader);
    expect(kpis).toMatchObject({ retry_ratio: 1 / 3, fix_after_agent_ratio: 1 / 3, success_ratio: 1 });
    expect(kpis).toMatchObject({ cost_eur_per_task: 0.75, tokens_per_task: 800, autonomous_tasks_week: 0 });
  });

  test('a fix of a row by its id, and an autonomous task that needed none', async () => {
    const { memory, reader, readSettled } = await watched();
    const mended = endResult({ endedAt });
    const id = String(eventRow(mended)?.id);
    write(memory, mended, endResult({ taskId: 'task-2', endedAt }), fixResult({ id, at: endedAt }));
    await readSettled();
    expect(await kpisOf(reader)).toMatchObject({ fix_after_agent_ratio: 1 / 4, autonomous_tasks_week: 1 });
  });

  test('a second fix of the same task as no second one', async () => {
    const { memory, reader, readSettled } = await watched();
    const later = new Date(NOW + 1).toISOString();
    write(memory, endResult({ endedAt }), fixResult({ at: endedAt }), fixResult({ at: later }));
    await readSettled();
    expect(await kpisOf(reader)).toMatchObject({ fix_after_agent_ratio: 1 / 3 });
  });

  test('what is written twice as if it were written once', async () => {
    const { memory, readSettled } = await watched();
    const all = [retryResult({ endedAt, usage }), endResult({ endedAt, usage }), fixResult({ at: endedAt })];
    write(memory, ...all);
    const once = await readSettled();
    write(memory, ...all);
    write(memory, ...all.toReversed());
    expect(await readSettled()).toEqual(once);
  });

  test('costs that grow at the next reading, though the row is not the last', async () => {
    const { memory, readSettled } = await watched();
    write(memory, endResult({ endedAt, usage }), endResult({ taskId: 'task-2', endedAt, usage }));
    expect((await readSettled()).windows[DAY]).toMatchObject({ costMicroUsd: 1_000_000 });
    write(memory, endResult({ endedAt, usage: [usageValue({ endedAt, costUsd: 0.75 })] }));
    expect((await readSettled()).windows[DAY]).toMatchObject({ costMicroUsd: 1_250_000, tasksWithUsage: 2 });
  });
});
