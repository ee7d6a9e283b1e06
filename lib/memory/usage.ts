import type { Database, Statement } from 'better-sqlite3';
import { FUTURE_TOLERANCE_MS, trimmedText } from './event-rows.ts';
import { createLabelNames, type LabelNames, labelIndex } from './label-names.ts';
import type { MemorySchema } from './schema.ts';
import { idHash, NO_ID } from './text-hash.ts';
import { advanceTo, createTimeLog, forgetBefore, insertEntry, type TimeLog } from './time-log.ts';
import type { TimestampParser } from './timestamps.ts';
import { WINDOWS_MS } from './windows.ts';

/** The kinds of tokens a model bills, in the order of every array indexed by kind, with their columns. */
export const TOKEN_KINDS = [
  { kind: 'input', column: 'input_tokens' },
  { kind: 'output', column: 'output_tokens' },
  { kind: 'cache_read', column: 'cache_read_tokens' },
  { kind: 'cache_creation', column: 'cache_creation_tokens' },
] as const;

/** What the rows of task_usage add up to, over all time and by window. Costs are kept in whole micro-dollars. */
export interface UsageFigures {
  cursor: number;
  rows: number;
  /** The row at the cursor, to tell it from another that took its place. */
  lastRow: string;
  readonly models: LabelNames;
  readonly agents: LabelNames;
  /** By model label, an array by kind of token. */
  readonly tokens: Map<number, number[]>;
  /** By model label × 64 + agent label. */
  readonly costMicroUsd: Map<number, number>;
  /** By hashed task id, over all time: the highest attempt that has a row. */
  readonly lastAttempts: Map<number, number>;
  readonly log: TimeLog;
  readonly windows: { costMicroUsd: number; tokens: number; readonly tasks: Map<number, number> }[];
  /** The longest window. */
  readonly longestMs: number;
  /** The earliest time that was too far ahead to be one; from then on it is, and all is read again. */
  earliestFutureMs: number;
}

/** The columns of the log: micro-dollars, tokens of all kinds, hashed task id, number of the attempt, labels. */
export const USAGE_COLUMNS = { cost: 0, tokens: 1, task: 2, attempt: 3, model: 4, agent: 5 } as const;

const AGENTS_PER_MODEL = 64;
/** What is still exact in micro-dollars; more than that is no cost and no number of tokens. */
const MAX_AMOUNT = Number.MAX_SAFE_INTEGER / 1e6;
const FIRST = Number.MIN_SAFE_INTEGER;
const REQUIRED = [
  'task_id',
  'attempt',
  'ended_at',
  'model',
  'agent_name',
  'cost_usd',
  ...TOKEN_KINDS.map((each) => each.column),
];

/** Whether this memory has a task_usage table that can be read. */
export function hasUsage(schema: MemorySchema): boolean {
  return REQUIRED.every((column) => schema.usage.has(column));
}

/** Figures of no usage. */
export function createUsageFigures(nowMs: number, windowsMs = WINDOWS_MS): UsageFigures {
  return {
    cursor: FIRST,
    rows: 0,
    lastRow: '',
    models: createLabelNames(),
    agents: createLabelNames(),
    tokens: new Map(),
    costMicroUsd: new Map(),
    lastAttempts: new Map(),
    log: createTimeLog(
      Object.values(USAGE_COLUMNS).map(() => new Float64Array()),
      windowsMs,
      nowMs,
    ),
    windows: windowsMs.map(() => ({ costMicroUsd: 0, tokens: 0, tasks: new Map() })),
    longestMs: Math.max(...windowsMs),
    earliestFutureMs: Number.POSITIVE_INFINITY,
  };
}

/**
 * Rows of task_usage beyond those in `known`; all of them, and `isFresh`, if rows were taken away or written again, or a time
 * that was ahead has come.
 */
