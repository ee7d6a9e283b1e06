import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import Database from 'better-sqlite3';
import { OperatorError } from '../errors.ts';
import './source.ts';

/** SQLite's files beside a database: they belong to what lies there now, and would spoil what takes its place. */
const COMPANIONS = ['-wal', '-shm', '-journal'];
/** How a database begins. */
export const SQLITE_MARK = 'SQLite format 3\0';
const BUSY_TIMEOUT_MS = 5_000;
/** Nothing that SQLite can lock. */
const NO_DATABASE = /^SQLITE_(NOTADB|CORRUPT|IOERR|CANTOPEN)/;

/** Whether a database, or something that belonged to one, lies at a path. */
export function isOccupied(path: string): boolean {
  return ['', ...COMPANIONS].some((ending) => existsSync(`${path}${ending}`));
}

/** A file that is to become the database at `path`; what was there goes to `safetyPath`. */
export interface Replacement {
  readonly path: string;
  /** In the same folder, whole, and of nobody else. */
  readonly by: string;
  readonly safetyPath: string;
}

/**
 * Puts a file in the place of a database in one step: whoever opens the path finds either. What was there stays whole
 * under another name, with what its `-wal` held; nobody may have it open, and nobody can open it meanwhile.
 * @throws OperatorError if another program has it open, or the folder may not be written.
 */
export function replaceDatabase({ path, by, safetyPath }: Replacement): void {
  giveToOwner(path, by);
  if (!existsSync(path)) {
    moveCompanions(path, safetyPath);
    renameSync(by, path);
    syncFolderOf(path);
    return;
  }
  const real = realpathSync(path);
  const swap = (): void => {
    keep(real, safetyPath);
    renameSync(by, real);
    syncFolderOf(real);
  };
  // SQLite would throw away a -wal beside what is no database.
  if (!beginsAsDatabase(real) || !swapLocked(real, swap)) {
    moveCompanions(real, safetyPath);
    swap();
  }
}

/** Does it while nobody else can have the database open; false if it is too damaged to be locked. */
function swapLocked(path: string, swap: () => void): boolean {
  let db: Database.Database | undefined;
  let isSwapping = false;
  try {
    db = new Database(pathToFileURL(path).href, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
    const modeBefore = db.pragma('journal_mode', { simple: true }) as string;
    // Leaving WAL takes the database for ourselves, writes what the -wal holds into it and removes it: no -wal is left
    // that SQLite would apply to the file that comes, and none that this connection would remove when it closes.
    db.pragma('locking_mode = EXCLUSIVE');
    if (db.pragma('journal_mode = DELETE', { simple: true }) !== 'delete') throw inUse(path);
    db.exec('BEGIN EXCLUSIVE');
    try {
      isSwapping = true;
      swap();
    } catch (error) {
      db.exec('ROLLBACK');
      if (modeBefore === 'wal') db.pragma('journal_mode = WAL');
      throw error;
    }
    return true;
  } catch (error) {
    const code = String((error as { code?: unknown }).code ?? '');
    if (/^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code)) throw inUse(path, error);
    if (!isSwapping && NO_DATABASE.test(code)) return false;
    throw error;
  } finally {
    db?.close();
  }
}

/** Opening the file is safe here: nothing in this process holds a lock on it yet. */
function beginsAsDatabase(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const mark = Buffer.alloc(SQLITE_MARK.length);
    readSync(file, mark, 0, mark.length, 0);
    return mark.toString('latin1') === SQLITE_MARK;
  } finally {
    closeSync(file);
  }
}

function inUse(path: string, cause?: unknown): OperatorError {
  return new OperatorError(
    `Could not replace "${path}": another program has it open.`,
    'Find it with lsof or fuser, end it, then do this again.',
    { cause },
  );
}

/** A second name for the same file: nothing is copied, and `path` is never without a file. */
function keep(path: string, safetyPath: string): void {
  try {
    linkSync(path, safetyPath);
  } catch (error) {
    // Some file systems have no links.
    if (!/^(EPERM|ENOTSUP|EOPNOTSUPP|ENOSYS|EMLINK)$/.test((error as NodeJS.ErrnoException).code ?? '')) throw error;
    renameSync(path, safetyPath);
  }
}

function moveCompanions(path: string, safetyPath: string): void {
  for (const ending of COMPANIONS) {
    if (existsSync(`${path}${ending}`)) renameSync(`${path}${ending}`, `${safetyPath}${ending}`);
  }
}

/** Gives a whole file its name, over what has it; on disk when this returns. */
export function putWhole(temporary: string, path: string): void {
  const file = openSync(temporary, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncFolderOf(path);
}

/** Makes a file belong to whom another one does: hooks must be able to use what comes as they were what goes. */
export function giveToOwner(path: string, by: string): void {
  const old = statSync(path, { throwIfNoEntry: false });
  const { uid, gid } = old ?? statSync(dirname(path));
  const own = statSync(by);
  if (own.uid !== uid || own.gid !== gid) {
    try {
      chownSync(by, uid, gid);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPERM' || old) throw error;
    }
  }
  if (old) chmodSync(by, old.mode & 0o777);
}

function syncFolderOf(path: string): void {
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
