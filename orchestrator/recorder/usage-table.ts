import type { Database } from 'better-sqlite3';
import type { MemorySchema } from '../../lib/memory/schema.ts';
import type { Cells } from '../../lib/memory/shipped-tables.ts';
import { USAGE_TABLE } from '../../lib/memory/tables.ts';
import { MemoryUnavailableError } from './memory-unavailable.ts';
import { USAGE_COLUMNS, type UsageRow } from './rows.ts';

/**
 * Whether there is a table task_usage.
 * @throws MemoryUnavailableError if there is one that is not ours.
 */
export function hasUsageTable(schema: MemorySchema, path: string): boolean {
  if (schema.usage.size === 0) return false;
  const missing = USAGE_COLUMNS.filter((column) => !schema.usage.has(column));
  if (missing.length === 0) return true;
  throw new MemoryUnavailableError(
    `Could not use the swarm memory "${path}": its table task_usage has no column ${missing.join(', ')}.`,
    'Give that table another name, so that ours can be made.',
  );
}

/** Adds task_usage to a memory that lacks it. */
export function createUsageTable(db: Database): void {
  db.exec(USAGE_TABLE);
}

const KEY = 'task_id = @task_id AND attempt = @attempt AND model = @model';
const TOKENS = ['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_creation_tokens'];
const stored = [`coalesce(cost_usd, 0)`, TOKENS.map((column) => `coalesce(${column}, 0)`).join(' + ')].join(', ');
const offered = [`coalesce(@cost_usd, 0)`, TOKENS.map((column) => `coalesce(@${column}, 0)`).join(' + ')].join(', ');

/**
 * A writer of rows of task_usage. Messages carry totals and may come twice or in any order, so of two rows for the same
 * task, attempt and model the larger stays. A row that gives way is deleted rather than updated: readers that go by
 * rowid then see at once that something changed.
 */
export function prepareUsageRows(db: Database): (row: UsageRow) => void {
  const remove = db.prepare<UsageRow>(`DELETE FROM task_usage WHERE ${KEY} AND (${stored}) < (${offered})`);
  const insert = db.prepare<UsageRow>(
    `INSERT INTO task_usage (${USAGE_COLUMNS.join(', ')}) SELECT ${USAGE_COLUMNS.map((column) => `@${column}`).join(', ')}
      WHERE NOT EXISTS (SELECT 1 FROM task_usage WHERE ${KEY})`,
  );
  return (row) => {
    remove.run(row);
    insert.run(row);
  };
}

/** Whether the first of two rows of the same task, attempt and model is the one that stays. */
export function isLargerUsage(one: Cells, other: Cells): boolean {
  const [cost, otherCost] = [Number(one.cost_usd), Number(other.cost_usd)];
  const tokens = (row: Cells): number => TOKENS.reduce((sum, column) => sum + Number(row[column] ?? 0), 0);
  return cost === otherCost ? tokens(one) > tokens(other) : cost > otherCost;
}
