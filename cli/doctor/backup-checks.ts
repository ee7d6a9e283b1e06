import { lastDrill, listBackups } from '../../scheduler/backup/catalogue.ts';
import { findSecondPlace } from '../../scheduler/backup/second-place.ts';
import { DATABASES } from '../../scheduler/backup/sources.ts';
import { lookIntoMonitorDb, type MonitorDb } from '../../scheduler/monitor-db.ts';
import { loadCommandScheduler } from '../command.ts';
import type { Check, Finding } from './checks.ts';

type Verdict = Omit<Finding, 'check'>;

const HOUR_MS = 3_600_000;
/** As the alert BackupLate has it: six hours, and two to get it done. */
const OLD_AFTER_HOURS = 8;

/** Whether there are backups, young and in two places. */
export const BACKUP_CHECKS: readonly Check[] = [
  { name: 'backup catalogue', run: () => lookAtCatalogue(checkLastBackup) },
  { name: 'restore drill', run: () => lookAtCatalogue(checkDrill) },
  { name: 'second place of backups', run: checkSecondPlace },
];

/** A monitor.db of a version before there were backups has no catalogue. */
function lookAtCatalogue(check: (db: MonitorDb | undefined) => Verdict): Verdict {
  const db = lookIntoMonitorDb(loadCommandScheduler().monitorDbPath);
  try {
    const hasCatalogue = db?.prepare("SELECT 1 FROM sqlite_master WHERE name = 'backups'").get() !== undefined;
    return check(hasCatalogue ? db : undefined);
  } finally {
    db?.close();
  }
}

function checkLastBackup(db: MonitorDb | undefined): Verdict {
  const backups = db ? listBackups(db) : [];
  const hours = Object.values(DATABASES).map((name) => {
    const last = backups.findLast(({ source }) => source === name);
    return { name, hours: last ? (Date.now() - last.madeMs) / HOUR_MS : Number.POSITIVE_INFINITY };
  });
  const message = hours.map((each) => `${each.name} ${describeAge(each.hours)}`).join(', ');
  if (hours.every((each) => each.hours <= OLD_AFTER_HOURS)) return { level: 'ok', message };
  return {
    level: 'warning',
    message,
    remedy: 'Run: swarm backup. It says what is wrong; the scheduler does it every six hours.',
  };
}

function checkDrill(db: MonitorDb | undefined): Verdict {
  const drill = db && lastDrill(db);
  if (drill === undefined) {
    return { level: 'ok', message: 'not tried yet; `swarm schedule run restore-drill` does it now' };
  }
  const age = describeAge((Date.now() - drill.drilledMs) / HOUR_MS);
  if (drill.isRestored) return { level: 'ok', message: `everything was restored ${age}` };
  return {
    level: 'warning',
    message: `failed ${age}: ${drill.summary.slice(0, 300)}`,
    remedy: 'See RestoreDrillFailed in docs/runbook.md.',
  };
}

/** A machine that burns takes the backups on it along. */
function checkSecondPlace(): Verdict {
  const second = findSecondPlace(loadCommandScheduler());
  if ('place' in second) return { level: 'ok', message: 'encrypted copies are sent there' };
  return {
    level: 'warning',
    message: second.off,
    remedy: 'Set one, and BACKUP_PASSPHRASE; keep the passphrase somewhere else than here.',
  };
}

function describeAge(hours: number): string {
  if (hours === Number.POSITIVE_INFINITY) return 'never';
  return hours < 48 ? `${Math.round(hours)} h ago` : `${Math.round(hours / 24)} days ago`;
}
