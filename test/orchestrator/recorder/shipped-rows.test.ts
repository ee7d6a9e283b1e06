import { expect, test } from 'vitest';
import { type Cells, SHIPPED_TABLES, type ShippedTable } from '../../../lib/memory/shipped-tables.ts';
import { openMemoryWriter } from '../../../orchestrator/recorder/memory-writer.ts';
import { fillMemory } from '../../support/golden-memory.ts';
import {
  eventRow,
  lessonRow,
  type MemoryState,
  makeMemory,
  patternRow,
  stopRow,
  type TestMemory,
  taskRow,
  usageRow,
} from '../../support/memory-builder.ts';
import { figuresOf, openReader } from '../../support/memory-figures.ts';
import { createTestClock, NOW } from '../../support/memory-values.ts';
import { mergeAll, mergeInto, shipment } from '../../support/shipped-rows.ts';

const STATES: readonly MemoryState[] = ['A', 'B', 'C', 'D', 'E', 'F', 'G'];
const PAIRS = STATES.flatMap((from) => STATES.map((to) => [from, to] as const));

function rowsOf({ write }: TestMemory, table: ShippedTable | 'shipments'): Cells[] {
  return write((db) => {
    const isThere = db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(table);
    return isThere ? db.prepare<[], Cells>(`SELECT * FROM ${table} ORDER BY rowid`).all() : [];
  });
}
const everything = (memory: TestMemory) =>
  Object.fromEntries(SHIPPED_TABLES.map((table) => [table, rowsOf(memory, table)]));
const figures = (memory: TestMemory) => openReader(memory.path, createTestClock(NOW + 60_000)).read(figuresOf);

/** A memory with a few rows of its own. */
function ownMemory(state: MemoryState): TestMemory {
  const memory = makeMemory({ state, hasUsage: true });
  memory.events(taskRow(NOW - 3_600_000, { session_id: 'own' }), stopRow(NOW - 7_200_000, { session_id: 'own-2' }));
  memory.insert('task_usage', usageRow(NOW - 3_600_000, 'own'));
  if (state !== 'F') memory.insert('lessons_learned', lessonRow());
  if (state !== 'F' && state !== 'A') memory.insert('error_patterns', patternRow());
  return memory;
}

/** What must arrive of a row: the cells that the table there has, but for what depends on the memory. */
function expectedOf(row: Cells, table: ShippedTable, columns: readonly string[]): Cells {
  const own = table === 'error_patterns' ? ['id'] : [];
  // Without a column for success the type of an event says it.
  const changed = columns.includes('success') ? own : [...own, 'event_type'];
  return Object.fromEntries(
    Object.entries(row).filter(([column]) => columns.includes(column) && !changed.includes(column)),
  );
}

test.each(PAIRS)(
  'rows of a memory in state %s survive beside those of one in state %s, and twice is once',
  async (from, to) => {
    const [laptop, vm] = [fillMemory(NOW, from), ownMemory(to)];
    const own = everything(vm);
    await mergeAll(laptop, vm);
    const merged = everything(vm);
    for (const table of SHIPPED_TABLES.filter((each) => own[each].length > 0)) {
      const columns = Object.keys(own[table][0]);
      expect(merged[table]).toEqual([
        ...own[table],
        ...rowsOf(laptop, table).map((row) => expect.objectContaining(expectedOf(row, table, columns))),
      ]);
    }
    await mergeAll(laptop, vm);
    expect(everything(vm)).toEqual(merged);
  },
);

test.each<[MemoryState, MemoryState]>([
  ['C', 'C'],
  ['F', 'C'],
  ['A', 'D'],
])('a memory in state %s merged into one in state %s gives the figures of all rows in one', async (from, to) => {
  const [laptop, vm, union] = [fillMemory(NOW, from), ownMemory(to), ownMemory(to)];
  const reader = openReader(vm.path, createTestClock(NOW + 60_000));
  await reader.read(() => undefined);
  await mergeAll(laptop, vm);
  for (const [table, rows] of Object.entries(everything(laptop))) {
    // What the table would fill in by itself is the time of this test.
    const rowsOfUnion = rows.map((row) => (table === 'swarm_events' ? { created_at: null, ...row } : row));
    union.insert(
      table as ShippedTable,
      ...rowsOfUnion.map(({ id, ...row }) => (typeof id === 'string' ? { id, ...row } : row)),
    );
  }
  expect(await reader.read(figuresOf)).toEqual(await figures(union));
});

test('the two rows of a run that arrive in two batches are one task', async () => {
  const vm = makeMemory();
  const reader = openReader(vm.path, createTestClock());
  const [stop, task] = [stopRow(NOW - 3_600_000), taskRow(NOW - 3_600_000 + 30)];
  mergeInto(vm, { table: 'swarm_events', row: stop });
  expect(await reader.read(({ tally }) => [...tally.tasks.outcomes])).toEqual([0, 0, 1]);
  mergeInto(vm, { table: 'swarm_events', row: task });
  expect(await reader.read(({ tally }) => [...tally.tasks.outcomes])).toEqual([1, 0, 0]);
});

