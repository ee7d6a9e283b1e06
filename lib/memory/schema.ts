import { fileURLToPath } from 'node:url';
import type { Database } from 'better-sqlite3';
import { MemoryError } from './memory-error.ts';
import { DEMO_APPLICATION_ID } from './tables.ts';

/** The shapes found in the wild (swarm-memory.md); `other` is read by its columns all the same. */
export const SCHEMA_STATES = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'other'] as const;
export type SchemaState = (typeof SCHEMA_STATES)[number];

/** What tables and columns a memory really has. Version numbers inside the file are not trusted. */
export interface MemorySchema {
  readonly state: SchemaState;
  /** SQLite's schema cookie: it changes with every CREATE, ALTER and VACUUM. */
  readonly cookie: number;
  /** Made up by `swarm demo`, not written by a swarm. */
  readonly isDemo: boolean;
  readonly events: ReadonlySet<string>;
  /** Empty where the table does not exist. */
  readonly lessons: ReadonlySet<string>;
  readonly patterns: ReadonlySet<string>;
  readonly usage: ReadonlySet<string>;
  readonly shipments: ReadonlySet<string>;
}

const REQUIRED_EVENT_COLUMNS = ['timestamp', 'event_type'];

/**
 * Probes the tables of an open memory; `known` is what an earlier probe of the same file found, which still holds if
 * SQLite's schema cookie does.
 * @throws MemoryError not-a-swarm-memory if there is no usable table swarm_events.
 */
export function probeSchema(db: Database, known?: MemorySchema): MemorySchema {
  const cookie = db.pragma('schema_version', { simple: true }) as number;
  if (known?.cookie === cookie) return known;
  const events = columnsOf(db, 'swarm_events');
  const missing = REQUIRED_EVENT_COLUMNS.filter((column) => !events.has(column));
  if (missing.length > 0) {
    const what = `Could not read the swarm memory "${pathOf(db)}"`;
    throw new MemoryError(
      'not-a-swarm-memory',
      events.size === 0
        ? `${what}: it has no table swarm_events.`
        : `${what}: its table swarm_events has no column ${missing.join(', ')}.`,
      'Check SWARM_DB_PATH, or let the hooks make their tables.',
    );
  }
  const lessons = columnsOf(db, 'lessons_learned');
  const patterns = columnsOf(db, 'error_patterns');
  return {
    state: nameState(db, events, lessons, patterns),
    cookie,
    isDemo: db.pragma('application_id', { simple: true }) === DEMO_APPLICATION_ID,
    events,
    lessons,
    patterns,
    usage: columnsOf(db, 'task_usage'),
    shipments: columnsOf(db, 'shipments'),
  };
}

/** A memory is opened for reading by a URI. */
function pathOf({ name }: Database): string {
  return name.startsWith('file:') ? fileURLToPath(name) : name;
}

/** The columns of a table, none if it does not exist; a view is no table. */
function columnsOf(db: Database, table: string): ReadonlySet<string> {
  const found = db.prepare("SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = ?").get(table);
  const rows = found ? (db.pragma(`main.table_info(${table})`) as { name: string }[]) : [];
  return new Set(rows.map((row) => row.name.toLowerCase()));
}

function nameState(
  db: Database,
  events: ReadonlySet<string>,
  lessons: ReadonlySet<string>,
  patterns: ReadonlySet<string>,
): SchemaState {
  if (!events.has('created_at')) {
    if (lessons.size === 0 && patterns.size === 0) return 'F';
    return lessons.size > 0 && patterns.size > 0 ? 'G' : 'other';
  }
  if (lessons.size === 0) return 'other';
  if (patterns.size === 0) return lessons.has('severity') ? 'other' : 'A';
  if (!lessons.has('severity')) return 'other';
  return lessons.has('trigger') ? nameMigrationState(db) : 'B';
}

/** The usual shape may carry a version table: three rows if migrations made it, or one stuck at 1. */
function nameMigrationState(db: Database): SchemaState {
  const versions = columnsOf(db, 'schema_version');
  if (versions.size === 0) return 'C';
  return (db.prepare('SELECT count(*) FROM schema_version').pluck().get() as number) > 1 ? 'D' : 'E';
}
