import { copyFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { ShippedTable } from '../../../lib/memory/shipped-tables.ts';
import type { Progress } from '../../../lib/memory/unsent-rows.ts';
import {
  eventRow,
  lessonRow,
  makeMemory,
  patternRow,
  type TestMemory,
  usageRow,
} from '../../support/memory-builder.ts';
import { NOW } from '../../support/memory-values.ts';
import { unsentOf } from '../../support/shipped-rows.ts';

const event = (id: string) => eventRow(NOW, { id, event_type: 'fix' });

/** The keys of what is to be sent, and the progress once it has arrived. */
async function send(memory: TestMemory, table: ShippedTable, progress: Progress = {}, maxRows = 500) {
  const { rows, skipped, after, isLast } = await unsentOf(memory, table, { progress, maxRows });
  const keys = rows.map(({ row }) => row.id ?? row.pattern_name ?? `${row.task_id} ${row.cost_usd}`);
  return { keys, skipped, after, isLast, rows };
}

test('events are sent once each, in the order in which they came', async () => {
  const memory = makeMemory();
  memory.events(event('b'), event('a'));
  const first = await send(memory, 'swarm_events');
  expect([first.keys, first.isLast]).toEqual([['b', 'a'], true]);
  expect((await send(memory, 'swarm_events', first.after)).keys).toEqual([]);
  memory.events(event('c'));
  const second = await send(memory, 'swarm_events', first.after);
  expect(second.keys).toEqual(['c']);
  const third = await send(memory, 'swarm_events', second.after);
  expect([third.keys, third.after]).toEqual([[], second.after]);
});

test('a batch holds so many rows and says whether it is the last', async () => {
  const memory = makeMemory();
  memory.events(event('a'), event('b'), event('c'));
  memory.insert('lessons_learned', lessonRow({ id: 'a' }), lessonRow({ id: 'b' }), lessonRow({ id: 'c' }));
  for (const table of ['swarm_events', 'lessons_learned'] as const) {
    const first = await send(memory, table, {}, 2);
    expect([first.keys, first.isLast]).toEqual([['a', 'b'], false]);
    const second = await send(memory, table, first.after, 2);
    expect([second.keys, second.isLast]).toEqual([['c'], true]);
  }
});

test.each<[string, (memory: TestMemory) => void]>([
  ['its last row was deleted', ({ write }) => write((db) => db.exec("DELETE FROM swarm_events WHERE id = 'c'"))],
  [
    'another row took the place of the last',
    ({ write, events }) => {
      write((db) => db.exec("DELETE FROM swarm_events WHERE id = 'c'"));
      events(event('d'));
    },
  ],
  [
    // As a VACUUM may do.
    'its rows have other numbers',
    ({ write }) =>
      write((db) => db.exec("DELETE FROM swarm_events WHERE id = 'a'; UPDATE swarm_events SET rowid = rowid - 1")),
  ],
  [
    'another file took its place',
    ({ path }) => {
      const other = makeMemory({ journalMode: 'DELETE' });
      other.events(event('x'), event('y'), event('z'), event('c'));
      copyFileSync(other.path, path);
    },
  ],
])('all events are offered again when %s', async (_, spoil) => {
  const memory = makeMemory({ journalMode: 'DELETE' });
  memory.events(event('a'), event('b'), event('c'));
  const { after } = await send(memory, 'swarm_events');
  spoil(memory);
  const left = memory.write((db) => db.prepare('SELECT id FROM swarm_events ORDER BY rowid').pluck().all());
  expect((await send(memory, 'swarm_events', after)).keys).toEqual(left);
});

test('costs that were written again are sent again, also those of the last row', async () => {
  const memory = makeMemory({ hasUsage: true });
  memory.insert('task_usage', usageRow(NOW, 'T1', { cost_usd: 1 }), usageRow(NOW, 'T2', { cost_usd: 2 }));
  const first = await send(memory, 'task_usage');
  expect(first.keys).toEqual(['T1 1', 'T2 2']);
  memory.write((db) => db.exec("DELETE FROM task_usage WHERE task_id = 'T2'"));
  memory.insert('task_usage', usageRow(NOW, 'T2', { cost_usd: 3 }));
  expect((await send(memory, 'task_usage', first.after)).keys).toContain('T2 3');
});

test('a lesson is sent again when something of it has changed, with what was sent before', async () => {
  const memory = makeMemory();
  memory.insert('lessons_learned', lessonRow({ id: 'a' }), lessonRow({ id: 'b' }));
  const first = await send(memory, 'lessons_learned');
  memory.write((db) => db.exec("UPDATE lessons_learned SET status = 'RESOLVED' WHERE id = 'b'"));
  const second = await send(memory, 'lessons_learned', first.after);
  expect(second.rows).toEqual([
    { row: expect.objectContaining({ id: 'b', status: 'RESOLVED' }), before: first.after.sent?.b },
  ]);
  expect((await send(memory, 'lessons_learned', second.after)).keys).toEqual([]);
});

test('a lesson is sent again once the memory there has a column more', async () => {
  const memory = makeMemory();
  memory.insert('lessons_learned', lessonRow({ id: 'a', severity: 'HIGH' }));
  const { after, rows } = await unsentOf(memory, 'lessons_learned', { columns: ['id', 'timestamp'] });
  expect(rows).toEqual([{ row: { id: 'a', timestamp: '2026-01-01T10:00:00Z' } }]);
  const later = await unsentOf(memory, 'lessons_learned', {
    progress: after,
    columns: ['id', 'timestamp', 'severity'],
  });
  expect(later.rows.map(({ row }) => row)).toEqual([{ ...rows[0].row, severity: 'HIGH' }]);
});

test('a pattern goes by its name, without its number, and a lesson names its pattern', async () => {
  const memory = makeMemory();
  memory.insert('error_patterns', patternRow({ pattern_name: 'timeout' }));
  memory.insert('lessons_learned', lessonRow({ related_pattern_id: 1 }));
  const [pattern] = (await send(memory, 'error_patterns')).rows;
  expect(Object.keys(pattern.row)).not.toContain('id');
  const [lesson] = (await send(memory, 'lessons_learned')).rows;
  expect(lesson.row).toMatchObject({ related_pattern: 'timeout' });
  expect(Object.keys(lesson.row)).not.toContain('related_pattern_id');
});

test('rows that cannot be sent are passed over, and counted once', async () => {
  const memory = makeMemory();
  memory.events(event('a'), eventRow(NOW, { id: null, event_type: 'fix' }), event('c'));
  memory.write((db) =>
    db.exec("INSERT INTO swarm_events (id, timestamp, event_type, notes) VALUES ('d', 'x', 'fix', x'00')"),
  );
  const { keys, skipped, after } = await send(memory, 'swarm_events');
  expect([keys, skipped]).toEqual([['a', 'c'], 2]);
  expect((await send(memory, 'swarm_events', after)).skipped).toBe(0);
});

test('columns that no swarm memory has stay where they are, and a missing table has nothing to send', async () => {
  const memory = makeMemory();
  memory.write((db) => db.exec('ALTER TABLE swarm_events ADD COLUMN salary TEXT'));
  memory.events({ ...event('a'), salary: 'a lot' });
  const [{ row }] = (await send(memory, 'swarm_events')).rows;
  expect(Object.keys(row)).not.toContain('salary');
  expect((await send(makeMemory({ state: 'F' }), 'lessons_learned')).keys).toEqual([]);
});
