import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { Row } from '../../lib/memory/demo/writer.ts';
import { stateOf } from '../support/exporter-state.ts';
import { expectValidExposition } from '../support/exposition-checks.ts';
import { makeMemory, orchestratedRow, stopRow, type TestMemory, taskRow, tempDir } from '../support/memory-builder.ts';
import { fiveRuns } from '../support/memory-figures.ts';
import { metricNames, type RunningExporter, type Samples, startExporter } from '../support/running-exporter.ts';
import { startWriter } from '../support/writer-process.ts';

const AGO = Date.now() - 3_600_000;

/** Every counter of ours, also the parts of a histogram. */
const counters = (samples: Samples): [string, number][] =>
  [...samples].filter(([series]) => /^\w+_(total|bucket|sum|count)(\{|$)/.test(series));
const fallen = (before: Samples, after: Samples): string[] =>
  counters(before).flatMap(([series, value]) => {
    const now = after.get(series);
    return now !== undefined && now >= value ? [] : [`${series} ${value} → ${now}`];
  });

test('a memory that vanishes takes its figures with it, and brings them back', async () => {
  const memory = fiveRuns();
  const exporter = await startExporter({ databasePath: memory.path });
  const before = await exporter.samples();
  renameSync(memory.path, `${memory.path}.away`);
  const meanwhile = await exporter.samples();
  expect(meanwhile.get('swarm_up')).toBe(0);
  expect([...metricNames(meanwhile)].filter((name) => !/^swarm_(up|build|scrape|collector)/.test(name))).toEqual([]);
  const succeeded = [...meanwhile].filter(([series]) => series.startsWith('swarm_collector_success{'));
  expect(succeeded.map(([, value]) => value)).toEqual(succeeded.map(() => 0));
  renameSync(`${memory.path}.away`, memory.path);
  const after = await exporter.samples();
  expect([...after.keys()]).toEqual([...before.keys()]);
  expect(fallen(before, after)).toEqual([]);
});

test('two exporters on one memory agree, and do not hinder the hook that writes', async () => {
  const memory = fiveRuns();
  const exporters = await Promise.all([1, 2].map(() => startExporter({ databasePath: memory.path })));
  for (let tasks = 6; tasks < 16; tasks += 1) {
    memory.events(taskRow(AGO, { session_id: null }));
    expect(await Promise.all(exporters.map(stateOf))).toEqual([
      ['up', tasks],
      ['up', tasks],
    ]);
  }
});

test('twenty scrapes at once agree', async () => {
  const exporter = await startExporter({ databasePath: fiveRuns().path });
  const totals = await Promise.all(Array.from({ length: 20 }, () => exporter.samples()));
  expect(new Set(totals.map((samples) => samples.get('swarm_tasks_total')))).toEqual(new Set([5]));
});

describe('no counter ever goes down', () => {
  const lateRow = (extra: Row) => (memory: TestMemory) => memory.events(taskRow(AGO + 30, extra));
  const vacuum = (memory: TestMemory): void => void memory.write((db) => db.exec('VACUUM'));

  test.each<[string, ...((memory: TestMemory) => void)[]]>([
    ['the other row of a task counted long ago arrives', lateRow({})],
    ['the late row says that it failed', lateRow({ success: 0, agent_name: 'x' })],
    ['the late row names another project', lateRow({ project: 'other' })],
    ['the late row takes a known duration to another agent', lateRow({ session_id: 's3' })],
    ['the file is vacuumed', vacuum],
    ['a late row arrives and then the file is vacuumed', lateRow({}), vacuum],
    ['a column is added', (memory) => memory.write((db) => db.exec('ALTER TABLE swarm_events ADD COLUMN extra'))],
  ])('when %s', async (_, ...changes) => {
    const memory = makeMemory();
    memory.events(
      stopRow(AGO),
      stopRow(AGO, { session_id: 's3', project: 'other', duration_ms: 5_000 }),
      orchestratedRow(AGO - 60_000, 'T1', { session_id: 's2' }),
    );
    const exporter = await startExporter({ databasePath: memory.path });
    const seen = [await exporter.samples()];
    expect(seen[0].get('swarm_tasks_total')).toBe(3);
    for (const change of [...changes, () => memory.events(stopRow(AGO, { session_id: null }))]) {
      change(memory);
      seen.push(await exporter.samples());
      expect(fallen(seen[seen.length - 2], seen[seen.length - 1])).toEqual([]);
    }
  });

  test('but it does when rows are deleted, since it mirrors them', async () => {
    const memory = fiveRuns();
    const exporter = await startExporter({ databasePath: memory.path });
    expect(await stateOf(exporter)).toEqual(['up', 5]);
    memory.write((db) => db.exec('DELETE FROM swarm_events WHERE rowid IN (2, 5)'));
    expect(await stateOf(exporter)).toEqual(['up', 3]);
  });
});

describe('a memory that grows while it is read', () => {
  // Fifty tasks every tenth of a second. Without a session none has to wait for another row.
  const WRITE = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)
    INSERT INTO swarm_events (id, timestamp, event_type, agent_name, success, duration_ms)
    SELECT hex(randomblob(16)), datetime('now'), 'task_complete', 'agent-' || (i % 7), i % 2, i * 100 FROM n`;

  test.each(['WAL', 'DELETE'])('is right at every moment and at the end, in journal mode %s', async (mode) => {
    const memory = makeMemory({ path: join(tempDir(), 'growing.db'), journalMode: mode });
    const exporter = await startExporter({ databasePath: memory.path });
    const kills = [
      await startWriter(memory.path, WRITE, 100),
      await startWriter(memory.path, 'PRAGMA wal_checkpoint(TRUNCATE)', 100),
    ];
    await expectNoneFallsFor(3_000, exporter);
    await Promise.all(kills.map((kill) => kill()));
    const sql = 'SELECT count(*), sum(success), sum(duration_ms) FROM swarm_events';
    const [rows, successes, durationMs] = memory.write((db) => db.prepare(sql).raw().get() as number[]);
    expect(rows).toBeGreaterThan(500);
    const samples = await vi.waitFor(() => samplesWhenUp(exporter), 15_000);
    expect([samples.get('swarm_tasks_total'), samples.get('swarm_tasks_success_total')]).toEqual([rows, successes]);
    const sums = [...samples].filter(([series]) => series.startsWith('swarm_task_duration_seconds_sum'));
    expect(sums.reduce((sum, [, seconds]) => sum + seconds, 0)).toBeCloseTo(durationMs / 1_000, 3);
    expect(samples.get('swarm_window_tasks{window="1h",outcome="success"}')).toBe(successes);
    await expectValidExposition(exporter);
  });
});

async function expectNoneFallsFor(ms: number, exporter: RunningExporter): Promise<void> {
  const endMs = performance.now() + ms;
  let before = await samplesWhenUp(exporter);
  while (performance.now() < endMs) {
    const after = await samplesWhenUp(exporter);
    expect(fallen(before, after)).toEqual([]);
    before = after;
  }
}

async function samplesWhenUp(exporter: RunningExporter): Promise<Samples> {
  const samples = await exporter.samples();
  expect(samples.get('swarm_up'), 'swarm_up').toBe(1);
  return samples;
}
