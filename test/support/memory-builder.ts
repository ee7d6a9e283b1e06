import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import { createRowWriter, type Row, timeText } from '../../lib/memory/demo/writer.ts';
import { SWARM_TABLES, USAGE_TABLE } from '../../lib/memory/tables.ts';

/** The schema states of swarm-memory.md. */
export type MemoryState = 'A' | 'B' | 'C' | 'D' | 'E' | 'F' | 'G';
export type Table = 'swarm_events' | 'lessons_learned' | 'error_patterns' | 'task_usage' | 'shipments';

/** A real memory in a temporary folder. */
export interface TestMemory {
  readonly path: string;
  /** Opens the file as a hook does, gives it to `work`, and closes it. */
  readonly write: <T>(work: (db: Database.Database) => T) => T;
  /** Adds rows in one transaction; values for columns that this state lacks are left out. */
  readonly insert: (table: Table, ...rows: readonly Row[]) => void;
  readonly events: (...rows: readonly Row[]) => void;
}

/** A temporary folder that goes when the test ends. */
export function tempDir(): string {
  const folder = mkdtempSync(join(tmpdir(), 'swarm-test-'));
  // A Redis that is killed while a child of its writes the log anew leaves that child behind for a moment.
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

/** A memory in one of the known states, without rows. */
export function makeMemory({
  state = 'C' as MemoryState,
  path = join(tempDir(), 'swarm_memory.db'),
  journalMode = 'WAL',
  hasUsage = false,
} = {}): TestMemory {
  const write: TestMemory['write'] = (work) => {
    const db = new Database(path);
    try {
      return work(db);
    } finally {
      db.close();
    }
  };
  write((db) => {
    db.pragma(`journal_mode = ${journalMode}`);
    db.exec(tablesOf(state) + (hasUsage ? USAGE_TABLE : ''));
  });
  const insert: TestMemory['insert'] = (table, ...rows) =>
    write((db) => {
      const columns = (db.pragma(`table_info(${table})`) as { name: string }[]).map((column) => column.name);
      const writeRow = createRowWriter(db);
      const known = (row: Row): Row =>
        Object.fromEntries(Object.entries(row).filter(([name]) => columns.includes(name)));
      db.transaction(() => {
        for (const row of rows) writeRow(table, known(row));
      })();
    });
  return { path, write, insert, events: (...rows) => insert('swarm_events', ...rows) };
}

const NINE_COLUMNS = `CREATE TABLE swarm_events (
  id TEXT PRIMARY KEY, timestamp TEXT NOT NULL, session_id TEXT, agent_name TEXT, event_type TEXT, project TEXT,
  task_description TEXT, task_status TEXT, notes TEXT
);`;
const NEW_IN_B = `category, severity, root_cause, prevention, time_wasted_minutes, occurrence_count, status,
  related_pattern_id, project`;
const NEW_IN_C = '"trigger", example, tags, related_patterns, auto_generated, last_applied';
const VERSIONS = 'CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied_at TEXT);';

function tablesOf(state: MemoryState): string {
  const drop = (columns: string): string =>
    columns
      .split(',')
      .map((column) => `ALTER TABLE lessons_learned DROP COLUMN ${column};`)
      .join('');
  const later = {
    A: `${drop(NEW_IN_C)} ${drop(NEW_IN_B)} DROP TABLE error_patterns;`,
    B: drop(NEW_IN_C),
    C: '',
    D: `${VERSIONS} INSERT INTO schema_version (version) VALUES (1), (2), (3);`,
    E: `${VERSIONS} INSERT INTO schema_version (version) VALUES (1);`,
    F: `DROP TABLE swarm_events; DROP TABLE lessons_learned; DROP TABLE error_patterns; ${NINE_COLUMNS}`,
    G: `DROP TABLE swarm_events; ${NINE_COLUMNS}`,
  };
  return SWARM_TABLES + later[state];
}

let lastId = 0;
const newId = (kind: string): string => {
  lastId += 1;
  return `${kind}-${lastId}`;
};

/** What the SubagentStop hook leaves of a run that ended at `ms`. */
export function stopRow(ms: number, extra: Row = {}): Row {
  return eventRow(ms, {
    id: newId('stop'),
    timestamp: timeText.naiveLocal(ms, 'Europe/Rome'),
    event_type: 'subagent_stop',
    agent_name: 'subagent',
    task_status: 'completed',
    ...extra,
  });
}

/** What the PostToolUse hook leaves of it. */
export function taskRow(ms: number, extra: Row = {}): Row {
  return eventRow(ms, {
    id: newId('task'),
    event_type: 'task_complete',
    agent_name: 'cervella-backend',
    task_status: 'completed',
    success: 1,
    ...extra,
  });
}

/** What our orchestrator leaves of a queued task. */
export function orchestratedRow(ms: number, taskId: string, extra: Row = {}): Row {
  return taskRow(ms, {
    id: `${taskId}-end`,
    task_id: taskId,
    duration_ms: 60_000,
    tags: '["orchestrated","autonomous"]',
    ...extra,
  });
}

/** An attempt that failed and was tried again. */
export function retryRow(ms: number, taskId: string, extra: Row = {}): Row {
  return eventRow(ms, { id: newId('retry'), event_type: 'task_retry', task_id: taskId, success: 0, ...extra });
}

/** Somebody mended what the task or row of this id did. */
export function fixRow(ms: number, target: string, extra: Row = {}): Row {
  return eventRow(ms, {
    id: newId('fix'),
    event_type: 'fix',
    parent_task_id: target,
    tags: 'fix-after-agent',
    ...extra,
  });
}

/** A row of any kind. */
export function eventRow(ms: number, extra: Row): Row {
  return {
    id: newId('row'),
    timestamp: timeText.utcMicroseconds(ms),
    created_at: timeText.sqlite(ms),
    session_id: 's1',
    project: 'demo',
    ...extra,
  };
}

export function lessonRow(extra: Row = {}): Row {
  return { id: newId('lesson'), timestamp: '2026-01-01T10:00:00Z', context: 'demo', ...extra };
}

export function patternRow(extra: Row = {}): Row {
  const seen = '2026-01-01T10:00:00Z';
  return { pattern_name: newId('pattern'), pattern_type: 'timeout', first_seen: seen, last_seen: seen, ...extra };
}

export function usageRow(ms: number, taskId: string, extra: Row = {}): Row {
  return {
    task_id: taskId,
    attempt: 1,
    ended_at: timeText.zulu(ms),
    agent_name: 'cervella-backend',
    project: 'demo',
    model: 'claude-sonnet-4-5',
    input_tokens: 10,
    output_tokens: 20,
    cache_read_tokens: 300,
    cache_creation_tokens: 70,
    cost_usd: 0.5,
    ...extra,
  };
}

/** What is noted of a sender whose last batch arrived at `ms`. */
export function shipmentRow(ms: number): Row {
  return { origin: newId('origin'), machine: 'laptop', last_batch: newId('batch'), last_success: timeText.zulu(ms) };
}
