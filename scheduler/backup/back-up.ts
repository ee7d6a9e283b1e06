import { basename, dirname } from 'node:path';
import { describeError } from '../../lib/errors.ts';
import type { Tools } from '../tools.ts';
import { addBackup, type Backup, listBackups, noteSent } from './catalogue.ts';
import { withFolder } from './folder.ts';
import { makeBackup } from './make-backup.ts';
import { findSecondPlace, type SecondPlaceState } from './second-place.ts';
import { listSources, type Source, signatureOf } from './sources.ts';
import { adoptBackups, removeOldBackups, writeChecksums } from './upkeep.ts';

export type BackupTools = Pick<Tools, 'settings' | 'db' | 'log' | 'clock'>;

/** What became of a run. */
export interface BackupRun {
  readonly made: readonly Backup[];
  /** What failed, a sentence each; the rest was done all the same. */
  readonly failed: readonly string[];
  /** Why nothing goes to a second place; undefined if it does. */
  readonly notSent: string | undefined;
}

/**
 * Backs up every source, sends the backups to the second place and removes those that are not kept any longer. One that
 * fails stops no other. A run that is already going on is waited for.
 * @throws OperatorError if BACKUP_DIR cannot be used.
 */
export function backUp(tools: BackupTools, signal?: AbortSignal): Promise<BackupRun> {
  const { settings, db, log } = tools;
  const folder = settings.scheduler.backupDir;
  const work = async (): Promise<BackupRun> => {
    const sources = listSources(settings);
    await adoptBackups(db, { folder, sources, signal });
    const made: Backup[] = [];
    const failed: string[] = [];
    const attempt = async (step: () => Promise<void>): Promise<void> => {
      signal?.throwIfAborted();
      try {
        await step();
      } catch (error) {
        signal?.throwIfAborted();
        failed.push(describeError(error));
      }
    };
    for (const source of sources) {
      if (isUnchanged(source, tools)) continue;
      await attempt(async () => {
        const backup = await makeBackup(source, { settings, nowMs: tools.clock(), signal });
        addBackup(db, backup);
        made.push({ ...backup, sentMs: undefined });
        log.info({ file: basename(backup.file), bytes: backup.bytes }, 'backed up');
      });
    }
    const second = findSecondPlace(settings.scheduler);
    for (const { file } of made) await attempt(() => send(second, file, tools, signal));
    await attempt(async () => {
      removeOldBackups(db, second, tools.clock());
      writeChecksums(db, folder);
    });
    if ('off' in second) log.warn({ reason: second.off }, 'no second place');
    return { made, failed, notSent: 'off' in second ? second.off : undefined };
  };
  return withFolder(folder, work, signal);
}

function isUnchanged({ name, path, isOftenUnchanged }: Source, { db, settings }: BackupTools): boolean {
  if (!isOftenUnchanged) return false;
  const last = listBackups(db).findLast(({ source }) => source === name);
  return (
    last !== undefined &&
    dirname(last.file) === settings.scheduler.backupDir &&
    last.sourceSignature === signatureOf(path)
  );
}

async function send(
  second: SecondPlaceState,
  file: string,
  { db, clock }: BackupTools,
  signal: AbortSignal | undefined,
): Promise<void> {
  if ('off' in second) return;
  await second.place.send(file, signal);
  noteSent(db, file, clock());
}
