import type { Database } from 'better-sqlite3';
import { digestOf } from './cell-digest.ts';
import type { MemorySchema } from './schema.ts';
import { type Cells, SHIPPED_KEYS, type ShippedTable, selectShipped, shippedColumns } from './shipped-tables.ts';

/** How far a table has been sent to one receiver. Plain data, kept between two ships; without it all is sent again. */
export interface Progress {
  /** Of a table that only grows: the last row sent, and a digest that shows it is still the same row. */
  readonly cursor?: { readonly rowid: number; readonly digest: string } | undefined;
  /** Of a table whose rows change: digests of the values sent, by row and column. */
  readonly sent?: Readonly<Record<string, Digests>> | undefined;
}

/** Digests of the values of a row by column. */
export type Digests = Readonly<Record<string, string>>;

/** A row to send. */
export interface UnsentRow {
  readonly row: Cells;
  /** What was sent of it before, for a row that has changed since. */
  readonly before?: Digests;
}

/** Rows of one table that are to be sent together. */
export interface UnsentRows {
  readonly rows: readonly UnsentRow[];
  /** Rows that cannot be sent and are passed over. */
  readonly skipped: number;
  /** The progress once they have arrived. */
  readonly after: Progress;
  /** There is nothing beyond them. */
  readonly isLast: boolean;
}

/** What to read, and how much at once. */
export interface UnsentQuery {
  readonly table: ShippedTable;
  readonly progress: Progress;
  /** The columns that the receiver has. */
  readonly columns: readonly string[];
  readonly maxRows: number;
  /** Characters of JSON, about; a single row may be more. */
  readonly maxLength: number;
  /** Whether a row can be sent at all. */
  readonly accepts: (row: Cells) => boolean;
}

/** Reads the rows of a table that have not been sent yet, in the order in which they came. */
export function readUnsent(db: Database, schema: MemorySchema, query: UnsentQuery): UnsentRows {
  if (shippedColumns(schema, query.table).length === 0) return createBatch(query).result(query.progress, true);
  // Lessons and patterns are few and are changed in place; events and costs only ever come.
  const changes = query.table === 'lessons_learned' || query.table === 'error_patterns';
  return changes ? readChanged(db, schema, query) : readNew(db, schema, query);
}

function readNew(db: Database, schema: MemorySchema, query: UnsentQuery): UnsentRows {
  const { table, progress } = query;
  const select = selectShipped(schema, table);
  const from = isStillThere(db, select, progress.cursor) ? progress.cursor?.rowid : undefined;
  const batch = createBatch(query);
  const found = db
    .prepare<[number], Cells>(`${select} WHERE rowid > ? ORDER BY rowid`)
    .iterate(from ?? Number.MIN_SAFE_INTEGER);
  let last: Cells | undefined;
  for (const row of found) {
    if (batch.isFull()) return batch.result({ cursor: cursorAt(last) }, false);
    batch.add(row);
    last = row;
  }
  return batch.result({ cursor: last === undefined && from !== undefined ? progress.cursor : cursorAt(last) }, true);
}

function cursorAt(row: Cells | undefined): Progress['cursor'] {
  return row && { rowid: row.rowid as number, digest: digestOf(Object.values(row)) };
}

/** A file that was replaced or vacuumed, or whose last row was taken away, has another row there, or none. */
function isStillThere(db: Database, select: string, cursor: Progress['cursor']): boolean {
  if (cursor === undefined) return false;
  const row = db.prepare<[number], Cells>(`${select} WHERE rowid = ?`).get(cursor.rowid);
  return cursorAt(row)?.digest === cursor.digest;
}

function readChanged(db: Database, schema: MemorySchema, query: UnsentQuery): UnsentRows {
  const { table, progress, columns } = query;
  const sent = new Map(Object.entries(progress.sent ?? {}));
  const batch = createBatch(query);
  const [key] = SHIPPED_KEYS[table];
  const found = db.prepare<[], Cells>(`${selectShipped(schema, table)} ORDER BY rowid`).iterate();
  for (const row of found) {
    const id = String(row[key]);
    const before = sent.get(id);
    const known = Object.entries(row).filter(([column]) => columns.includes(column));
    const digests = Object.fromEntries(known.map(([column, value]) => [column, digestOf(value)]));
    if (before && Object.entries(digests).every(([column, digest]) => before[column] === digest)) continue;
    if (batch.isFull()) return batch.result({ sent: Object.fromEntries(sent) }, false);
    batch.add(row, before);
    sent.set(id, digests);
  }
  return batch.result({ sent: Object.fromEntries(sent) }, true);
}

function createBatch({ columns, maxRows, maxLength, accepts }: UnsentQuery) {
  const rows: UnsentRow[] = [];
  let [skipped, length] = [0, 0];
  return {
    isFull: (): boolean => rows.length >= maxRows || length >= maxLength,
    add: (cells: Cells, before?: Digests): void => {
      const row = Object.fromEntries(Object.entries(cells).filter(([column]) => columns.includes(column)));
      if (!accepts(row)) {
        skipped += 1;
        return;
      }
      length += JSON.stringify(row).length;
      rows.push(before ? { row, before } : { row });
    },
    result: (after: Progress, isLast: boolean): UnsentRows => ({ rows, skipped, after, isLast }),
  };
}
