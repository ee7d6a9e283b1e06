import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { SHIPPED_TABLES, type ShippedTable } from '../../lib/memory/shipped-tables.ts';
import type { Progress } from '../../lib/memory/unsent-rows.ts';
import { batchId, origin } from '../../lib/queue/shipped-row.ts';
import { writePrivateFile } from '../../lib/write-private.ts';

const digests = z.record(z.string(), z.string());
const progress: z.ZodType<Progress> = z.object({
  cursor: z.object({ rowid: z.number(), digest: z.string() }).optional(),
  sent: z.record(z.string(), digests).optional(),
});
const tables = z.partialRecord(z.enum(SHIPPED_TABLES as [ShippedTable, ...ShippedTable[]]), progress);

const stateSchema = z.object({
  version: z.literal(1),
  /** By what the receiver knows this sender. */
  origin,
  /** How far each table has been sent. */
  tables,
  /** The last batch that is known to have arrived. */
  lastBatch: batchId.optional(),
  /** When the last ship went well, and when something last arrived; ISO 8601. */
  lastSuccessAt: z.iso.datetime().optional(),
  lastArrivalAt: z.iso.datetime().optional(),
  /** A batch that was sent, and how far each table has been sent if it arrived. */
  pending: z.object({ batch: batchId, tables }).optional(),
});

/** What a sender knows of one receiver. Whatever of it is lost is sent again, and changes nothing there. */
export type ShipState = z.infer<typeof stateSchema>;

/** The folder for the state of this machine's ships. */
export const STATE_FOLDER = './data/ship';

/** The state file of one receiver. */
export function stateFileOf(folder: string, host: string): string {
  return join(folder, `${encodeURIComponent(host)}.json`);
}

/** The state in a file, or that of a sender who has never sent anything. */
export function readState(file: string): ShipState {
  try {
    return stateSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return { version: 1, origin: randomUUID(), tables: {} };
  }
}

/**
 * Writes the state, whole or not at all.
 * @throws OperatorError if it cannot be written.
 */
export function writeState(file: string, state: ShipState): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writePrivateFile(file, `${JSON.stringify(state)}\n`);
}

/**
 * What holds when the receiver says which batch last arrived: the one under way has, or has not, or its memory is not the one
 * that was sent to (another, or one from a backup), and everything is to be offered again.
 */
export function settleState(state: ShipState, lastBatch: string | undefined): ShipState {
  const { pending, ...settled } = state;
  if (pending !== undefined && pending.batch === lastBatch) {
    return { ...settled, tables: pending.tables, lastBatch };
  }
  return state.lastBatch === lastBatch ? settled : { version: 1, origin: state.origin, tables: {}, lastBatch };
}
