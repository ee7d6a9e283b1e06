import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { OperatorError, UsageError } from '../../lib/errors.ts';
import { probeSchema } from '../../lib/memory/schema.ts';
import { SHIPPED_TABLES, type ShippedTable, shippedColumns } from '../../lib/memory/shipped-tables.ts';
import { readMemory } from '../../lib/memory/source.ts';
import { readUnsent, type UnsentRows } from '../../lib/memory/unsent-rows.ts';
import { MOST_ROWS } from '../../lib/queue/shipped-row.ts';
import type { Link } from './link.ts';
import {
  type Ack,
  ackSchema,
  BATCH_LENGTH,
  type Batch,
  greeting,
  type Hello,
  helloSchema,
  isSendable,
  parseLine,
} from './protocol.ts';
import { type ShipState, settleState } from './state-file.ts';

/** What was sent of one table. */
export interface TableReport {
  readonly sent: number;
  /** Rows that were not there before. */
  readonly new: number;
  /** Rows that were. */
  readonly known: number;
  /** Rows that the memory there does not take. */
  readonly refused: number;
  /** Rows that cannot be sent: without an id, with bytes that are no text, or too large. */
  readonly skipped: number;
}

/** What became of a ship. */
export interface ShipReport {
  /** `waiting`: what was sent is accepted, and not yet in the memory; the rest follows with the next ship. */
  readonly state: 'done' | 'waiting';
  readonly tables: Readonly<Record<ShippedTable, TableReport>>;
  /** Tables that this memory has and the one there has not. */
  readonly missing: readonly ShippedTable[];
}

export interface ShipOptions {
  readonly memoryPath: string;
  /** What there is to send. */
  readonly own: readonly ShippedTable[];
  readonly state: ShipState;
  readonly link: Link;
  /** Keeps a state, before a batch is sent and after it has arrived. */
  readonly keep: (state: ShipState) => void;
}

const NOTHING: TableReport = { sent: 0, new: 0, known: 0, refused: 0, skipped: 0 };
const LONGEST_NAME = 255;
/** The other side may first have to start, and to wait for its recorder. */
const ANSWERS_WITHIN_MS = 5 * 60_000;
/** What a login prints before the receiver begins. */
const MOST_FOREIGN_LINES = 200;
/** Without rows a sender says this seldom that it is well: each time is a write there. */
const SAYS_WELL_EVERY_MS = 12 * 3_600_000;

/**
 * The tables of this memory that can be shipped.
 * @throws UsageError for a memory of `swarm demo`, whose rows are made up; MemoryError if it cannot be read.
 */
export async function findTables(memoryPath: string): Promise<readonly ShippedTable[]> {
  const schema = await readMemory(memoryPath, ({ db }) => probeSchema(db));
  if (!schema.isDemo) return SHIPPED_TABLES.filter((table) => shippedColumns(schema, table).length > 0);
  throw new UsageError(
    `Could not ship "${memoryPath}": it is a demo memory, whose rows are made up.`,
    'Set SWARM_DB_PATH to the memory that your hooks write.',
  );
}

/**
 * Sends what the receiver does not have yet, batch by batch; only what has arrived counts as sent.
 * @throws UnreachableError if the receiver, or its Redis, cannot be reached; OperatorError if it refuses; MemoryError.
 */
export async function ship(options: ShipOptions): Promise<ShipReport> {
  const { link, state, own } = options;
  link.send({ ...greeting.ship, origin: state.origin, machine: hostname().slice(0, LONGEST_NAME) });
  const hello = await receiveHello(link);
  const shipment = createShipment({ ...options, state: settleState(state, hello.lastBatch) }, hello);
  const isDone = hello.waiting === undefined && (await shipment.sendAll());
  return {
    state: isDone ? 'done' : 'waiting',
    tables: shipment.tables,
    missing: own.filter((table) => hello.tables[table].length === 0),
  };
}

async function receiveHello(link: Link): Promise<Hello> {
  for (let lines = 0; lines < MOST_FOREIGN_LINES; lines += 1) {
    const line = await link.receive(ANSWERS_WITHIN_MS);
    if (line.startsWith('{"swarm"')) return parseLine(helloSchema, line, 'the answer');
  }
  throw new OperatorError('Could not find a receiver at the other end: it says other things.', 'See docs/ship.md.');
}

function createShipment({ memoryPath, link, state: settled, keep }: ShipOptions, hello: Hello) {
  let state = settled;
  const tables = Object.fromEntries(SHIPPED_TABLES.map((table) => [table, { ...NOTHING }]));
  const keepState = (next: ShipState): void => {
    state = next;
    keep(next);
  };

  /** Before it goes out it is written down, so that whatever happens we know what it was. */
  const sendBatch = async (rows: Batch['rows'], progress: ShipState['tables']): Promise<Ack> => {
    const { pending: _, ...before } = state;
    const batch = randomUUID();
    keepState({ ...before, pending: { batch, tables: progress } });
    link.send({ batch, rows } satisfies Batch);
    const ack = parseLine(ackSchema, await link.receive(ANSWERS_WITHIN_MS), 'the answer');
    const lastArrivalAt = new Date().toISOString();
    if (ack.state === 'recorded') keepState({ ...before, tables: progress, lastBatch: batch, lastArrivalAt });
    return ack;
  };

  const read = (table: ShippedTable, columns: readonly string[]): Promise<UnsentRows> =>
    readMemory(memoryPath, ({ db }) =>
      readUnsent(db, probeSchema(db), {
        table,
        columns,
        progress: state.tables[table] ?? {},
        maxRows: MOST_ROWS,
        maxLength: BATCH_LENGTH,
        accepts: (row) => isSendable(table, row),
      }),
    );

  const passOver = (progress: ShipState['tables']): undefined => {
    state = { ...state, tables: progress };
  };

  /** True once the whole table has arrived. */
  const sendTable = async (table: ShippedTable, columns: readonly string[]): Promise<boolean> => {
    for (;;) {
      const { rows, skipped, after, isLast } = await read(table, columns);
      const progress = { ...state.tables, [table]: after };
      const batch = rows.map((row) => ({ table, ...row })) as Batch['rows'];
      const ack = batch.length > 0 ? await sendBatch(batch, progress) : passOver(progress);
      add(tables[table], { sent: batch.length, skipped, ...ack });
      if (ack?.state === 'waiting') return false;
      if (isLast) return true;
    }
  };

  return {
    tables: tables as Readonly<Record<ShippedTable, TableReport>>,
    /** True once everything has arrived. */
    sendAll: async (): Promise<boolean> => {
      for (const table of SHIPPED_TABLES) {
        const columns = hello.tables[table];
        if (columns.length > 0 && !(await sendTable(table, columns))) return false;
      }
      if (isDue(state.lastArrivalAt) && (await sendBatch([], state.tables)).state === 'waiting') return false;
      keepState({ ...state, lastSuccessAt: new Date().toISOString() });
      return true;
    },
  };
}

function add(report: Record<keyof TableReport, number>, counts: Partial<TableReport>): void {
  for (const name of Object.keys(NOTHING) as (keyof TableReport)[]) report[name] += counts[name] ?? 0;
}

/** Whether it is time to say that all is well, though there is nothing to send. */
function isDue(lastArrivalAt: string | undefined): boolean {
  return lastArrivalAt === undefined || Date.now() - Date.parse(lastArrivalAt) > SAYS_WELL_EVERY_MS;
}
