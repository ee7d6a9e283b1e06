import { probeSchema } from '../../lib/memory/schema.ts';
import { SHIPPED_COLUMNS, SHIPPED_TABLES, type ShippedTable, shippedColumns } from '../../lib/memory/shipped-tables.ts';
import { readMemory } from '../../lib/memory/source.ts';
import { type Progress, readUnsent, type UnsentRows } from '../../lib/memory/unsent-rows.ts';
import type { ShippedResult } from '../../lib/queue/result.ts';
import { isShippable, type ShippedRow } from '../../lib/queue/shipped-row.ts';
import { openMemoryWriter } from '../../orchestrator/recorder/memory-writer.ts';
import type { TestMemory } from './memory-builder.ts';

const ORIGIN = '5f0f7a2e-0c7e-4a6d-9a57-3c1f3d0f3b11';
const BATCH = '0d6c1f4b-6f0e-4b0c-8a55-6f1b6f3f9a01';

/** What one table of a memory has to send. */
export function unsentOf(
  { path }: TestMemory,
  table: ShippedTable,
  options: { readonly progress?: Progress; readonly columns?: readonly string[]; readonly maxRows?: number } = {},
): Promise<UnsentRows> {
  const { progress = {}, columns = SHIPPED_COLUMNS[table], maxRows = 500 } = options;
  return readMemory(path, ({ db }) =>
    readUnsent(db, probeSchema(db), {
      ...{ table, progress, columns, maxRows, maxLength: 1_000_000 },
      accepts: (row) => isShippable(table, row),
    }),
  );
}

/** A shipment of rows. */
export function shipment(rows: readonly ShippedRow[], extra: Partial<ShippedResult> = {}): ShippedResult {
  const at = '2026-06-15T12:00:00.000Z';
  return {
    version: 1,
    kind: 'shipped',
    origin: ORIGIN,
    machine: 'laptop',
    batch: BATCH,
    at,
    rows: [...rows],
    ...extra,
  };
}

/** Lets the recorder's writer merge rows into a memory. */
export function mergeInto({ path }: TestMemory, ...rows: readonly ShippedRow[]) {
  return openMemoryWriter({ path }).write([shipment(rows)]);
}

/** Merges everything one memory has into another, in the columns that the other has. */
export async function mergeAll(from: TestMemory, to: TestMemory): Promise<void> {
  const schema = await readMemory(to.path, ({ db }) => probeSchema(db));
  for (const table of SHIPPED_TABLES) {
    const columns = table === 'task_usage' ? SHIPPED_COLUMNS.task_usage : shippedColumns(schema, table);
    if (columns.length === 0) continue;
    const { rows } = await unsentOf(from, table, { columns });
    mergeInto(to, ...rows.map((row) => ({ table, ...row }) as ShippedRow));
  }
}
