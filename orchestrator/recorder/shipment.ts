import type { Database } from 'better-sqlite3';
import type { MemorySchema } from '../../lib/memory/schema.ts';
import { SHIPMENTS_TABLE } from '../../lib/memory/tables.ts';
import type { ShippedResult } from '../../lib/queue/result.ts';
import { isOfTheMemory } from './memory-unavailable.ts';
import { prepareShippedRows } from './shipped-rows.ts';

/** A writer of what other machines sent, inside an open transaction; a row that breaks a rule of the memory costs only itself. */
export function prepareShipments(db: Database, schema: MemorySchema): (shipment: ShippedResult) => void {
  db.exec(SHIPMENTS_TABLE);
  const write = db.transaction(prepareShippedRows(db, schema));
  const note = db.prepare<[string, string, string, string]>(
    `INSERT INTO shipments (origin, machine, last_batch, last_success) VALUES (?, ?, ?, ?)
      ON CONFLICT (origin) DO UPDATE SET machine = excluded.machine, last_batch = excluded.last_batch,
        last_success = excluded.last_success WHERE excluded.last_success >= last_success`,
  );
  return ({ origin, machine, batch, at, rows }) => {
    for (const row of rows) {
      try {
        write(row);
      } catch (error) {
        // Whoever handed it over sees that it is not there, and says so.
        const isOfTheRow = String((error as { code?: unknown }).code).startsWith('SQLITE_') && !isOfTheMemory(error);
        if (!isOfTheRow || !db.inTransaction) throw error;
      }
    }
    // With the rows, or not at all: the sender goes on once this is there. One form of UTC, so that texts can be compared.
    note.run(origin, machine, batch, new Date(at).toISOString());
  };
}
