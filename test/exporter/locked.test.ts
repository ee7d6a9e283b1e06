import { describe, expect, test } from 'vitest';
import { stateOf } from '../support/exporter-state.ts';
import { fiveRuns } from '../support/memory-figures.ts';
import { startExporter } from '../support/running-exporter.ts';
import { startWriter } from '../support/writer-process.ts';

const ADD_ONE = `INSERT INTO swarm_events (id, timestamp, event_type) VALUES (hex(randomblob(8)), '', 'task_success')`;

describe('a memory that another program holds locked', () => {
  const PROMETHEUS_GIVES_UP_AFTER_MS = 10_000;
  const LOCK_AND_WRITE = `BEGIN EXCLUSIVE; ${ADD_ONE}`;

  test.each<[string, string, string, readonly ['up' | 'down', unknown]]>([
    ['WAL', 'is read all the same as of before the lock', LOCK_AND_WRITE, ['up', 5]],
    ['DELETE', 'is reported as locked', LOCK_AND_WRITE, ['down', expect.stringContaining('holds it locked')]],
    ['DELETE', 'is read all the same as long as nothing is written', 'BEGIN EXCLUSIVE', ['up', 5]],
    ['TRUNCATE', 'is reported as locked', LOCK_AND_WRITE, ['down', expect.stringContaining('holds it locked')]],
    ['PERSIST', 'is reported as locked', LOCK_AND_WRITE, ['down', expect.stringContaining('holds it locked')]],
    [
      'WAL',
      'with the exclusive locking mode is reported as locked',
      `PRAGMA locking_mode = EXCLUSIVE; ${ADD_ONE}`,
      ['down', expect.stringContaining('holds it locked')],
    ],
  ])('in journal mode %s %s, and is read after its release', async (mode, _, sql, expected) => {
    const memory = fiveRuns();
    memory.write((db) => db.pragma(`journal_mode = ${mode}`));
    const exporter = await startExporter({ databasePath: memory.path });
    const kill = await startWriter(memory.path, sql);
    expect(await stateOf(exporter)).toEqual(expected);
    expect((await exporter.get('/healthz')).status).toBe(200);
    await kill();
    expect(await stateOf(exporter)).toEqual(['up', sql.includes('BEGIN') ? 5 : 6]);
  });

  test('does not make a scrape wait for each of those who asked before it', async () => {
    const memory = fiveRuns();
    memory.write((db) => db.pragma('journal_mode = DELETE'));
    const exporter = await startExporter({ databasePath: memory.path });
    await startWriter(memory.path, LOCK_AND_WRITE);
    const startedMs = performance.now();
    const probes = Promise.all(Array.from({ length: 5 }, () => exporter.get('/readyz')));
    expect((await exporter.samples()).get('swarm_up')).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(PROMETHEUS_GIVES_UP_AFTER_MS);
    await probes;
  });
});
