import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { lookAtFiles } from '../../lib/memory/files.ts';
import { once } from '../../lib/memory/once.ts';
import { type MemorySchema, probeSchema } from '../../lib/memory/schema.ts';
import type { Result } from '../../lib/queue/result.ts';
import { explainUnavailable, isOfTheMemory, MemoryUnavailableError, replacedMeanwhile } from './memory-unavailable.ts';
import { EVENT_COLUMNS, type EventRow, eventRow, fitEventRow, usageRows } from './rows.ts';
import { prepareShipments } from './shipment.ts';
import { createUsageTable, hasUsageTable, prepareUsageRows } from './usage-table.ts';

/** A result that could not be written although the memory takes others: it would never be. */
export interface Refusal {
  /** Its place in what was handed over. */
  readonly index: number;
  readonly error: unknown;
}

/** What became of the results handed over. */
export interface WriteReport {
  /** How many are in the memory now, those that were there already included. */
  readonly written: number;
  readonly refused: readonly Refusal[];
}

/** Writes results into one swarm memory. */
export interface MemoryWriter {
  /**
   * Writes them in one transaction, on disk when this returns; one that was written before changes nothing. Without any it
   * makes sure that the memory can be written. It blocks the process while it works, when locked for `busyTimeoutMs`.
   * @throws MemoryBusyError another program holds the memory locked; MemoryUnavailableError it is missing, no swarm memory,
   * read-only, damaged, or its disk is full. Nothing has been written then.
   */
  readonly write: (results: readonly Result[]) => WriteReport;
}

export interface MemoryWriterOptions {
  readonly path: string;
  readonly busyTimeoutMs?: number;
}

/**
 * A writer for the memory at `path`, which must exist: no file is ever created in its place. It opens the file for each
 * batch and closes it again, as the hooks do: a file put in its place is noticed, nobody's checkpoint waits for us, and
 * between batches there is neither a `-wal` nor a `-shm`.
 */
export function openMemoryWriter({ path, busyTimeoutMs = 250 }: MemoryWriterOptions): MemoryWriter {
  return {
    write: (results) => {
      try {
        return writeBatch(path, busyTimeoutMs, results);
      } catch (error) {
        throw explainUnavailable(path, error);
      }
    },
  };
}

function writeBatch(path: string, busyTimeoutMs: number, results: readonly Result[]): WriteReport {
  const files = lookAtFiles(path);
  assertWritable(files.path);
  const db = new Database(files.path, { fileMustExist: true, timeout: busyTimeoutMs });
  try {
    // On disk at the commit, whatever the journal mode: the message is thrown away after it.
    db.pragma('synchronous = FULL');
    const report = db.transaction(() => writeResults(db, results)).immediate();
    if (lookAtFiles(path).identity === files.identity) return report;
  } finally {
    db.close();
  }
  throw replacedMeanwhile(path);
}

/** Asked before SQLite is: it would open a read-only memory, make a read-only -wal and -shm beside it and leave them. */
function assertWritable(path: string): void {
  accessSync(path, constants.W_OK);
  accessSync(dirname(path), constants.W_OK);
}

function writeResults(db: Database.Database, results: readonly Result[]): WriteReport {
  const writeOne = prepareWriting(db);
  const refused: Refusal[] = [];
  for (const [index, result] of results.entries()) {
    try {
      writeOne(result);
    } catch (error) {
      // Some errors undo the whole transaction, and what was written before with it.
      if (isOfTheMemory(error) || !db.inTransaction) throw error;
      refused.push({ index, error });
    }
  }
  return { written: results.length - refused.length, refused };
}

/** A writer of single results inside an open transaction; of one that fails nothing stays. */
function prepareWriting(db: Database.Database): (result: Result) => void {
  const schema = probeSchema(db);
  if (!hasUsageTable(schema, db.name)) createUsageTable(db);
  const insertEvent = prepareEventRows(db, schema);
  const insertUsage = prepareUsageRows(db);
  const insertShipment = once(() => prepareShipments(db, schema));
  return db.transaction((result: Result) => {
    if (result.kind === 'shipped') return insertShipment()(result);
    const event = eventRow(result);
    if (event) insertEvent(fitEventRow(event, schema.events));
    for (const row of usageRows(result)) insertUsage(row);
  });
}

/** A writer of rows of swarm_events, in the columns this memory has; a row whose id is there already is passed over. */
function prepareEventRows(db: Database.Database, schema: MemorySchema): (row: EventRow) => void {
  if (!schema.events.has('id')) {
    throw new MemoryUnavailableError(
      `Could not write to the swarm memory "${db.name}": its table swarm_events has no column id.`,
      'Check SWARM_DB_PATH, or let the hooks make their tables.',
    );
  }
  const columns = EVENT_COLUMNS.filter((column) => schema.events.has(column));
  // Asking first works without a primary key too, and unlike OR IGNORE lets no other broken rule pass in silence.
  const insert = db.prepare<EventRow>(
    `INSERT INTO swarm_events (${columns.join(', ')}) SELECT ${columns.map((column) => `@${column}`).join(', ')}
      WHERE NOT EXISTS (SELECT 1 FROM swarm_events WHERE id = @id)`,
  );
  return (row) => void insert.run(row);
}
