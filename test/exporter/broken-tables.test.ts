import { closeSync, openSync, writeSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { expectValidExposition } from '../support/exposition-checks.ts';
import { fillMemory } from '../support/golden-memory.ts';
import type { TestMemory } from '../support/memory-builder.ts';
import { startExporter } from '../support/running-exporter.ts';

const TOKENS = 'input_tokens, output_tokens, cache_read_tokens, cache_creation_tokens';
const sql = (text: string) => (memory: TestMemory) => memory.write((db) => db.exec(text));

/** Overwrites the first page of a table, as a failing disk might. */
function damage({ path, write }: TestMemory, table: string): void {
  const find = `SELECT rootpage FROM sqlite_master WHERE name = '${table}'`;
  const page = write((db) => db.prepare(find).pluck().get() as number);
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(4_096, 0xee), 0, 4_096, (page - 1) * 4_096);
  closeSync(file);
}

/** What was done to a table, the collectors that fail for it, and the series that are gone. */
const CASES: [string, (memory: TestMemory) => unknown, broken: string[], absent: RegExp][] = [
  [
    'lessons without times_applied',
    sql('ALTER TABLE lessons_learned DROP COLUMN times_applied'),
    ['lessons'],
    /^swarm_lessons|^swarm_kpi\{kpi="lessons/,
  ],
  [
    'lessons that are a view',
    sql('DROP TABLE lessons_learned; CREATE VIEW lessons_learned AS SELECT 1 AS status, 2 AS severity'),
    [],
    /^swarm_lessons|^swarm_kpi\{kpi="lessons/,
  ],
  [
    'lessons with nothing but a foreign column',
    sql('DROP TABLE lessons_learned; CREATE TABLE lessons_learned (a)'),
    [],
    /^swarm_lessons_by_status|^swarm_kpi\{kpi="lessons/,
  ],
  [
    'lessons on a damaged page',
    (memory) => damage(memory, 'lessons_learned'),
    ['lessons'],
    /^swarm_lessons|^swarm_kpi\{kpi="lessons/,
  ],
  [
    'patterns without a severity',
    sql('ALTER TABLE error_patterns DROP COLUMN severity_level'),
    ['patterns'],
    /^swarm_patterns/,
  ],
  ['patterns on a damaged page', (memory) => damage(memory, 'error_patterns'), ['patterns'], /^swarm_patterns/],
  [
    'usage without costs',
    sql('ALTER TABLE task_usage DROP COLUMN cost_usd'),
    [],
    /^swarm_(tokens|cost|window_cost|window_wasted|window_tasks_with_usage)|^swarm_kpi\{kpi="(tokens|cost)/,
  ],
  [
    'usage without rowids',
    sql(`DROP TABLE task_usage; CREATE TABLE task_usage (task_id PRIMARY KEY, attempt, ended_at, model, agent_name, cost_usd,
      ${TOKENS}) WITHOUT ROWID`),
    ['usage'],
    /^swarm_(tokens|cost|window_cost|window_wasted|window_tasks_with_usage)|^swarm_kpi\{kpi="(tokens|cost)/,
  ],
  ['shipments that are not ours', sql('DROP TABLE shipments; CREATE TABLE shipments (container)'), [], /^swarm_ship_/],
  [
    'shipments without a time that can be read',
    sql("UPDATE shipments SET last_success = 'yesterday'"),
    [],
    /^swarm_ship_/,
  ],
  ['shipments on a damaged page', (memory) => damage(memory, 'shipments'), ['shipping'], /^swarm_ship_/],
];

describe('a table that is not as it should be costs its own series and no others', () => {
  test.each(CASES)('%s', async (_, spoil, broken, absent) => {
    const memory = fillMemory(Date.now());
    const whole = [...(await samplesOf(memory)).keys()];
    spoil(memory);
    const samples = await samplesOf(memory);
    const left = whole.filter((series) => !absent.test(series) && !series.startsWith('swarm_schema_info'));
    expect(left.filter((series) => !samples.has(series))).toEqual([]);
    expect([...samples.keys()].filter((series) => absent.test(series))).toEqual([]);
    const down = [...samples].filter(([series, value]) => series.startsWith('swarm_collector_success') && value === 0);
    expect(down.map(([series]) => series)).toEqual(
      broken.map((name) => `swarm_collector_success{collector="${name}"}`),
    );
    expect([samples.get('swarm_up'), samples.get('swarm_tasks_total')]).toEqual([1, 8]);
  });
});

async function samplesOf(memory: TestMemory) {
  const exporter = await startExporter({ databasePath: memory.path });
  await expectValidExposition(exporter);
  expect(await exporter.readiness()).toBe('ready');
  const samples = await exporter.samples();
  await exporter.end();
  return samples;
}
