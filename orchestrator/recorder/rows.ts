import { createHash } from 'node:crypto';
import { type Cells, SHIPPED_COLUMNS } from '../../lib/memory/shipped-tables.ts';
import { endingKind, outcomeOf } from '../../lib/memory/task.ts';
import type { EndResult, Result } from '../../lib/queue/result.ts';

type EventColumn = Exclude<(typeof SHIPPED_COLUMNS.swarm_events)[number], 'files_modified' | 'created_at'>;
/** The columns of swarm_events that the recorder fills for tasks of ours; SQLite fills created_at. */
export const EVENT_COLUMNS = SHIPPED_COLUMNS.swarm_events.filter(
  (column): column is EventColumn => column !== 'files_modified' && column !== 'created_at',
);
export type EventRow = Readonly<Record<EventColumn, string | number | null>>;

/** The columns of task_usage, our own table of costs. */
export const USAGE_COLUMNS = SHIPPED_COLUMNS.task_usage;
export type UsageRow = Readonly<Record<(typeof USAGE_COLUMNS)[number], string | number | null>>;

/** What our own queue has to tell; rows shipped from other machines are written as they are. */
export type OwnResult = Exclude<Result, { kind: 'shipped' }>;
type RetryResult = Extract<Result, { kind: 'retry' }>;
type FixResult = Extract<Result, { kind: 'fix' }>;

const MAX_PROMPT = 20_000;
const MAX_ERROR = 2_000;

/** The row of swarm_events that a result makes (swarm-memory.md); undefined for one that only tells of costs. */
export function eventRow(result: OwnResult): EventRow | undefined {
  switch (result.kind) {
    case 'end':
      return endRow(result);
    case 'retry':
      return retryRow(result);
    case 'fix':
      return fixRow(result);
    case 'usage':
      return undefined;
  }
}

/** The rows of task_usage that a result makes, one for each attempt and model. */
export function usageRows(result: OwnResult): readonly UsageRow[] {
  if (result.kind === 'fix') return [];
  return result.usage.map(({ attempt, model, tokens, costUsd, turns, endedAt }) => ({
    task_id: result.taskId,
    attempt,
    ended_at: utc(endedAt),
    agent_name: result.agent,
    project: result.project,
    model,
    input_tokens: tokens.input,
    output_tokens: tokens.output,
    cache_read_tokens: tokens.cacheRead,
    cache_creation_tokens: tokens.cacheCreation,
    cost_usd: costUsd,
    turns,
    source: result.source,
  }));
}

/**
 * The row for a memory that may lack columns (states F and G). Without `success` only the type of the event can say how a
 * task ended.
 */
export function fitEventRow<Row extends Cells>(row: Row, columns: ReadonlySet<string>): Row {
  const eventType = String(row.event_type).toLowerCase();
  if (columns.has('success') || endingKind(eventType) !== 'task') return row;
  const taskStatus = row.task_status?.toString();
  const [said, unsaid] = [row.success, null].map((success) => outcomeOf({ success, eventType, taskStatus }));
  return said === unsaid ? row : { ...row, event_type: said === 'success' ? 'task_success' : 'task_failed' };
}

function endRow(result: EndResult): EventRow {
  const { attempts, model, costUsd, tokens, turns, outcome, branch } = result;
  const isSuccess = outcome === 'ok';
  return {
    ...runColumns(result),
    id: rowId(result.taskId, 'end', result.round),
    event_type: isSuccess ? 'task_complete' : 'task_failed',
    parent_task_id: result.parentTaskId ?? null,
    success: isSuccess ? 1 : 0,
    tags: JSON.stringify(['orchestrated', ...(result.isAutonomous ? ['autonomous'] : []), `source:${result.source}`]),
    notes: JSON.stringify({ attempts, model, costUsd, tokens, turns, outcome, branch }),
  };
}

function retryRow(result: RetryResult): EventRow {
  const { attempt, outcome } = result;
  return {
    ...runColumns(result),
    id: rowId(result.taskId, 'retry', attempt),
    event_type: 'task_retry',
    parent_task_id: null,
    success: 0,
    tags: JSON.stringify(['orchestrated', `source:${result.source}`]),
    notes: JSON.stringify({ attempt, outcome }),
  };
}

/** What the rows of an end and of a retry have in common. */
function runColumns(result: EndResult | RetryResult) {
  return {
    timestamp: utc(result.endedAt),
    session_id: result.sessionId ?? null,
    agent_name: result.agent,
    agent_role: null,
    task_id: result.taskId,
    task_description: cut(result.prompt, MAX_PROMPT),
    task_status: result.outcome,
    duration_ms: result.durationMs,
    error_message: result.error === undefined ? null : cut(result.error, MAX_ERROR),
    project: result.project,
  };
}

/** Its `success` is NULL and its type ends nothing, so that it is counted as no task. */
function fixRow({ id, note, at }: FixResult): EventRow {
  return {
    id: rowId(id, 'fix', Date.parse(at)),
    timestamp: utc(at),
    session_id: null,
    event_type: 'fix',
    agent_name: null,
    agent_role: null,
    task_id: null,
    parent_task_id: id,
    task_description: null,
    task_status: null,
    duration_ms: null,
    success: null,
    error_message: null,
    project: null,
    tags: JSON.stringify(['fix-after-agent']),
    // The id again: a memory of nine columns has no parent_task_id.
    notes: JSON.stringify({ fixes: id, note }),
  };
}

/**
 * An id that is the same whenever the same thing is written, in the form the hooks' ids have: the first 128 bits of a
 * SHA-256 as a UUID of version 8, the one for ids of one's own making (RFC 9562).
 */
function rowId(taskId: string, kind: string, number: number): string {
  const hex = createHash('sha256')
    .update(JSON.stringify([taskId, kind, number]))
    .digest('hex');
  const variant = '89ab'[Number.parseInt(hex[16], 16) % 4];
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join('-');
}

/** One form for all, so that the order of the texts is the order of the times. */
function utc(moment: string): string {
  return new Date(moment).toISOString();
}

/** At most `maxLength` UTF-16 units, never ending in half a character. */
function cut(text: string, maxLength: number): string {
  return text.length > maxLength ? text.slice(0, maxLength).replace(/[\uD800-\uDBFF]$/, '') : text;
}
