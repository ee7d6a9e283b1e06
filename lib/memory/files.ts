import { type BigIntStats, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { MemoryError } from './memory-error.ts';

/** What the file system shows of a memory and of SQLite's two companions, without opening any of them. */
export interface MemoryFiles {
  /** The database file with every link resolved. */
  readonly path: string;
  /** Device and inode: another value means another file took its place. */
  readonly identity: string;
  readonly sizeBytes: number;
  readonly walSizeBytes: number;
  readonly journalSizeBytes: number;
  /** The later of the modification times of the database and its `-wal`. */
  readonly modifiedMs: number;
  /** When it was last written to by anybody: that of the `-wal` while it holds something, since a checkpoint of old rows changes the database too. */
  readonly writtenMs: number;
  /** Changes whenever the database, its `-wal` or its journal change on disk. */
  readonly signature: string;
}

/**
 * Looks at the files of a memory. It never opens them: closing a file descriptor of our own would drop the POSIX locks
 * that SQLite holds on it in this process.
 * @throws MemoryError missing, empty, not-a-database, no-permission or single-file-mount.
 */
export function lookAtFiles(path: string): MemoryFiles {
  const real = resolveLinks(path);
  const main = statSync(real, { bigint: true });
  if (!main.isFile()) {
    throw new MemoryError(
      'not-a-database',
      `Could not read the swarm memory "${path}": it is ${main.isDirectory() ? 'a folder' : 'a pipe, a socket or a device'}, not a file.`,
      'Set SWARM_DB_PATH to the file itself, for example /data/swarm_memory.db.',
    );
  }
  if (isMountPoint(real, `${main.dev}:${main.ino}`)) throw singleFileMount(path);
  if (main.size === 0n) {
    throw new MemoryError(
      'empty',
      `Could not read the swarm memory "${path}": the file is empty (0 bytes).`,
      'It fills when the first hook runs; if hooks have run, restore a backup.',
    );
  }
  const { wal, journal } = statCompanions(real);
  const walModifiedMs = wal && wal.size > 0n ? Number(wal.mtimeMs) : 0;
  return {
    path: real,
    identity: `${main.dev}:${main.ino}`,
    sizeBytes: Number(main.size),
    walSizeBytes: Number(wal?.size ?? 0n),
    journalSizeBytes: Number(journal?.size ?? 0n),
    modifiedMs: Math.max(Number(main.mtimeMs), walModifiedMs),
    writtenMs: walModifiedMs || Number(main.mtimeMs),
    signature: signatureOf([main, wal, journal]),
  };
}

/** Whether the files are still as they were when they were looked at; a file that is gone is not. */
export function areUnchanged(files: MemoryFiles): boolean {
  const main = statSync(files.path, { bigint: true, throwIfNoEntry: false });
  const { wal, journal } = statCompanions(files.path);
  return signatureOf([main, wal, journal]) === files.signature;
}

type FileStat = BigIntStats | undefined;

function statCompanions(path: string): { readonly wal: FileStat; readonly journal: FileStat } {
  return {
    wal: statSync(`${path}-wal`, { bigint: true, throwIfNoEntry: false }),
    journal: statSync(`${path}-journal`, { bigint: true, throwIfNoEntry: false }),
  };
}

function signatureOf(files: readonly FileStat[]): string {
  return files.map((file) => (file ? `${file.dev}.${file.ino}.${file.size}.${file.mtimeNs}` : '-')).join(' ');
}

function resolveLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new MemoryError(
        'missing',
        `Could not find the swarm memory "${path}".`,
        'Check SWARM_DB_PATH; in a container, check that its folder is mounted.',
        { cause: error },
      );
    }
    throw noPermission(path, error);
  }
}

/** The error for a memory, or a folder on the way to it, that this user may not read. */
export function noPermission(path: string, cause: unknown): MemoryError {
  return new MemoryError(
    'no-permission',
    `Could not read the swarm memory "${path}": this user may not read it.`,
    `Give user ${process.getuid?.() ?? ''} read access to the file and to the folder ${dirname(path)}.`,
    { cause },
  );
}

function singleFileMount(path: string): MemoryError {
  return new MemoryError(
    'single-file-mount',
    `Could not trust the swarm memory "${path}": the file itself is mounted, so the -wal file beside it is invisible here and every answer would be old.`,
    'Mount its folder in place of the file (compose: SWARM_DB_DIR).',
  );
}

let lastMountCheck = { key: '', isMountPoint: false };

/**
 * Whether this very path is a mount point, as /proc/self/mountinfo shows it; false where there is no /proc. Asked again
 * only about another file: the table is long on a machine with many containers, and what is mounted has its own identity.
 */
function isMountPoint(path: string, identity: string): boolean {
  const key = `${identity} ${path}`;
  if (lastMountCheck.key !== key) lastMountCheck = { key, isMountPoint: isInMountTable(path) };
  return lastMountCheck.isMountPoint;
}

function isInMountTable(path: string): boolean {
  let table: string;
  try {
    table = readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return false;
  }
  return table.split('\n').some((line) => unescapeOctal(line.split(' ')[4] ?? '') === path);
}

/** The kernel writes blanks and the like as three octal digits; these are bytes of UTF-8. */
function unescapeOctal(field: string): string {
  if (!field.includes('\\')) return field;
  const bytes = field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
