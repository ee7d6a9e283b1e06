import { existsSync } from 'node:fs';
import { utc } from '../ledger.ts';
import type { MonitorDb } from '../monitor-db.ts';

/** How many rows each table of a database has. */
export type RowCounts = Readonly<Record<string, number>>;

/** A backup: a whole file that was checked before it came here. */
export interface Backup {
  /** Its full path. */
  readonly file: string;
  /** Which of the sources it is of. */
  readonly source: string;
  readonly sourcePath: string;
  /** What the source's files looked like when it was begun. */
  readonly sourceSignature: string;
  readonly madeMs: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly unpackedBytes: number;
  /** Undefined where there is nothing to count. */
  readonly rowCounts: RowCounts | undefined;
  /** When an encrypted copy went to the second place. */
  readonly sentMs: number | undefined;
}

interface Row {
  readonly file: string;
  readonly source: string;
  readonly source_path: string;
  readonly source_signature: string;
  readonly made_at: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly unpacked_bytes: number;
  readonly row_counts: string | null;
  readonly sent_at: string | null;
}

/** All backups, the oldest first; those whose file is gone are left out unless asked for. */
export function listBackups(db: MonitorDb, { withMissing = false } = {}): readonly Backup[] {
  const rows = db.prepare<[], Row>('SELECT * FROM backups ORDER BY made_at, source').all().map(fromRow);
  return withMissing ? rows : rows.filter(({ file }) => existsSync(file));
}

/** What the catalogue knows of a file, by its full path. */
export function findBackup(db: MonitorDb, file: string): Backup | undefined {
  const row = db.prepare<[string], Row>('SELECT * FROM backups WHERE file = ?').get(file);
  return row && fromRow(row);
}

export function addBackup(db: MonitorDb, backup: Omit<Backup, 'sentMs'>): void {
  const { file, source, sourcePath, sourceSignature, madeMs, bytes, sha256, unpackedBytes, rowCounts } = backup;
  db.prepare('INSERT OR REPLACE INTO backups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)').run(
    file,
    source,
    sourcePath,
    sourceSignature,
    utc(madeMs),
    bytes,
    sha256,
    unpackedBytes,
    rowCounts ? JSON.stringify(rowCounts) : null,
  );
}

export function noteSent(db: MonitorDb, file: string, nowMs: number): void {
  db.prepare('UPDATE backups SET sent_at = ? WHERE file = ?').run(utc(nowMs), file);
}

export function removeBackup(db: MonitorDb, file: string): void {
  db.prepare('DELETE FROM backups WHERE file = ?').run(file);
}

/** How a rehearsal of restoring went. */
export interface Drill {
  readonly drilledMs: number;
  readonly isRestored: boolean;
  readonly summary: string;
}

export function addDrill(db: MonitorDb, { drilledMs, isRestored, summary }: Drill): void {
  db.prepare('INSERT OR REPLACE INTO restore_drills VALUES (?, ?, ?)').run(utc(drilledMs), Number(isRestored), summary);
}

/** The last rehearsal; undefined if there was none. */
export function lastDrill(db: MonitorDb): Drill | undefined {
  const row = db
    .prepare<[], { drilled_at: string; is_restored: number; summary: string }>(
      'SELECT * FROM restore_drills ORDER BY drilled_at DESC LIMIT 1',
    )
    .get();
  return row && { drilledMs: Date.parse(row.drilled_at), isRestored: row.is_restored === 1, summary: row.summary };
}

function fromRow(row: Row): Backup {
  return {
    file: row.file,
    source: row.source,
    sourcePath: row.source_path,
    sourceSignature: row.source_signature,
    madeMs: Date.parse(row.made_at),
    bytes: row.bytes,
    sha256: row.sha256,
    unpackedBytes: row.unpacked_bytes,
    rowCounts: row.row_counts === null ? undefined : (JSON.parse(row.row_counts) as RowCounts),
    sentMs: row.sent_at === null ? undefined : Date.parse(row.sent_at),
  };
}
