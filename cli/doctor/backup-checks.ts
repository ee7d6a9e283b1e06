import { resolve } from 'node:path';
import type { Config } from '../../lib/config.ts';
import { assertWritable } from '../../lib/memory/archive-move.ts';
import { lastDrill, listBackups } from '../../scheduler/backup/catalogue.ts';
import { findSecondPlace } from '../../scheduler/backup/second-place.ts';
import { DATABASES } from '../../scheduler/backup/sources.ts';
import { findLatestBackup } from '../../scheduler/latest-backup.ts';
import { lookIntoMonitorDb, type MonitorDb } from '../../scheduler/monitor-db.ts';
import { loadCommandScheduler } from '../command.ts';
import type { Check, Finding } from './checks.ts';
import { type DotEnv, readDotEnv } from './dot-env.ts';

type Verdict = Omit<Finding, 'check'>;

const HOUR_MS = 3_600_000;
/** As the alert BackupLate has it: six hours, and two to get it done. */
const OLD_AFTER_HOURS = 8;

/** Names of the containers' databases, by which their backups begin. */
const FILES_INSIDE = { memory: 'swarm_memory-', monitor: 'monitor-' } as const;

/** Whether there are backups, young and in two places, and whether old events go where they should. */
export const BACKUP_CHECKS: readonly Check[] = [
  { name: 'last backup', run: checkLastBackup },
  { name: 'restore drill', run: () => lookAtCatalogue(checkDrill) },
  { name: 'second place of backups', run: checkSecondPlace },
  { name: 'archive', run: checkArchive },
];

/** A monitor.db of a version before there were backups has no catalogue. */
function lookAtCatalogue<T>(check: (db: MonitorDb | undefined) => T): T {
  const db = lookIntoMonitorDb(loadCommandScheduler().monitorDbPath);
  try {
    const hasCatalogue = db?.prepare("SELECT 1 FROM sqlite_master WHERE name = 'backups'").get() !== undefined;
    return check(hasCatalogue ? db : undefined);
  } finally {
    db?.close();
  }
}

/** By the catalogue; where somebody deploys from it lies in a volume of the containers, and only the files can be seen. */
async function checkLastBackup(): Promise<Verdict> {
  const env = readDotEnv();
  const { places, seenIn } = env ? await agesOfFiles(env) : lookAtCatalogue(agesInCatalogue);
  const message = `${places.map(({ name, hours }) => `${name} ${describeAge(hours)}`).join(', ')}, by ${seenIn}`;
  if (places.every(({ hours }) => hours <= OLD_AFTER_HOURS)) return { level: 'ok', message };
  const command = env ? 'docker-compose exec scheduler swarm backup' : 'swarm backup';
  return {
    level: 'warning',
    message,
    remedy: `Run: ${command}. It says what is wrong; the scheduler does it every six hours.`,
  };
}

interface Ages {
  readonly places: readonly { readonly name: string; readonly hours: number }[];
  readonly seenIn: string;
}

function agesInCatalogue(db: MonitorDb | undefined): Ages {
  const backups = db ? listBackups(db) : [];
  const places = Object.values(DATABASES).map((name) => {
    return { name, hours: hoursSince(backups.findLast(({ source }) => source === name)?.madeMs) };
  });
  return { places, seenIn: `the catalogue in ${loadCommandScheduler().monitorDbPath}` };
}

async function agesOfFiles({ values }: DotEnv): Promise<Ages> {
  const folder = resolve(values.BACKUP_HOST_DIR || './data/backups');
  const places = Object.entries(FILES_INSIDE).map(async ([name, prefix]) => {
    return { name, hours: hoursSince(await findLatestBackup(folder, prefix).catch(() => undefined)) };
  });
  return { places: await Promise.all(places), seenIn: `the files in ${folder}` };
}

const hoursSince = (ms: number | undefined): number =>
  ms === undefined ? Number.POSITIVE_INFINITY : (Date.now() - ms) / HOUR_MS;

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

/** What cannot be written is a problem with its remedy. */
function checkArchive({ swarmDbPath }: Config): Verdict {
  const env = readDotEnv();
  const days = env ? Number(env.values.ARCHIVE_AFTER_DAYS || 0) : loadCommandScheduler().archiveAfterDays;
  if (!(days > 0)) return { level: 'ok', message: 'off: ARCHIVE_AFTER_DAYS is 0' };
  if (env) {
    return {
      level: 'warning',
      message: `ARCHIVE_AFTER_DAYS is ${days} in .env, but the scheduler's container may not write the memory: the job will fail`,
      remedy: 'Take it out of .env, and have cron do it in the orchestrator: see "Old events" in docs/deploy.md.',
    };
  }
  assertWritable(swarmDbPath);
  return { level: 'ok', message: `events older than ${days} days are moved on the first of the month` };
}

function describeAge(hours: number): string {
  if (hours === Number.POSITIVE_INFINITY) return 'never';
  return hours < 48 ? `${Math.round(hours)} h ago` : `${Math.round(hours / 24)} days ago`;
}
