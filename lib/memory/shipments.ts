import type { Database } from 'better-sqlite3';
import type { MemorySchema } from './schema.ts';

const COLUMNS = ['origin', 'last_batch', 'last_success'];

/** The last batch that arrived from a sender; undefined if none ever did. */
export function readLastBatch(db: Database, schema: MemorySchema, origin: string): string | undefined {
  if (!hasShipments(schema)) return undefined;
  const found = db.prepare('SELECT last_batch FROM shipments WHERE origin = ?').pluck().get(origin);
  return typeof found === 'string' ? found : undefined;
}

/** When something last arrived from any other machine, milliseconds since 1970; undefined if nothing ever did. */
export function readLastArrivalMs(db: Database, schema: MemorySchema): number | undefined {
  if (!hasShipments(schema)) return undefined;
  // The recorder writes one form of UTC, so that the order of the texts is the order of the times.
  const latest = Date.parse(String(db.prepare('SELECT max(last_success) FROM shipments').pluck().get()));
  return Number.isNaN(latest) ? undefined : latest;
}

function hasShipments({ shipments }: MemorySchema): boolean {
  return COLUMNS.every((column) => shipments.has(column));
}
