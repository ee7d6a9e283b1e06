import type { MemorySchema } from './schema.ts';

/**
 * What travels from one memory to another, table by table in the order in which it is sent, with the columns of
 * swarm-memory.md. A pattern goes by its name, since its number differs from memory to memory: its id stays at home, and a
 * lesson names its pattern (`related_pattern` stands for related_pattern_id).
 */
export const SHIPPED_COLUMNS = {
  error_patterns: [
    'pattern_name',
    'pattern_type',
    'first_seen',
    'last_seen',
    'occurrence_count',
    'severity_level',
    'error_signature',
    'affected_agents',
    'affected_files',
    'root_cause_hypothesis',
    'mitigation_applied',
    'mitigation_description',
    'status',
  ],
  lessons_learned: [
    'id',
    'timestamp',
    'context',
    'problem',
    'solution',
    'pattern',
    'agents_involved',
    'confidence',
    'times_applied',
    'created_at',
    'category',
    'severity',
    'root_cause',
    'prevention',
    'time_wasted_minutes',
    'occurrence_count',
    'status',
    'related_pattern',
    'project',
    'trigger',
    'example',
    'tags',
    'related_patterns',
    'auto_generated',
    'last_applied',
  ],
  swarm_events: [
    'id',
    'timestamp',
    'session_id',
    'event_type',
    'agent_name',
    'agent_role',
    'task_id',
    'parent_task_id',
    'task_description',
    'task_status',
    'duration_ms',
    'success',
    'error_message',
    'project',
    'files_modified',
    'tags',
    'notes',
    'created_at',
  ],
  task_usage: [
    'task_id',
    'attempt',
    'ended_at',
    'agent_name',
    'project',
    'model',
    'input_tokens',
    'output_tokens',
    'cache_read_tokens',
    'cache_creation_tokens',
    'cost_usd',
    'turns',
    'source',
  ],
} as const;

export type ShippedTable = keyof typeof SHIPPED_COLUMNS;
export const SHIPPED_TABLES = Object.keys(SHIPPED_COLUMNS) as readonly ShippedTable[];

/** The columns by which a row is the same row in every memory; a table that lacks one of them is not shipped. */
export const SHIPPED_KEYS: Readonly<Record<ShippedTable, readonly string[]>> = {
  error_patterns: ['pattern_name'],
  lessons_learned: ['id'],
  swarm_events: ['id'],
  task_usage: ['task_id', 'attempt', 'model'],
};

/** What a column of a row can hold on its way. */
export type Cell = string | number | null;
/** A row on its way; a column that its memory does not have is left out. */
export type Cells = Readonly<Record<string, Cell>>;

/** The columns of a table that can be shipped from, or to, this memory; none if the table is not there. */
export function shippedColumns(schema: MemorySchema, table: ShippedTable): readonly string[] {
  const own = ownColumns(schema, table);
  if (!SHIPPED_KEYS[table].every((column) => own.has(column))) return [];
  const namesPatterns = schema.patterns.has('id') && schema.patterns.has('pattern_name');
  return SHIPPED_COLUMNS[table].filter((column) =>
    column === 'related_pattern' ? namesPatterns && own.has('related_pattern_id') : own.has(column),
  );
}

/** The beginning of a query for rows as they are shipped, each with its rowid, up to and without WHERE. */
export function selectShipped(schema: MemorySchema, table: ShippedTable): string {
  const columns = shippedColumns(schema, table).map((column) => `${expressionOf(column)} AS "${column}"`);
  return `SELECT ${['rowid AS rowid', ...columns].join(', ')} FROM ${table}`;
}

function ownColumns(schema: MemorySchema, table: ShippedTable): ReadonlySet<string> {
  const { patterns, lessons, events, usage } = schema;
  return { error_patterns: patterns, lessons_learned: lessons, swarm_events: events, task_usage: usage }[table];
}

function expressionOf(column: string): string {
  if (column === 'related_pattern') return '(SELECT pattern_name FROM error_patterns WHERE id = related_pattern_id)';
  // Only nine-column tables allow NULL there, and to every reader it says as little as an empty text.
  return column === 'event_type' ? "coalesce(event_type, '')" : `"${column}"`;
}
