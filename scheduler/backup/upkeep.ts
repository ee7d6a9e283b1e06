import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, parse } from 'node:path';
import type { MonitorDb } from '../monitor-db.ts';
import { addBackup, findBackup, listBackups, removeBackup } from './catalogue.ts';
import { chooseKept, KEPT_WEEKLY_MS } from './choose-kept.ts';
import { readBackupName, temporaryName } from './file-names.ts';
import { measure } from './packing.ts';
import type { SecondPlaceState } from './second-place.ts';
import type { Source } from './sources.ts';

/** Checksums of a folder in the form that `sha256sum --check` reads: they outlive monitor.db. */
const CHECKSUMS = 'SHA256SUMS';

/**
 * Takes whole backups into the catalogue that it does not know: somebody was killed before he could tell, or monitor.db is
 * a new one. Their rows were never counted.
 */
export async function adoptBackups(
  db: MonitorDb,
  { folder, sources, signal }: { folder: string; sources: readonly Source[]; signal: AbortSignal | undefined },
): Promise<void> {
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    const known = readBackupName(name);
    // Files of others may lie here too.
    const source = sources.find(({ path }) => parse(path).name === known?.name);
    if (known === undefined || source === undefined || findBackup(db, file) !== undefined) continue;
    const written = await measure(file, signal);
    const unknown = { sourceSignature: '', unpackedBytes: 0, rowCounts: undefined };
    addBackup(db, { file, source: source.name, sourcePath: source.path, madeMs: known.madeMs, ...written, ...unknown });
  }
}

/** Removes backups that are not kept any longer, here and at the second place. */
export function removeOldBackups(db: MonitorDb, second: SecondPlaceState, nowMs: number): void {
  const present = listBackups(db);
  const kept = chooseKept(present, nowMs);
  for (const backup of present) {
    if (kept.has(backup)) continue;
    rmSync(backup.file, { force: true });
    if ('place' in second) second.place.remove(backup.file);
    removeBackup(db, backup.file);
  }
  // Those whose file is away may come back with their disk, and then they count again.
  for (const { file, madeMs } of listBackups(db, { withMissing: true })) {
    if (nowMs - madeMs > KEPT_WEEKLY_MS && !present.some((each) => each.file === file)) removeBackup(db, file);
  }
}

/** Writes the checksums of a folder's backups beside them. */
export function writeChecksums(db: MonitorDb, folder: string): void {
  const lines = listBackups(db)
    .filter(({ file }) => dirname(file) === folder)
    .map(({ file, sha256 }) => `${sha256}  ${basename(file)}\n`);
  const temporary = join(folder, temporaryName(randomUUID()));
  writeFileSync(temporary, lines.join(''), { mode: 0o600, flush: true });
  renameSync(temporary, join(folder, CHECKSUMS));
}

/** What the checksums beside a file say of it; undefined if nothing. */
export function readChecksum(file: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(join(dirname(file), CHECKSUMS), 'utf8');
  } catch {
    return undefined;
  }
  const line = text.split('\n').find((each) => each.slice(64) === `  ${basename(file)}`);
  return line?.slice(0, 64);
}
