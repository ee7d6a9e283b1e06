import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '../../lib/errors.ts';
import { SQLITE_MARK } from '../../lib/memory/replace.ts';
import type { RowCounts } from './catalogue.ts';
import { inspectDatabase } from './database-thread.ts';
import { temporaryName } from './file-names.ts';
import { assertRoom, explainFolder } from './folder.ts';
import { measure, unpack } from './packing.ts';

/** A backup to unpack, and what is known of it. */
export interface Unpacking {
  readonly file: string;
  /** Where the unpacked file goes, under a name of its own. */
  readonly folder: string;
  readonly passphrase: string | undefined;
  readonly sha256?: string | undefined;
  readonly unpackedBytes?: number | undefined;
  readonly rowCounts?: RowCounts | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A backup that has been unpacked and found whole. */
export interface Unpacked {
  readonly path: string;
  /** Undefined if it is no database but the settings. */
  readonly rowCounts: RowCounts | undefined;
}

/** What text takes at most when it is unpacked, as a guess where nobody knows. */
const USUAL_RATIO = 8;
const LARGEST_SETTINGS_BYTES = 64e6;

/**
 * Unpacks a backup and proves that it is whole: its checksum, its pages, and the number of rows in each table as far as they
 * are known. Of one that is not, nothing stays.
 * @throws OperatorError saying what is wrong with it.
 */
export async function unpackBackup(unpacking: Unpacking): Promise<Unpacked> {
  const { file, folder, passphrase, sha256, signal } = unpacking;
  const found = await measure(file, signal).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  if (sha256 !== undefined && sha256 !== found.sha256) {
    throw new OperatorError(
      `Could not trust "${file}": its checksum is not the one it had when it was made.`,
      'It was changed or cut short: take another backup.',
    );
  }
  assertRoom(folder, unpacking.unpackedBytes || USUAL_RATIO * found.bytes);
  const path = join(folder, temporaryName(randomUUID()));
  try {
    await unpack({ from: file, to: path, signal }, passphrase);
    return { path, rowCounts: await check(path, unpacking) };
  } catch (error) {
    rmSync(path, { force: true });
    throw explain(file, folder, error);
  }
}

async function check(path: string, { file, rowCounts, signal }: Unpacking): Promise<RowCounts | undefined> {
  if (!(await isDatabase(path))) {
    if (statSync(path).size > LARGEST_SETTINGS_BYTES) throw new SyntaxError('too large for settings');
    JSON.parse(readFileSync(path, 'utf8'));
    return undefined;
  }
  const found = await inspectDatabase(path, signal);
  const wrong = Object.entries(rowCounts ?? {}).filter(([table, rows]) => found[table] !== rows);
  if (wrong.length === 0) return found;
  const [[table, rows]] = wrong;
  throw new OperatorError(
    `Could not trust "${file}": its table ${table} has ${found[table] ?? 'no'} rows, and had ${rows} when it was made.`,
    'Take another backup.',
  );
}

async function isDatabase(path: string): Promise<boolean> {
  const handle = await open(path);
  try {
    const { buffer } = await handle.read(Buffer.alloc(SQLITE_MARK.length), 0, SQLITE_MARK.length, 0);
    return buffer.toString('latin1') === SQLITE_MARK;
  } finally {
    await handle.close();
  }
}

function explain(file: string, folder: string, error: unknown): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (/^Z_/.test(code) || error instanceof SyntaxError) {
    return new OperatorError(
      `Could not unpack "${file}": it is damaged, cut short, or no backup.`,
      'Take another one.',
      {
        cause: error,
      },
    );
  }
  return explainFolder(folder, error);
}

function unreadable(file: string, error: unknown): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (!/^E[A-Z]+$/.test(code)) return error;
  const reason =
    code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : `it cannot be read (${code})`;
  return new OperatorError(
    `Could not read the backup "${file}": ${reason}.`,
    'Check the path; they lie in BACKUP_DIR.',
    {
      cause: error,
    },
  );
}
