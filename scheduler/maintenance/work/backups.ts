import { findLatestMemoryBackup } from '../../latest-backup.ts';
import { readStanding } from '../../standing.ts';
import { duration } from '../../words.ts';
import { attention, type Finding, notHere, ok, type WorkContext } from '../task.ts';

const [HOUR_MS, DAY_MS] = [3_600_000, 86_400_000];
const OLDEST_BACKUP_MS = 8 * HOUR_MS;
const OLDEST_DRILL_MS = 8 * DAY_MS;
const DRILL = 'restore-drill';

/** Whether the backups of the last hours were made. */
export async function checkBackups({ settings, nowMs }: WorkContext): Promise<Finding> {
  const { backupDir } = settings.scheduler;
  const latestMs = await findLatestMemoryBackup(backupDir, settings.config.swarmDbPath).catch(() => undefined);
  if (latestMs === undefined) return notHere({ it: 'ancora nessuna copia', en: 'no backup yet' });
  const { it, en } = duration(nowMs - latestMs);
  const text = { it: `ultima copia di ${it} fa`, en: `the last backup was made ${en} ago` };
  return (nowMs - latestMs > OLDEST_BACKUP_MS ? attention : ok)(text, {
    ageSeconds: Math.round((nowMs - latestMs) / 1_000),
  });
}

/** Whether a backup was restored on trial this week; the job of its own does it, here it is made sure that it did. */
export async function checkRestoreDrill({ db, nowMs }: WorkContext): Promise<Finding> {
  const { lastSuccessMs, lastState } = readStanding(db, DRILL, nowMs);
  if (lastState === undefined) return notHere({ it: 'ancora nessuna prova', en: 'not tried yet' });
  if (lastState === 'failed')
    return attention({ it: 'l’ultima prova di ripristino è fallita', en: 'the last restore drill failed' });
  const ageMs = lastSuccessMs === undefined ? Infinity : nowMs - lastSuccessMs;
  if (ageMs <= OLDEST_DRILL_MS) {
    const { it, en } = duration(ageMs);
    return ok({ it: `riuscita ${it} fa`, en: `succeeded ${en} ago` });
  }
  return attention({
    it: 'nessuna prova di ripristino da più di 8 giorni',
    en: 'no restore drill for more than 8 days',
  });
}
