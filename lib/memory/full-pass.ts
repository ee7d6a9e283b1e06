import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Database } from 'better-sqlite3';
import { prepareEventRows } from './event-rows.ts';
import { MemoryError } from './memory-error.ts';
import { type MemorySchema, probeSchema } from './schema.ts';
import { type OpenMemory, readMemory } from './source.ts';
import {
  type Clock,
  createTally,
  feedTally,
  type Past,
  settleTally,
  type Tally,
  type TallyContext,
  trimUnpaired,
} from './tally.ts';
import { createFloors } from './task-counters.ts';
import { createTimestampParser, type TimestampParser } from './timestamps.ts';
import { CannotPairError } from './unpaired.ts';
import type { ManualMinutes } from './week-figures.ts';
import { DAY_MS } from './windows.ts';

/** What reading a memory needs to be told. Plain data, so that another thread can be told as well. */
export interface ReadingOptions {
  readonly path: string;
  readonly timezone: string;
  readonly manualMinutes: ManualMinutes;
  /** If the figures wanted are those of the clock's past moment. */
  readonly past?: Past;
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

/** Rows of one transaction: about 20 ms, so that a server on the same thread goes on answering. */
const SLICE_ROWS = 5_000;
/** Rows taken from SQLite at once: few enough to be garbage while they are still young. */
const BATCH_ROWS = 250;
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
  const tally = createTally(context.nowMs, options.past);
  let first: Proof | undefined;
  let schema: MemorySchema | undefined;
  for (;;) {
    const slice = await readMemory(options.path, (memory) => {
      schema = probeSchema(memory.db, memory.files.identity === first?.identity ? schema : undefined);
      const isLast = feedSlice(memory, schema, parser, tally, context);
      const proof = proofOf(memory, schema, tally.cursor);
      return { proof, isLast, isComplete: !isLast || countRows(memory.db) === tally.rows };
    });
    first ??= slice.proof;
    const isSameFile = slice.proof.identity === first.identity && slice.proof.cookie === first.cookie;
    if (!isSameFile || !slice.isComplete || slice.proof.firstRow !== first.firstRow) throw new RestartPass();
    if (letGo) trimUnpaired(tally);
    if (slice.isLast) {
      settleTally(tally, { ...context, nowMs: clock.nowMs(), monotonicMs: clock.monotonicMs() });
      // What was taken back during the pass had never been shown.
      tally.tasks.floors = createFloors();
      return { tally, proof: slice.proof, durationMs: clock.monotonicMs() - startedMs };
    }
    await nextTurn();
  }
}

/**
 * Feeds the tally the rows after its cursor, up to a slice of them; true if there are no more. Only rows that are surely
 * whole are fed, so the slice may be read again from where it stopped.
 * @throws CannotPairError as `feedTally` does.
 */
export function feedSlice(
  memory: OpenMemory,
  schema: MemorySchema,
  parser: TimestampParser,
  tally: Tally,
  context: TallyContext,
): boolean {
  const { nowMs } = context;
  const detailsAfterMs = nowMs - tally.tasks.horizonMs - DAY_MS;
  const readRows = prepareEventRows(memory.db, { schema, parser, nowMs, detailsAfterMs });
  for (let fed = 0; fed < SLICE_ROWS; fed += BATCH_ROWS) {
    const rows = readRows(tally.cursor, BATCH_ROWS);
    memory.assertUnchanged();
    feedTally(tally, rows, context);
    if (rows.length < BATCH_ROWS) return true;
  }
  return false;
}

/** The proof of this moment, for rows read up to `cursor`. */
export function proofOf(memory: OpenMemory, schema: MemorySchema, cursor: number): Proof {
  const columns = ['id', 'timestamp', 'session_id', 'event_type', 'created_at'].filter((name) =>
    schema.events.has(name),
  );
  const print = columns.map((name) => `quote("${name}")`).join(" || ' ' || ");
  const row = (rowid: string): string => `(SELECT rowid || ' ' || ${print} FROM swarm_events WHERE rowid = ${rowid})`;
  const sql = `SELECT ${row('(SELECT min(rowid) FROM swarm_events)')}, ${row('?')}`;
  const [firstRow, lastRow] = memory.db.prepare(sql).raw().get(cursor) as (string | null)[];
  return {
    identity: memory.files.identity,
    cookie: schema.cookie,
    firstRow: firstRow ?? '',
    lastRow: lastRow ?? '',
    signature: memory.files.signature,
  };
}

/** Number of rows: about 10 ms for a million, since SQLite walks the smallest index. */
export function countRows(db: Database): number {
  return db.prepare('SELECT count(*) FROM swarm_events').pluck().get() as number;
}
