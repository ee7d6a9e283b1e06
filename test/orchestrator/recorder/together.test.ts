import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Result } from '../../../lib/queue/result.ts';
import { MemoryBusyError } from '../../../orchestrator/recorder/memory-unavailable.ts';
import { openMemoryWriter } from '../../../orchestrator/recorder/memory-writer.ts';
import { makeMemory, type TestMemory } from '../../support/memory-builder.ts';
import { type RecorderProcess, startRecorder } from '../../support/recorder-process.ts';
import { manyEnds, usageResult, usageValue } from '../../support/result-values.ts';

const HOOK = fileURLToPath(new URL('../../support/hook.mjs', import.meta.url));
const HOOK_RUNS = 200;

const count = (memory: TestMemory, from: string): unknown =>
  memory.write((db) => db.prepare(`SELECT count(*) FROM ${from}`).pluck().get());

/** A process in which a hook runs again and again. */
async function startHook({
  path,
}: TestMemory): Promise<{ readonly hasEnded: () => boolean; readonly end: Promise<unknown> }> {
  const child = spawn(process.execPath, [HOOK, path, String(HOOK_RUNS)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const end = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await end;
  });
  await once(child.stdout, 'data');
  return { hasEnded: () => child.exitCode !== null, end };
}

/** As the recorder does: what could not be written is written again. */
async function writeUntilTaken(recorder: RecorderProcess, results: readonly Result[]): Promise<void> {
  for (;;) {
    const { error, written } = await recorder.write(results);
    if (error === undefined) return expect(written).toBe(results.length);
    expect(error).toBe('MemoryBusyError');
  }
}

describe.each(['WAL', 'DELETE'])('in journal mode %s', (journalMode) => {
  test('a hook that writes at the same time loses nothing, nor do we', async () => {
    const memory = makeMemory({ journalMode });
    const writer = openMemoryWriter({ path: memory.path });
    const hook = await startHook(memory);
    let batches = 0;
    for (let busy = 0; !hook.hasEnded(); await nextTurn()) {
      try {
        writer.write(manyEnds(5, { first: batches * 5 }));
        batches += 1;
      } catch (error) {
        if (!(error instanceof MemoryBusyError) || busy > HOOK_RUNS) throw error;
        busy += 1;
      }
    }
    expect(await hook.end).toEqual([0, null]);
    expect(batches).toBeGreaterThan(0);
    expect(count(memory, "swarm_events WHERE event_type = 'subagent_stop'")).toBe(HOOK_RUNS);
    expect(count(memory, "swarm_events WHERE event_type = 'task_complete'")).toBe(batches * 5);
    expect(count(memory, 'task_usage')).toBe(batches * 5);
    expect(readdirSync(dirname(memory.path))).toEqual(['swarm_memory.db']);
  });

  test('two that write the same results at once write each of them once', async () => {
    const memory = makeMemory({ journalMode });
    const recorders = await Promise.all([startRecorder(memory.path), startRecorder(memory.path)]);
    const batches = Array.from({ length: 20 }, (_, index) => manyEnds(10, { first: index * 5 }));
    await Promise.all(
      recorders.map(async (recorder, turn) => {
        for (const batch of turn === 0 ? batches : batches.toReversed()) await writeUntilTaken(recorder, batch);
      }),
    );
    expect(count(memory, 'swarm_events')).toBe(105);
    expect(count(memory, '(SELECT DISTINCT task_id FROM swarm_events)')).toBe(105);
    expect(count(memory, 'task_usage')).toBe(105);
  });

  test('two that write the costs of one attempt at once leave the highest', async () => {
    const memory = makeMemory({ journalMode });
    const recorders = await Promise.all([startRecorder(memory.path), startRecorder(memory.path)]);
    const costs = Array.from({ length: 30 }, (_, index) => usageResult(usageValue({ costUsd: index / 10 })));
    await Promise.all(
      recorders.map(async (recorder, turn) => {
        for (const each of turn === 0 ? costs : costs.toReversed()) await writeUntilTaken(recorder, [each]);
      }),
    );
    const stored = memory.write((db) => db.prepare('SELECT cost_usd FROM task_usage').pluck().all());
    expect(stored).toEqual([2.9]);
  });
});
