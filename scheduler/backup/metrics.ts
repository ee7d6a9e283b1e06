import { type Family, gauge } from '../../lib/exposition.ts';
import type { MonitorDb } from '../monitor-db.ts';
import { type Backup, lastDrill, listBackups } from './catalogue.ts';
import { firstOfEachWeek } from './choose-kept.ts';
import { DATABASES } from './sources.ts';

/** How backups stand, from the catalogue; what is not configured has no series. */
export function collectBackups(db: MonitorDb, hasSecondPlace: boolean): readonly Family[] {
  const backups = listBackups(db);
  const ofMemory = backups.filter(({ source }) => source === DATABASES.memory);
  const newestOf = (source: string): number => lastMs(backups.filter((each) => each.source === source));
  const sizes = Object.values(DATABASES).map(
    (source) => backups.findLast((each) => each.source === source)?.bytes ?? 0,
  );
  const drill = lastDrill(db);
  return [
    gauge('swarm_backup_last_success_timestamp_seconds', 'When a backup of this kind was last made; 0 if never.', [
      ...Object.values(DATABASES).map((kind) => [newestOf(kind) / 1_000, { kind }] as const),
      [lastMs(firstOfEachWeek(ofMemory)) / 1_000, { kind: 'weekly' }],
      ...(hasSecondPlace ? [[lastSentMs(ofMemory) / 1_000, { kind: 'second' }] as const] : []),
    ]),
    gauge('swarm_backup_size_bytes', 'Size of the newest backups of both databases, compressed.', [
      [sizes.reduce((sum, bytes) => sum + bytes, 0), {}],
    ]),
    gauge(
      'swarm_restore_drill_success',
      'Whether the last restore drill restored everything; absent before the first.',
      [[drill && Number(drill.isRestored), {}]],
    ),
  ];
}

function lastMs(backups: readonly Backup[]): number {
  return Math.max(0, ...backups.map(({ madeMs }) => madeMs));
}

function lastSentMs(backups: readonly Backup[]): number {
  return Math.max(0, ...backups.map(({ sentMs = 0 }) => sentMs));
}
