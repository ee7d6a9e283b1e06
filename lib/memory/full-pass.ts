import { setImmediate as nextTurn } from 'node:timers/promises';
import { isInArchive } from './archive-rows.ts';
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
  /** Which archives there are: rows may have moved into one that is new. */
  readonly archives: string;
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
      return { proof, isLast, isComplete: !isLast || countEvents(memory) === tally.rows };
    });
    first ??= slice.proof;
    const isSameFile = (['identity', 'cookie', 'archives'] as const).every((key) => slice.proof[key] === first?.[key]);
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
  const { archives } = memory;
  const readRows = prepareEventRows(memory.db, { schema, parser, nowMs, detailsAfterMs, archives });
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
  const row = (rowid: string): string =>
    `(SELECT rowid || ' ' || ${print} FROM main.swarm_events WHERE rowid = ${rowid})`;
  const first =
    memory.archives.length === 0
      ? 'SELECT min(rowid) FROM main.swarm_events'
      : // Those in front of it that were copied into an archive are about to go.
        `SELECT rowid FROM main.swarm_events WHERE NOT (${isInArchive(memory.archives, 'swarm_events.id')}) ORDER BY rowid LIMIT 1`;
  const sql = `SELECT ${row(`(${first})`)}, ${row('?')}`;
  const [firstRow, lastRow] = memory.db.prepare(sql).raw().get(cursor) as (string | null)[];
  return {
    identity: memory.files.identity,
    cookie: schema.cookie,
    archives: memory.archives.map(({ name, identity }) => `${name} ${identity}`).join(', '),
    firstRow: firstRow ?? '',
    lastRow: lastRow ?? '',
    signature: memory.files.signature,
  };
}

/**
 * Number of rows here and in archives, those in both counted twice: about 10 ms for a million, since SQLite walks the
 * smallest index.
 */
export function countRows({ db, archives }: Pick<OpenMemory, 'db' | 'archives'>): number {
  const places = ['main', ...archives.map(({ name }) => name)];
  const counts = places.map((place) => `(SELECT count(*) FROM ${place}.swarm_events)`);
  return db
    .prepare(`SELECT ${counts.join(' + ')}`)
    .pluck()
    .get() as number;
}

/** Number of events, those in both counted once; with archives it looks up every row. */
function countEvents(memory: OpenMemory): number {
  const { db, archives } = memory;
  if (archives.length === 0) return countRows(memory);
  const inBoth = `SELECT count(*) FROM main.swarm_events WHERE ${isInArchive(archives, 'swarm_events.id')}`;
  return countRows(memory) - (db.prepare(inBoth).pluck().get() as number);
}
