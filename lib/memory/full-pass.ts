import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Database } from 'better-sqlite3';
import { type EventRow, readEventRows } from './event-rows.ts';
import { MemoryError } from './memory-error.ts';
import { type MemorySchema, probeSchema } from './schema.ts';
import { type OpenMemory, readMemory } from './source.ts';
import {
  type Clock,
  createTally,
  feedTally,
  settleTally,
  type Tally,
  type TallyContext,
  trimUnpaired,
} from './tally.ts';
import { createTimestampParser, type TimestampParser } from './timestamps.ts';
import { CannotPairError } from './unpaired.ts';
import type { ManualMinutes } from './week-figures.ts';
import { DAY_MS, WEEK_MS } from './windows.ts';

/** What reading a memory needs to be told. Plain data, so that another thread can be told as well. */
export interface ReadingOptions {
  readonly path: string;
  readonly timezone: string;
  readonly manualMinutes: ManualMinutes;
}

/** What must still hold for rows read earlier to be the rows of the file. */
export interface Proof {
  readonly identity: string;
  readonly cookie: number;
  /** What tells the first and the last row read from others that could have taken their rowids; empty without rows. */
  readonly firstRow: string;
  readonly lastRow: string;
  /** Changes whenever anything is written; of the moment the pass ended. */
  readonly signature: string;
}

/** A tally of all rows, and the proof that it belongs to the file. */
export interface FullPass {
  readonly tally: Tally;
  readonly proof: Proof;
  readonly durationMs: number;
}

/** Rows a reader takes at once: about 20 ms, so that a server on the same thread goes on answering. */
export const SLICE_ROWS = 5_000;
const MAX_RESTARTS = 5;

/** Something was deleted, replaced or vacuumed while the pass ran: begin again. */
class RestartPass extends Error {}

/**
 * Reads every row once, slice by slice, each slice in a transaction of its own so that no checkpoint is held up.
 * @throws MemoryError if the memory cannot be read, or is rewritten faster than it can be read.
 */
export async function fullPass(options: ReadingOptions, clock: Clock, seenUpToRowid: number): Promise<FullPass> {
  const parser = createTimestampParser(options.timezone);
  let letGo = true;
  for (let restarts = 0; restarts < MAX_RESTARTS; restarts += 1) {
    try {
      return await passOnce(options, clock, parser, seenUpToRowid, letGo);
    } catch (error) {
      // Rows far out of order: keep every single row, which takes more memory and is always right.
      if (error instanceof CannotPairError) letGo = false;
      else if (!(error instanceof RestartPass)) throw error;
    }
  }
  throw new MemoryError(
    'changing',
    `Could not read the swarm memory "${options.path}": rows are deleted or rewritten faster than they can be read.`,
    'Wait for the clean-up to end.',
  );
}

async function passOnce(
  options: ReadingOptions,
  clock: Clock,
  parser: TimestampParser,
  seenUpToRowid: number,
  letGo: boolean,
): Promise<FullPass> {
  const startedMs = clock.monotonicMs();
  const context = { nowMs: clock.nowMs(), monotonicMs: startedMs, manualMinutes: options.manualMinutes, seenUpToRowid };
  const tally = createTally(context.nowMs);
  let first: Proof | undefined;
  for (;;) {
    const slice = await readMemory(options.path, (memory) => readSlice(memory, parser, tally, context));
    first ??= slice.proof;
    if (slice.proof.identity !== first.identity || slice.proof.cookie !== first.cookie) throw new RestartPass();
    feedTally(tally, slice.rows, context);
    if (letGo) trimUnpaired(tally);
    if (slice.rows.length < SLICE_ROWS) {
      if (slice.total !== tally.rows || slice.proof.firstRow !== first.firstRow) throw new RestartPass();
      settleTally(tally, { ...context, nowMs: clock.nowMs(), monotonicMs: clock.monotonicMs() });
      return { tally, proof: slice.proof, durationMs: clock.monotonicMs() - startedMs };
    }
    await nextTurn();
  }
}

function readSlice(
  memory: OpenMemory,
  parser: TimestampParser,
  tally: Tally,
  context: TallyContext,
): { rows: EventRow[]; proof: Proof; total: number } {
  const schema = probeSchema(memory.db);
  const rows = readNewRows(memory.db, schema, parser, tally, context.nowMs);
  const total = rows.length < SLICE_ROWS ? countRows(memory.db) : -1;
  return { rows, proof: proofOf(memory, schema, rows.at(-1)?.rowid ?? tally.cursor), total };
}

/** The next slice of rows after the tally's cursor. */
export function readNewRows(
  db: Database,
  schema: MemorySchema,
  parser: TimestampParser,
  tally: Tally,
  nowMs: number,
): EventRow[] {
  return readEventRows(
    db,
    { schema, parser, nowMs, detailsAfterMs: nowMs - WEEK_MS - DAY_MS },
    tally.cursor,
    SLICE_ROWS,
  );
}

/** The proof of this moment, for rows read up to `cursor`. */
export function proofOf(memory: OpenMemory, schema: MemorySchema, cursor: number): Proof {
  return {
    identity: memory.files.identity,
    cookie: schema.cookie,
    firstRow: fingerprint(memory.db, schema, '(SELECT min(rowid) FROM swarm_events)', []),
    lastRow: fingerprint(memory.db, schema, '?', [cursor]),
    signature: memory.files.signature,
  };
}

/** Number of rows: about 10 ms for a million, since SQLite walks the smallest index. */
export function countRows(db: Database): number {
  return db.prepare('SELECT count(*) FROM swarm_events').pluck().get() as number;
}

function fingerprint(db: Database, schema: MemorySchema, rowid: string, parameters: number[]): string {
  const columns = ['id', 'timestamp', 'session_id', 'event_type', 'created_at'].filter((name) =>
    schema.events.has(name),
  );
  const print = columns.map((name) => `quote("${name}")`).join(" || ' ' || ");
  const sql = `SELECT rowid || ' ' || ${print} FROM swarm_events WHERE rowid = ${rowid}`;
  return (
    (db
      .prepare(sql)
      .pluck()
      .get(...parameters) as string | undefined) ?? ''
  );
}
