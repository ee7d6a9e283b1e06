import { statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Database } from 'better-sqlite3';
import { listArchives, MOST_ARCHIVES } from './archive-files.ts';
import { MemoryError } from './memory-error.ts';

/** An archive that is attached to an open memory. */
export interface AttachedArchive {
  /** What SQLite knows it by. */
  readonly name: string;
  readonly year: number;
  /** Changes when rows are added: an archive is always replaced as a whole. */
  readonly identity: string;
  /** The columns of its swarm_events, in lower case. */
  readonly columns: ReadonlySet<string>;
}

/** Rows of archives come before those of the memory: their positions, which begin at 1, become rowids far below 0. */
const BEFORE_ALL = 2 ** 52;

/** The SQL of the rowid that an archived row is read under. */
export const ARCHIVED_ROWID = `position - ${BEFORE_ALL}`;

/** The position after which the rows of an archive follow a rowid. */
export function positionAfter(rowid: number): number {
  return rowid + BEFORE_ALL;
}

export function isArchivedRowid(rowid: number): boolean {
  return rowid < -BEFORE_ALL / 2;
}

/**
 * Attaches the archives beside a memory to a connection that has begun to read it, the oldest first. The order matters: rows
 * are copied into an archive before they are deleted, so an archive looked at after the memory has all that is gone there.
 * What is in both is told by its id.
 * @throws MemoryError if one of them cannot be read: figures without it would be wrong.
 */
export function attachArchives(db: Database, memoryPath: string): readonly AttachedArchive[] {
  const files = listArchives(memoryPath);
  if (files.length === 0) return [];
  if (files.length > MOST_ARCHIVES) {
    throw new MemoryError(
      'unreadable',
      `Could not read the archives of "${memoryPath}": there are more than ${MOST_ARCHIVES}.`,
      'Move the oldest away; its events then no longer count.',
    );
  }
  // From here on it is one moment of the memory that is read.
  db.prepare('SELECT count(*) FROM sqlite_master').get();
  return files.map(({ path, year }) => attach(db, path, year));
}

function attach(db: Database, path: string, year: number): AttachedArchive {
  const name = `archive_${year}`;
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    db.prepare(`ATTACH ? AS ${name}`).run(`${pathToFileURL(path).href}?immutable=1`);
    const columns = db
      .prepare<[string], string>(`SELECT lower(name) FROM pragma_table_info('swarm_events', ?)`)
      .pluck();
    const known = new Set(columns.all(name));
    if (!known.has('position')) throw new Error('it has no table of archived events');
    return { name, year, identity: `${dev}:${ino}`, columns: known };
  } catch (error) {
    throw new MemoryError(
      'damaged',
      `Could not read the archive "${path}": ${(error as Error).message}.`,
      'Restore a backup of it (swarm restore), and see who may read it.',
      { cause: error },
    );
  }
}

/** The SQL of whether a row of the memory, whose id is `id`, is in an archive as well. */
export function isInArchive(archives: readonly AttachedArchive[], id: string): string {
  if (archives.length === 0) return '0';
  return archives
    .map(({ name }) => `EXISTS (SELECT 1 FROM ${name}.swarm_events AS archived WHERE archived.id = ${id})`)
    .join(' OR ');
}
