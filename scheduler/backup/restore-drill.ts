import { existsSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describeError, OperatorError } from '../../lib/errors.ts';
import type { BackupTools } from './back-up.ts';
import { addDrill, type Backup, listBackups } from './catalogue.ts';
import { withFolder } from './folder.ts';
import { findSecondPlace, sealedName } from './second-place.ts';
import { unpackBackup } from './unpack-backup.ts';

/**
 * Rehearses a restore: the newest backup of each source, and its encrypted copy where we can read it, is unpacked into a
 * temporary file, checked, and its rows compared with the catalogue. Gives what was restored.
 * @throws OperatorError if one of them could not be restored, or there is none.
 */
export function drillRestore({ settings, db, clock }: BackupTools, signal?: AbortSignal): Promise<string> {
  const { backupDir: folder, backupPassphrase: passphrase } = settings.scheduler;
  const work = async (): Promise<string> => {
    const newest = new Map(listBackups(db).map((backup) => [backup.source, backup]));
    if (newest.size === 0)
      throw new OperatorError('Could not try to restore: there is no backup.', 'Run: swarm backup.');
    const failed: string[] = [];
    const restored: string[] = [];
    for (const backup of newest.values()) {
      for (const copy of copiesOf(backup, settings.scheduler)) {
        try {
          const { path } = await unpackBackup({ ...backup, ...copy, folder, passphrase, signal });
          rmSync(path, { force: true });
          restored.push(basename(copy.file));
        } catch (error) {
          signal?.throwIfAborted();
          failed.push(describeError(error));
        }
      }
    }
    const summary = (failed.length > 0 ? failed.join(' ') : restored.join(', ')).slice(0, 2_000);
    addDrill(db, { drilledMs: clock(), isRestored: failed.length === 0, summary });
    if (failed.length > 0) throw new OperatorError(summary, `Restored all the same: ${restored.join(', ') || 'none'}.`);
    return summary;
  };
  return withFolder(folder, work, signal);
}

type Copy = Pick<Backup, 'file'> & { readonly sha256: string | undefined };

function copiesOf({ file, sha256 }: Backup, config: BackupTools['settings']['scheduler']): readonly Copy[] {
  const { backupSecondDir: second } = config;
  const sealed = second === undefined ? undefined : join(second, sealedName(file));
  const isThere = sealed !== undefined && 'place' in findSecondPlace(config) && existsSync(sealed);
  return [{ file, sha256 }, ...(isThere ? [{ file: sealed, sha256: undefined }] : [])];
}
