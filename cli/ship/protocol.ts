import { z } from 'zod';
import { OperatorError } from '../../lib/errors.ts';
import { type Cells, SHIPPED_TABLES, type ShippedTable } from '../../lib/memory/shipped-tables.ts';
import { batchId, isShippable, MOST_ROWS, machineName, origin, shippedRowSchema } from '../../lib/queue/shipped-row.ts';
import { oneLine } from '../queue/describe-task.ts';

// One JSON object in each line. The sender says who it is, the receiver what it can take and what it has; then each batch of
// the sender is answered by one line, and the end of the sender's lines is the end.

const VERSION = 1;
const BIGGEST_ROW_BYTES = 2 ** 21;
/** A batch is closed once it has so many characters, so that with the biggest row it is still a line. */
export const BATCH_LENGTH = 500_000;
export const MAX_LINE_BYTES = 2 ** 22;
const LONGEST_COMPLAINT = 500;

const version = z.literal(VERSION);
const count = z.int().min(0);

/** The sender's first line. */
export const headerSchema = z.strictObject({ swarm: z.literal('ship'), version, origin, machine: machineName });
export type Header = z.infer<typeof headerSchema>;

/** The receiver's answer. */
export const helloSchema = z.strictObject({
  swarm: z.literal('receive'),
  version,
  /** The columns its memory has. */
  tables: z.record(z.enum(SHIPPED_TABLES as [ShippedTable, ...ShippedTable[]]), z.array(z.string().max(64)).max(100)),
  /** What last arrived in its memory from this sender. */
  lastBatch: batchId.optional(),
  /** A batch that it has accepted and the recorder has not written yet: no other is taken before. */
  waiting: batchId.optional(),
});
export type Hello = z.infer<typeof helloSchema>;

/** Rows that are recorded together; none at all only says that the sender is well. */
export const batchSchema = z.strictObject({ batch: batchId, rows: z.array(shippedRowSchema).max(MOST_ROWS) });
export type Batch = z.infer<typeof batchSchema>;

/** What became of a batch: in the memory, or accepted and waiting for the recorder. */
export const ackSchema = z.strictObject({
  batch: batchId,
  state: z.enum(['recorded', 'waiting']),
  /** Rows that were not there before. */
  new: count,
  /** Rows that were, whether or not something was added to them. */
  known: count,
  /** Rows that break a rule of the memory there. */
  refused: count,
});
export type Ack = z.infer<typeof ackSchema>;

/** The first lines of both sides, without what each of them fills in. */
export const greeting = {
  ship: { swarm: 'ship', version: VERSION },
  receive: { swarm: 'receive', version: VERSION },
} as const;

/** Whether a row can be sent: it has what identifies it, texts and numbers only, and at most 2 MB of them. */
export function isSendable(table: ShippedTable, row: Cells): boolean {
  return Buffer.byteLength(JSON.stringify(row)) <= BIGGEST_ROW_BYTES && isShippable(table, row);
}

/**
 * What a line says.
 * @throws OperatorError naming `what` it should have been and the first things that are wrong with it.
 */
export function parseLine<T>(schema: z.ZodType<T>, line: string, what: string): T {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw unacceptable(what, 'it is not JSON', error);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'line'}: ${message}`);
  throw unacceptable(what, problems.join('; '), parsed.error);
}

function unacceptable(what: string, reason: string, cause: unknown): OperatorError {
  return new OperatorError(
    `Could not accept ${what}: ${oneLine(reason, LONGEST_COMPLAINT)}.`,
    'Run the same version of swarm on both machines.',
    { cause },
  );
}