export function readUsageRows(
  db: Database,
  known: UsageFigures,
  nowMs: number,
): { readonly rows: unknown[][]; readonly isFresh: boolean } {
  const sql = `SELECT rowid, task_id, attempt, ended_at, model, agent_name, cost_usd, ${TOKEN_KINDS.map((each) => each.column).join(', ')}
    FROM task_usage WHERE rowid >= ? ORDER BY rowid`;
  const statement = db.prepare(sql).raw();
  const found = allRows(statement, known.cursor);
  const rows = known.rows === 0 ? found : found.slice(1);
  const total = db.prepare('SELECT count(*) FROM task_usage').pluck().get() as number;
  const isSame =
    (known.rows === 0 || JSON.stringify(found[0]) === known.lastRow) &&
    nowMs + FUTURE_TOLERANCE_MS < known.earliestFutureMs;
  if (isSame && total === known.rows + rows.length) return { rows, isFresh: false };
  return { rows: allRows(statement, FIRST), isFresh: true };
}

function allRows(statement: Statement, from: number): unknown[][] {
  return statement.all(from) as unknown[][];
}

/** Adds rows to the figures and moves their windows to `nowMs`. What is more than 5 minutes ahead has no time, as in events. */
export function feedUsage(
  figures: UsageFigures,
  rows: readonly unknown[][],
  parser: TimestampParser,
  nowMs: number,
): void {
  for (const [rowid, taskId, attempt, endedAt, model, agent, cost, ...tokens] of rows) {
    figures.cursor = rowid as number;
    const task = idHash(trimmedText(taskId));
    noteAttempt(figures, task, amount(attempt));
    const amounts = tokens.map(amount);
    const microUsd = Math.round(amount(cost) * 1e6);
    const modelLabel = labelIndex(figures.models, name(model));
    const perKind = figures.tokens.get(modelLabel) ?? TOKEN_KINDS.map(() => 0);
    figures.tokens.set(
      modelLabel,
      perKind.map((sum, kind) => sum + amounts[kind]),
    );
    const agentLabel = labelIndex(figures.agents, name(agent));
    const key = modelLabel * AGENTS_PER_MODEL + agentLabel;
    figures.costMicroUsd.set(key, (figures.costMicroUsd.get(key) ?? 0) + microUsd);
    const endedMs = parser.timestamp(endedAt);
    if (endedMs === undefined || endedMs <= figures.log.nowMs - figures.longestMs) continue;
    if (endedMs > nowMs + FUTURE_TOLERANCE_MS) {
      figures.earliestFutureMs = Math.min(figures.earliestFutureMs, endedMs);
      continue;
    }
    const sum = amounts.reduce((total, each) => total + each, 0);
    const values = [microUsd, sum, task, amount(attempt), modelLabel, agentLabel];
    insertEntry(figures.log, endedMs, values, observer(figures));
  }
  figures.rows += rows.length;
  if (rows.length > 0) figures.lastRow = JSON.stringify(rows.at(-1));
  advanceTo(figures.log, nowMs, observer(figures));
  forgetBefore(figures.log, nowMs - figures.longestMs);
}

/** The model and agent labels of a key of `costMicroUsd`. */
export function costLabels(figures: UsageFigures, key: number): { model: string; agent: string } {
  return {
    model: figures.models.names[Math.floor(key / AGENTS_PER_MODEL)],
    agent: figures.agents.names[key % AGENTS_PER_MODEL],
  };
}

/** Rows that name no task are not attempts of one. */
function noteAttempt({ lastAttempts }: UsageFigures, task: number, attempt: number): void {
  if (task !== NO_ID && attempt > (lastAttempts.get(task) ?? 0)) lastAttempts.set(task, attempt);
}

function amount(value: unknown): number {
  return typeof value === 'number' && value > 0 && value <= MAX_AMOUNT ? value : 0;
}

function name(value: unknown): string {
  return typeof value === 'string' && value.trim() !== '' ? value : 'unknown';
}

function observer(figures: UsageFigures) {
  const count = (sign: 1 | -1) => (index: number, entry: number) => {
    const window = figures.windows[index];
    const { columns } = figures.log;
    window.costMicroUsd += sign * columns[USAGE_COLUMNS.cost][entry];
    window.tokens += sign * columns[USAGE_COLUMNS.tokens][entry];
    const task = columns[USAGE_COLUMNS.task][entry];
    const rows = (window.tasks.get(task) ?? 0) + sign;
    if (rows === 0) window.tasks.delete(task);
    else window.tasks.set(task, rows);
  };
  return { enter: count(1), leave: count(-1) };
}
