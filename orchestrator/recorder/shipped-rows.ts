import type { Database, Statement } from 'better-sqlite3';
import type { MemorySchema } from '../../lib/memory/schema.ts';
import {
  type Cells,
  SHIPPED_KEYS,
  type ShippedTable,
  selectShipped,
  shippedColumns,
} from '../../lib/memory/shipped-tables.ts';
import type { ShippedRow } from '../../lib/queue/shipped-row.ts';
import { mergeRow } from './merge-row.ts';
import { fitEventRow, USAGE_COLUMNS } from './rows.ts';
import { isLargerUsage, prepareUsageRows } from './usage-table.ts';

/** What a memory has of a row that another machine sent: nothing, something that it adds to, or all of it. */
export type RowState = 'new' | 'changed' | 'known';

/** Says what an open memory has of a row. It only reads. */
export function prepareRowStates(db: Database, schema: MemorySchema): (shipped: ShippedRow) => RowState {
  const lookUp = prepareLookUp(db, schema);
  return (unresolved) => {
    const { shipped, local } = lookUp(unresolved);
    return local === undefined ? 'new' : stateBeside(local, shipped);
  };
}

/** Writes rows into an open memory, each in the columns it has, so that a second time changes nothing. */
export function prepareShippedRows(db: Database, schema: MemorySchema): (shipped: ShippedRow) => void {
  const lookUp = prepareLookUp(db, schema);
  const insert = prepareInsert(db, schema);
  const update = prepareUpdate(db);
  const writeUsage = prepareUsageRows(db);
  return (unresolved) => {
    const { shipped, local } = lookUp(unresolved);
    const { table, row } = shipped;
    if (table === 'task_usage') {
      // A column that the other memory lacks says nothing.
      writeUsage(Object.fromEntries(USAGE_COLUMNS.map((column) => [column, row[column] ?? null])) as never);
    } else if (local === undefined) {
      insert(table, table === 'swarm_events' ? fitEventRow(row, schema.events) : row);
    } else if (table !== 'swarm_events') {
      update(table, row, mergeRow(shipped, local));
    }
  };
}

function stateBeside(local: Cells, shipped: ShippedRow): RowState {
  // An event happened once and stays as it was.
  if (shipped.table === 'swarm_events') return 'known';
  if (shipped.table === 'task_usage') return isLargerUsage(shipped.row, local) ? 'changed' : 'known';
  return Object.keys(mergeRow(shipped, local)).length > 0 ? 'changed' : 'known';
}

interface Found {
  /** Without a pattern of a lesson that this memory does not have. */
  readonly shipped: ShippedRow;
  /** Our row of the same key. */
  readonly local: Cells | undefined;
}

function prepareLookUp(db: Database, schema: MemorySchema): (shipped: ShippedRow) => Found {
  const find = oncePer((table: ShippedTable): Statement<[Cells], Cells> | undefined =>
    shippedColumns(schema, table).length === 0
      ? undefined
      : db.prepare<[Cells], Cells>(`${selectShipped(schema, table)} WHERE ${keyOf(table)}`),
  );
  return (unresolved) => {
    const { related_pattern: pattern_name, ...rest } = unresolved.row;
    const isKnown = typeof pattern_name === 'string' && find('error_patterns')?.get({ pattern_name }) !== undefined;
    const shipped = isKnown ? unresolved : { ...unresolved, row: rest };
    return { shipped, local: find(shipped.table)?.get(shipped.row) };
  };
}

type Write = (table: ShippedTable, row: Cells) => void;

function prepareInsert(db: Database, schema: MemorySchema): Write {
  const prepare = oncePer((table: ShippedTable, columns: string) => {
    const names = columns.split(' ');
    const targets = names.map((name) => `"${targetOf(name)}"`);
    return db.prepare<Cells>(`INSERT INTO ${table} (${targets.join(', ')}) VALUES (${names.map(placeOf).join(', ')})`);
  });
  return (table, row) => {
    const own = shippedColumns(schema, table);
    // When it arrived is not when it was made: a row that does not say goes by its timestamp.
    const cells: Cells = own.includes('created_at') ? { created_at: null, ...row } : row;
    const columns = own.filter((column) => cells[column] !== undefined);
    if (columns.length > 0) prepare(table, columns.join(' ')).run(cells);
  };
}

function prepareUpdate(db: Database): (table: ShippedTable, row: Cells, changes: Cells) => void {
  const prepare = oncePer((table: ShippedTable, columns: string) => {
    const settings = columns.split(' ').map((column) => `"${targetOf(column)}" = ${placeOf(column)}`);
    return db.prepare<Cells>(`UPDATE ${table} SET ${settings.join(', ')} WHERE ${keyOf(table)}`);
  });
  return (table, row, changes) => {
    const columns = Object.keys(changes);
    if (columns.length > 0) prepare(table, columns.join(' ')).run({ ...row, ...changes });
  };
}

/** Column names are never the sender's: the schema of the rows lets only those of `SHIPPED_COLUMNS` pass. */
function targetOf(column: string): string {
  return column === 'related_pattern' ? 'related_pattern_id' : column;
}

function placeOf(column: string): string {
  return column === 'related_pattern'
    ? '(SELECT id FROM error_patterns WHERE pattern_name = @related_pattern)'
    : `@${column}`;
}

function keyOf(table: ShippedTable): string {
  return SHIPPED_KEYS[table].map((column) => `"${column}" = @${column}`).join(' AND ');
}

/** Remembers what was made for the same arguments. */
function oncePer<Arguments extends readonly string[], T>(make: (...args: Arguments) => T): (...args: Arguments) => T {
  const made = new Map<string, T>();
  return (...args) => {
    const key = args.join(' ');
    if (!made.has(key)) made.set(key, make(...args));
    return made.get(key) as T;
  };
}
