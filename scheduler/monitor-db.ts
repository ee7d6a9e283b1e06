import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { OperatorError } from '../lib/errors.ts';
import { MIGRATIONS } from './migrations/all.ts';
import type { Migration } from './migrations/migration.ts';

/** Our own state: slots, reviews, and what else a job has to remember. */
export type MonitorDb = Database.Database;

const BUSY_TIMEOUT_MS = 10_000;
/** How SQLite says that a table is there before ours, or is another one. */
const FOREIGN = /already exists|no such (table|column)|has no column|values were supplied/;

/**
 * Opens monitor.db, makes it if it is missing (readable by this user only), and brings its tables up to date.
 * @throws OperatorError if it is damaged, may not be written or is another program's.
 */
export function openMonitorDb(path: string, migrations: readonly Migration[] = MIGRATIONS): MonitorDb {
  try {
    makePrivate(path);
    const db = new Database(path, { timeout: BUSY_TIMEOUT_MS });
    try {
      db.pragma('journal_mode = WAL');
      // A slot that is marked as done stays so after a power cut.
      db.pragma('synchronous = FULL');
      checkWhole(db);
      migrate(db, migrations);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    throw explain(path, error);
  }
}

/**
 * Opens monitor.db to look at it; undefined if it is not there or has no tables yet.
 * @throws OperatorError if it is damaged, may not be read or is another program's.
 */
export function lookIntoMonitorDb(path: string): MonitorDb | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const db = new Database(path, { readonly: true, timeout: BUSY_TIMEOUT_MS });
    try {
      if (hasTables(db)) return db;
    } catch (error) {
      db.close();
      throw error;
    }
    db.close();
    return undefined;
  } catch (error) {
    throw explain(path, error);
  }
}

/** Only a file that is not there is opened: closing one that is would drop the locks SQLite holds on it in this process. */
function makePrivate(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  if (existsSync(path)) return;
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function checkWhole(db: MonitorDb): void {
  const found = db.pragma('quick_check(1)', { simple: true });
  if (found !== 'ok') throw Object.assign(new Error(String(found)), { code: 'SQLITE_CORRUPT' });
}

function hasTables(db: MonitorDb): boolean {
  if (db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'migrations'").get() === undefined) return false;
  return db.prepare('SELECT 1 FROM migrations WHERE name = ?').get(MIGRATIONS[0].name) !== undefined;
}

/** All in one transaction that begins with the lock: whoever comes second finds everything done. */
function migrate(db: MonitorDb, migrations: readonly Migration[]): void {
  const apply = db.transaction(() => {
    db.exec('CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL) STRICT');
    const applied = new Set(db.prepare<[], string>('SELECT name FROM migrations').pluck().all());
    const note = db.prepare("INSERT INTO migrations VALUES (?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))");
    for (const { name, sql } of migrations) {
      if (applied.has(name)) continue;
      db.exec(sql);
      note.run(name);
    }
  });
  apply.immediate();
}

function explain(path: string, error: unknown): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const fail = (reason: string, hint: string): OperatorError =>
    new OperatorError(`Could not open monitor.db "${path}": ${reason}.`, hint, { cause: error });
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) {
    return fail(
      'it is damaged, or no database',
      'Bring back a backup of it, or move it away: a new one is made, and what was due while nothing ran is not done.',
    );
  }
  if (/^SQLITE_(CANTOPEN|READONLY|PERM|AUTH)|^E(ACCES|PERM|ROFS|NOTDIR|ISDIR|EXIST)$/.test(code)) {
    return fail(`it cannot be written (${code})`, 'Check MONITOR_DB_PATH, and who owns its folder.');
  }
  if (/^SQLITE_(FULL|IOERR)|^ENOSPC$/.test(code)) return fail(message, 'Free disk space, then start again.');
  if (code === 'SQLITE_ERROR' && FOREIGN.test(message)) {
    return fail(
      `it has tables that are not ours (${message})`,
      'Set MONITOR_DB_PATH to a file of its own, or move this one away.',
    );
  }
  if (/^SQLITE_BUSY/.test(code)) return fail('another program holds it', 'Stop that program, then start again.');
  return error;
}
