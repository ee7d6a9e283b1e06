import { z } from 'zod';
import { type Cells, SHIPPED_COLUMNS, SHIPPED_TABLES, type ShippedTable } from '../memory/shipped-tables.ts';

const LONGEST_TEXT = 1_000_000;
const LONGEST_KEY = 500;

const cell = z.union([z.string().max(LONGEST_TEXT), z.number(), z.null()]);
const key = z.string().min(1).max(LONGEST_KEY);
const filled = z.string().max(LONGEST_KEY);

/** Cells without which no memory takes a row. */
const NEEDED: Readonly<Record<ShippedTable, Readonly<Record<string, z.ZodType>>>> = {
  error_patterns: { pattern_name: key, pattern_type: filled, first_seen: filled, last_seen: filled },
  lessons_learned: { id: key, timestamp: filled },
  swarm_events: { id: key, timestamp: filled, event_type: filled },
  task_usage: { task_id: key, attempt: z.int(), model: filled, ended_at: filled },
};

/** A row of one table: only columns that swarm-memory.md names, each with a text, a number or nothing in it. */
function cellsSchema(table: ShippedTable): z.ZodType<Cells> {
  const cells = Object.fromEntries(SHIPPED_COLUMNS[table].map((column) => [column, cell.optional()]));
  return z.strictObject({ ...cells, ...NEEDED[table] }) as unknown as z.ZodType<Cells>;
}

const CELLS = Object.fromEntries(SHIPPED_TABLES.map((table) => [table, cellsSchema(table)])) as Readonly<
  Record<ShippedTable, z.ZodType<Cells>>
>;

const event = z.strictObject({ table: z.literal('swarm_events'), row: CELLS.swarm_events });
const usage = z.strictObject({ table: z.literal('task_usage'), row: CELLS.task_usage });
/** What the sender last sent of the row, as digests by column: what is still so here has not been changed here. */
const before = z.record(z.string().max(64), z.string().max(12)).optional();
const lesson = z.strictObject({ table: z.literal('lessons_learned'), row: CELLS.lessons_learned, before });
const pattern = z.strictObject({ table: z.literal('error_patterns'), row: CELLS.error_patterns, before });

/** A row of another machine's memory. */
export const shippedRowSchema = z.discriminatedUnion('table', [event, usage, lesson, pattern]);
export type ShippedRow = z.infer<typeof shippedRowSchema>;

/** Whether a row of a memory can be shipped at all. */
export function isShippable(table: ShippedTable, row: Cells): boolean {
  return CELLS[table].safeParse(row).success;
}

/** So many rows are in one batch at most. */
export const MOST_ROWS = 500;
/** Where rows come from: a state file of a sender. */
export const origin = z.uuid();
/** What a batch is called by its sender. */
export const batchId = z.uuid();
/** The name of a machine, for people. */
export const machineName = z.string().max(255);
