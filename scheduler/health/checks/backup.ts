import { findLatestBackup, findLatestMemoryBackup } from '../../latest-backup.ts';
import { duration } from '../../words.ts';
import { type CheckFunction, down, unavailable, up } from '../check.ts';

const HOUR_MS = 3_600_000;

/** How old the newest backup is: of the swarm's memory, or, with a folder, the newest file in it. */
export const checkBackup: CheckFunction<'backup'> = async ({ folder, maxAgeHours }, context) => {
  const { backupDir, swarmDbPath, nowMs } = context;
  let latestMs: number | undefined;
  try {
    latestMs =
      folder === undefined ? await findLatestMemoryBackup(backupDir, swarmDbPath) : await findLatestBackup(folder);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    return unavailable({
      it: `la cartella non è leggibile qui (${code})`,
      en: `its folder cannot be read here (${code})`,
    });
  }
  if (latestMs === undefined) {
    const text = { it: 'ancora nessuna copia', en: 'no backup yet' };
    return folder === undefined ? unavailable(text) : down(text);
  }
  const ageMs = Math.max(0, nowMs - latestMs);
  const { it, en } = duration(ageMs);
  const isOld = ageMs > maxAgeHours * HOUR_MS;
  return (isOld ? down : up)(
    { it: `copia di ${it} fa`, en: `made ${en} ago` },
    { ageSeconds: Math.round(ageMs / 1_000) },
  );
};
