import { closeSync, fdatasyncSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Database } from 'better-sqlite3';
import { OperatorError } from '../errors.ts';
import { readMemory } from './source.ts';

/** Pages copied in one step, 4 MB as a rule: some milliseconds, after which others get their turn. */
const PAGES_AT_ONCE = 1_000;
/**
 * After so many steps the copy is brought to the disk. A commit of somebody else waits for what the file system has still
 * to write, which would be all of the copy if that were left to the end.
 */
const STEPS_PER_SYNC = 16;
const PATIENCE_MS = 5 * 60_000;

/**
 * Copies a memory as it is at one moment into a new file, while hooks go on writing. It takes the locks that reading takes,
 * none at all while the memory is at rest, so no writer waits for it.
 * @throws MemoryError saying why the memory cannot be read, OperatorError if it changes too fast to be copied.
 */
export function copyMemory(path: string, destination: string): Promise<void> {
  return readMemory(path, ({ db }) => copyOpenDatabase(db, destination), PATIENCE_MS);
}

/**
 * Copies a database that is open inside a read transaction into a new file by SQLite's online backup, in steps that leave
 * the event loop free.
 * @throws OperatorError if it is no WAL database and changes all the time, or what SQLite says.
 */
export async function copyOpenDatabase(db: Database, destination: string): Promise<void> {
  rmSync(destination, { force: true });
  // In WAL mode the transaction keeps the moment that is copied and is in nobody's way. With a rollback journal it would
  // keep writers out, so each step takes the lock anew; if somebody has written in between, SQLite begins again.
  if (db.pragma('journal_mode', { simple: true }) === 'wal') db.prepare('SELECT count(*) FROM sqlite_master').get();
  else db.exec('COMMIT');
  const untilMs = performance.now() + PATIENCE_MS;
  let steps = 0;
  const progress = (): number => {
    steps += 1;
    if (steps % STEPS_PER_SYNC === 0) sync(destination);
    if (performance.now() < untilMs) return PAGES_AT_ONCE;
    throw new OperatorError(
      `Could not copy "${db.name}": it changes faster than it can be copied.`,
      'Have its writers use WAL: sqlite3 FILE "PRAGMA journal_mode = WAL".',
    );
  };
  await db.backup(destination, { progress }).catch((error: unknown) => {
    throw explainCopy(destination, error);
  });
}

/** Nobody else uses the copy, so it does not matter that closing it here drops SQLite's locks on it. */
function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** SQLite does not say on which of the two files it failed, but a full disk is always that of the copy. */
function explainCopy(destination: string, error: unknown): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const what = `Could not write a copy to "${dirname(destination)}"`;
  if (code === 'SQLITE_FULL') {
    return new OperatorError(`${what}: its disk is full.`, 'Free some space there, or choose another folder.', {
      cause: error,
    });
  }
  if (!code.startsWith('SQLITE_IOERR')) return error;
  return new OperatorError(
    `${what}: ${message} (${code}).`,
    'Its disk is full or fails, or what is copied cannot be read: look at df, dmesg and swarm doctor.',
    { cause: error },
  );
}
