import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { OperatorError } from '../../lib/errors.ts';
import { MemoryError } from '../../lib/memory/memory-error.ts';
import { type MemorySchema, probeSchema } from '../../lib/memory/schema.ts';
import { readLastBatch } from '../../lib/memory/shipments.ts';
import { SHIPPED_COLUMNS, SHIPPED_TABLES, shippedColumns } from '../../lib/memory/shipped-tables.ts';
import { type OpenMemory, readMemory } from '../../lib/memory/source.ts';
import { forgetWaitingBatch, readWaitingBatch, sendShipment } from '../../lib/queue/waiting-batch.ts';
import { prepareRowStates } from '../../orchestrator/recorder/shipped-rows.ts';
import type { LineReader } from './lines.ts';
import {
  type Ack,
  type Batch,
  batchSchema,
  greeting,
  type Header,
  type Hello,
  headerSchema,
  parseLine,
} from './protocol.ts';

export interface ReceiveOptions {
  readonly memoryPath: string;
  readonly redis: Redis;
  readonly lines: LineReader;
  readonly answer: (line: object) => void;
  /** How long a batch may wait for the recorder before the sender is told that it waits. */
  readonly waitMs: number;
}

/** A sender that says nothing for so long is gone. */
const SPEAKS_WITHIN_MS = 5 * 60_000;
const LOOK_EVERY_MS = 100;

/**
 * Takes what a sender ships and hands it to the recorder, which alone writes the memory.
 * @throws OperatorError for lines that are not what they should be; MemoryError; UnreachableError if Redis is lost.
 */
export async function receive(options: ReceiveOptions): Promise<void> {
  const { lines, answer } = options;
  const first = await lines.next(SPEAKS_WITHIN_MS);
  if (first === undefined)
    throw new OperatorError('Nothing was sent.', 'This is the other end of `swarm ship --to HOST`.');
  const header = parseLine(headerSchema, first, 'the first line');
  answer(await greet(options, header));
  for (let number = 1; ; number += 1) {
    const line = await lines.next(SPEAKS_WITHIN_MS);
    if (line === undefined) return;
    answer(await takeBatch(options, header, parseLine(batchSchema, line, `batch ${number}`)));
  }
}

/** A batch of before that is not recorded yet is waited for: what is sent depends on whether it has arrived. */
async function greet(options: ReceiveOptions, { origin }: Header): Promise<Hello> {
  const { memoryPath, redis } = options;
  const earlier = await readWaitingBatch(redis, origin);
  const isWaiting = earlier !== undefined && !(await untilRecorded(options, origin, earlier));
  return await readMemory(memoryPath, ({ db }) => {
    const schema = probeSchema(db);
    const lastBatch = readLastBatch(db, schema, origin);
    return {
      ...greeting.receive,
      tables: takenColumns(schema),
      ...(lastBatch === undefined ? {} : { lastBatch }),
      ...(isWaiting ? { waiting: earlier } : {}),
    };
  });
}

function takenColumns(schema: MemorySchema): Hello['tables'] {
  const columns = SHIPPED_TABLES.map((table) => [table, [...shippedColumns(schema, table)]] as const);
  const taken = Object.fromEntries(columns) as Hello['tables'];
  // The recorder makes the table of costs where there is none.
  return schema.usage.size > 0 ? taken : { ...taken, task_usage: [...SHIPPED_COLUMNS.task_usage] };
}

async function takeBatch(options: ReceiveOptions, { origin, machine }: Header, { batch, rows }: Batch): Promise<Ack> {
  const { memoryPath, redis } = options;
  const countRows = (isCounted: (state: string) => boolean): Promise<number> =>
    readMemory(memoryPath, ({ db }) => {
      const stateOf = prepareRowStates(db, probeSchema(db));
      return rows.filter((row) => isCounted(stateOf(row))).length;
    });
  const fresh = await countRows((state) => state === 'new');
  const at = new Date().toISOString();
  await sendShipment(redis, { version: 1, kind: 'shipped', origin, machine, batch, at, rows });
  const counts = { batch, new: fresh, known: rows.length - fresh };
  if (!(await untilRecorded(options, origin, batch))) return { ...counts, state: 'waiting', refused: 0 };
  const refused = await countRows((state) => state === 'new');
  return { ...counts, new: fresh - refused, state: 'recorded', refused };
}

/** True once the memory itself says so; false if it does not for too long, whether it is the recorder or the memory. */
async function untilRecorded(options: ReceiveOptions, origin: string, batch: string): Promise<boolean> {
  const { memoryPath, redis, waitMs } = options;
  const isRecorded = ({ db }: OpenMemory): boolean => readLastBatch(db, probeSchema(db), origin) === batch;
  const startedMs = performance.now();
  while (performance.now() - startedMs < waitMs) {
    const found = await readMemory(memoryPath, isRecorded).catch((error: unknown) => {
      if (error instanceof MemoryError) return false;
      throw error;
    });
    if (found) {
      await forgetWaitingBatch(redis, origin);
      return true;
    }
    await sleep(LOOK_EVERY_MS);
  }
  return false;
}