test.each<[string, Cells, readonly number[]]>([
  ['a success', { success: 1 }, [1, 0, 0]],
  ['a failure', { success: 0 }, [0, 1, 0]],
  ['a run of unknown end', { success: null }, [0, 0, 1]],
])('%s stays what it was in a memory without a column for it', async (_, cells, outcomes) => {
  const vm = makeMemory({ state: 'F' });
  mergeInto(vm, { table: 'swarm_events', row: taskRow(NOW - 3_600_000, cells) as Cells });
  expect(await openReader(vm.path, createTestClock()).read(({ tally }) => [...tally.tasks.outcomes])).toEqual(outcomes);
});

test('a row goes by the time at which it was made, not at which it came', () => {
  const vm = makeMemory();
  mergeInto(
    vm,
    {
      table: 'swarm_events',
      row: { id: 'with', timestamp: 'x', event_type: 'fix', created_at: '2026-01-01 10:00:00' },
    },
    { table: 'swarm_events', row: { id: 'without', timestamp: '2026-01-02T10:00:00', event_type: 'fix' } },
  );
  expect(rowsOf(vm, 'swarm_events').map(({ id, created_at }) => [id, created_at])).toEqual([
    ['with', '2026-01-01 10:00:00'],
    ['without', null],
  ]);
});

test('a pattern is known by its name, and a lesson finds it under the number it has here', async () => {
  const [laptop, vm] = [makeMemory(), makeMemory()];
  laptop.insert(
    'error_patterns',
    patternRow({ pattern_name: 'theirs', occurrence_count: 9 }),
    patternRow({ pattern_name: 'both' }),
  );
  laptop.insert(
    'lessons_learned',
    lessonRow({ id: 'L1', related_pattern_id: 1 }),
    lessonRow({ id: 'L2', related_pattern_id: 2 }),
  );
  vm.insert(
    'error_patterns',
    patternRow({ pattern_name: 'both', occurrence_count: 4 }),
    patternRow({ pattern_name: 'ours' }),
  );
  await mergeAll(laptop, vm);
  expect(rowsOf(vm, 'error_patterns').map((row) => [row.id, row.pattern_name, row.occurrence_count])).toEqual([
    [1, 'both', 4],
    [2, 'ours', 1],
    [3, 'theirs', 9],
  ]);
  expect(rowsOf(vm, 'lessons_learned').map((row) => [row.id, row.related_pattern_id])).toEqual([
    ['L1', 3],
    ['L2', 1],
  ]);
});

test('a lesson whose pattern is not known here comes without it', () => {
  const vm = makeMemory();
  mergeInto(vm, { table: 'lessons_learned', row: { id: 'L1', timestamp: 'x', related_pattern: 'nobody' } });
  expect(rowsOf(vm, 'lessons_learned')).toMatchObject([{ id: 'L1', related_pattern_id: null, status: 'ACTIVE' }]);
});

test('of two records of the same costs the larger stays, whichever comes first', () => {
  const vm = makeMemory();
  const usage = (cost_usd: number | null) => ({
    table: 'task_usage' as const,
    row: usageRow(NOW, 'T1', { cost_usd }) as Cells,
  });
  for (const [offered, stored] of [
    [null, null],
    [0.2, 0.2],
    [0.5, 0.5],
    [0.3, 0.5],
  ] as const) {
    mergeInto(vm, usage(offered));
    expect(rowsOf(vm, 'task_usage').map(({ cost_usd }) => cost_usd)).toEqual([stored]);
  }
});

test('a row that breaks a rule of the memory costs only itself', () => {
  const vm = makeMemory();
  vm.write((db) =>
    db.exec("CREATE TRIGGER no BEFORE INSERT ON swarm_events WHEN new.id = 'bad' BEGIN SELECT raise(ABORT, 'no'); END"),
  );
  const rows = ['one', 'bad', 'two'].map((id) => ({
    table: 'swarm_events' as const,
    row: eventRow(NOW, { id, event_type: 'fix' }) as Cells,
  }));
  expect(mergeInto(vm, ...rows)).toEqual({ written: 1, refused: [] });
  expect(rowsOf(vm, 'swarm_events').map(({ id }) => id)).toEqual(['one', 'two']);
  expect(rowsOf(vm, 'shipments')).toMatchObject([{ machine: 'laptop' }]);
});

test('of each sender the latest arrival is noted, and an older one that is told again does not count', () => {
  const vm = makeMemory();
  const write = (at: string, batch: string, origin?: string) =>
    openMemoryWriter({ path: vm.path }).write([shipment([], { at, batch, ...(origin ? { origin } : {}) })]);
  write('2026-06-15T12:00:00.000Z', 'first');
  write('2026-06-15T13:00:00.5Z', 'second');
  write('2026-06-15T12:00:00.000Z', 'first');
  write('2026-06-15T11:00:00Z', 'other', 'another');
  expect(rowsOf(vm, 'shipments').map(({ last_batch, last_success }) => [last_batch, last_success])).toEqual([
    ['second', '2026-06-15T13:00:00.500Z'],
    ['other', '2026-06-15T11:00:00.000Z'],
  ]);
});
