import { randomUUID } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { readEnvironment, settingsWithoutSecrets } from '../../lib/config.ts';
import type { Settings } from '../settings.ts';
import type { Backup, RowCounts } from './catalogue.ts';
import { copyDatabase, inspectDatabase } from './database-thread.ts';
import { backupName, temporaryName } from './file-names.ts';
import { assertRoom, syncFolder } from './folder.ts';
import { pack } from './packing.ts';
import { describeSetup, type Source, signatureOf, sizeOf } from './sources.ts';

/** What making a backup needs to be told. */
export interface Making {
  readonly settings: Pick<Settings, 'config' | 'scheduler'>;
  readonly nowMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** A copy and its compressed form lie there at once, and there is data that cannot be compressed. */
const ROOM_FACTOR = 2;

/**
 * Makes one backup: a copy as of one moment, checked from end to end, compressed, on disk, and only then given its name.
 * Of one that fails nothing stays. The folder must be the caller's alone (`withFolder`).
 * @throws OperatorError saying what is wrong with the source or the disk.
 */
export async function makeBackup(source: Source, { settings, nowMs, signal }: Making): Promise<Omit<Backup, 'sentMs'>> {
  const folder = settings.scheduler.backupDir;
  const [copy, packed] = [randomUUID(), randomUUID()].map((id) => join(folder, temporaryName(id)));
  try {
    const sourceSignature = signatureOf(source.path);
    const { rowCounts } = await takeCopy(source, copy, { settings, nowMs, signal });
    const unpackedBytes = sizeOf(copy);
    const written = await pack({ from: copy, to: packed, signal });
    const { file, madeMs } = freeName(source, folder, nowMs);
    await rename(packed, file);
    await syncFolder(folder);
    const { name, path: sourcePath } = source;
    return { file, source: name, sourcePath, sourceSignature, madeMs, ...written, unpackedBytes, rowCounts };
  } finally {
    for (const each of [copy, `${copy}-journal`, packed]) rmSync(each, { force: true });
  }
}

async function takeCopy(
  source: Source,
  copy: string,
  { settings, signal }: Making,
): Promise<{ readonly rowCounts: RowCounts | undefined }> {
  const { backupDir } = settings.scheduler;
  if (source.kind === 'settings') {
    const setup = describeSetup(settings, settingsWithoutSecrets(readEnvironment()));
    assertRoom(backupDir, ROOM_FACTOR * Buffer.byteLength(setup));
    writeFileSync(copy, setup, { mode: 0o600 });
    return { rowCounts: undefined };
  }
  assertRoom(backupDir, ROOM_FACTOR * sizeOf(source.path));
  await copyDatabase({ isMonitorDb: source.kind === 'monitor-db', path: source.path, destination: copy }, signal);
  return { rowCounts: await inspectDatabase(copy, signal) };
}

/** Two in one second: the later one is said to be of the next. */
function freeName(source: Source, folder: string, nowMs: number): { readonly file: string; readonly madeMs: number } {
  const kind = source.kind === 'settings' ? 'json' : 'db';
  for (let madeMs = nowMs; ; madeMs += 1_000) {
    const file = join(folder, backupName(source.path, madeMs, kind));
    if (!existsSync(file)) return { file, madeMs };
  }
}
