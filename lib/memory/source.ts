import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import Database from 'better-sqlite3';
import { type AttachedArchive, attachArchives } from './archive-rows.ts';
import { areUnchanged, lookAtFiles, type MemoryFiles, noPermission } from './files.ts';
import { MemoryError } from './memory-error.ts';

// better-sqlite3 is compiled with URIs off. SQLite reads this variable when the add-on loads, which is at the first
// `new Database`, so it is set here, in the only module that opens a memory for reading.
process.env.SQLITE_USE_URI = '1';

/**
 * How a memory was opened. `live`: with SQLite's locks, because a `-wal` or a journal holds something. `immutable`: at
 * rest, without locks and without creating a file; what was read is thrown away if the files changed meanwhile.
 */
export const OPEN_MODES = ['live', 'immutable'] as const;
export type OpenMode = (typeof OPEN_MODES)[number];

/** A memory open for reading, inside one read transaction. */
export interface OpenMemory {
  readonly db: Database.Database;
  readonly mode: OpenMode;
  readonly files: MemoryFiles;
  /** Events that were moved out of it and still count; mostly none. */
  readonly archives: readonly AttachedArchive[];
  /** Throws if what was read so far may be torn; call it before keeping any of it. */
  readonly assertUnchanged: () => void;
}

/** The files changed under an `immutable` reading: do it again. Never leaves this module. */
class ChangedWhileRead extends Error {}

/** How long a reading waits for a file that is locked or changing, unless it says otherwise. */
const PATIENCE_MS = 2_000;
/** A refusal lasts: it is tried again only for as long as a writer needs to close, after which the file is at rest. */
const RETRY_REFUSAL_FOR_MS = 200;
const RETRY_EVERY_MS = 25;
/** Modification times can be this coarse: a file changed more recently than this could change again unseen. */
const MTIME_GRAIN_MS = 20;
/** After so many torn readings at rest, take SQLite's locks even if that leaves files behind. */
const IMMUTABLE_TRIES = 3;

/**
 * Opens the memory read-only, gives it to `use` inside one read transaction, and closes it. Opening takes under 1 ms, and
 * holding nothing open means a replaced file is noticed and no writer's checkpoint is kept waiting.
 * `use` may run more than once. While the file is locked or changing it waits and tries again for up to `patienceMs`,
 * without blocking the process.
 * @throws MemoryError saying why the memory cannot be read.
 */
export async function readMemory<T>(
  path: string,
  use: (memory: OpenMemory) => T | Promise<T>,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const startedAt = performance.now();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await readOnce(path, attempt, use);
    } catch (error) {
      if (performance.now() - startedAt > retryForMs(error, patienceMs)) throw explain(path, error);
      await sleep(RETRY_EVERY_MS);
    }
  }
}

async function readOnce<T>(path: string, attempt: number, use: (memory: OpenMemory) => T | Promise<T>): Promise<T> {
  const files = lookAtFiles(path);
  const mode = chooseMode(files, attempt);
  if (mode === 'immutable' && Math.abs(Date.now() - files.modifiedMs) < MTIME_GRAIN_MS) throw new ChangedWhileRead();
  const assertUnchanged = (): void => {
    if (mode === 'immutable' && !areUnchanged(files)) throw new ChangedWhileRead();
  };
  const db = open(files.path, mode);
  try {
    db.exec('PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; BEGIN');
    const archives = attachArchives(db, files.path);
    const result = await use({ db, mode, files, archives, assertUnchanged });
    assertUnchanged();
    return result;
  } catch (error) {
    // A torn page can look like damage; only damage that stays is damage.
    assertUnchanged();
    throw error;
  } finally {
    db.close();
  }
}

function chooseMode(files: MemoryFiles, attempt: number): OpenMode {
  const atRest = files.walSizeBytes === 0 && files.journalSizeBytes === 0;
  return atRest && attempt <= IMMUTABLE_TRIES ? 'immutable' : 'live';
}

/** Always by URI: better-sqlite3 trims plain file names. */
function open(path: string, mode: OpenMode): Database.Database {
  const query = mode === 'immutable' ? '?immutable=1' : '';
  return new Database(`${pathToFileURL(path).href}${query}`, { readonly: true, timeout: 0 });
}

function retryForMs(error: unknown, patienceMs: number): number {
  const code = sqliteCode(error);
  if (error instanceof ChangedWhileRead || /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code)) return patienceMs;
  return /^SQLITE_(CANTOPEN|READONLY)|ENOENT/.test(code) ? RETRY_REFUSAL_FOR_MS : -1;
}

function sqliteCode(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? '');
}

/** Turns what SQLite said into what the person in charge can act on. */
function explain(path: string, error: unknown): unknown {
  if (error instanceof MemoryError) return error;
  const cause = { cause: error };
  const what = `Could not read the swarm memory "${path}"`;
  if (error instanceof ChangedWhileRead) {
    return new MemoryError(
      'changing',
      `${what}: it changes faster than it can be read without locks.`,
      'Mount its folder writable, or let one writer keep it open.',
      cause,
    );
  }
  const code = sqliteCode(error);
  if (/^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code)) {
    return new MemoryError('locked', `${what}: another program holds it locked.`, 'Find it with: lsof, fuser.', cause);
  }
  if (code === 'SQLITE_NOTADB') {
    return new MemoryError('not-a-database', `${what}: it is not an SQLite database.`, 'Check SWARM_DB_PATH.', cause);
  }
  if (/^SQLITE_(CORRUPT|IOERR)/.test(code)) {
    return new MemoryError('damaged', `${what}: it is damaged or cut short (${code}).`, 'Restore a backup.', cause);
  }
  if (/^(SQLITE_(CANTOPEN|READONLY|PERM|AUTH))|EACCES|EPERM/.test(code)) return explainRefusal(path, what, error);
  return error instanceof Error && code
    ? new MemoryError('unreadable', `${what}: ${error.message} (${code}).`, 'Run: swarm doctor.', cause)
    : error;
}

function explainRefusal(path: string, what: string, cause: unknown): MemoryError {
  const files = lookAtFiles(path);
  if (!isReadable(files.path)) return noPermission(path, cause);
  const folder = dirname(files.path);
  return files.journalSizeBytes > 0
    ? new MemoryError(
        'journal-unreadable',
        `${what}: a writer was interrupted and left a journal that a read-only reader cannot roll back.`,
        `Open it once with write access (sqlite3 "${files.path}" .tables), or make ${folder} writable here.`,
        { cause },
      )
    : new MemoryError(
        'wal-unreadable',
        `${what}: its -wal holds changes, but its -shm is missing and cannot be made in a read-only folder.`,
        `Open it once with write access (sqlite3 "${files.path}" .tables), or mount ${folder} writable here.`,
        { cause },
      );
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
