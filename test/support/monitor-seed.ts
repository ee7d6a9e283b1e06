import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addBackup, addDrill } from '../../scheduler/backup/catalogue.ts';
import { setGoal } from '../../scheduler/goals.ts';
import { writeResults } from '../../scheduler/health/results.ts';
import type { CheckOutcome } from '../../scheduler/health/run-checks.ts';
import { type MonitorDb, openMonitorDb } from '../../scheduler/monitor-db.ts';
import { same } from '../../scheduler/words.ts';

const DAY_MS = 86_400_000;

/** Fills the monitor.db of a scheduler that will be started in this folder, so that each of its metrics has a sample. */
export function seedMonitorDb(folder: string): string {
  const db = openMonitorDb(join(folder, 'data/monitor.db'));
  const nowMs = Date.now();
  setGoal(db, 'liberta-geo', 35, nowMs);
  const checked = { project: 'demo', text: same('seeded') };
  const outcomes: readonly CheckOutcome[] = [
    {
      ...{ ...checked, check: 'http', type: 'http', state: 'up', seconds: 0.2 },
      figures: { certificateExpirySeconds: Math.round((nowMs + 60 * DAY_MS) / 1_000) },
    },
    { ...checked, check: 'tcp', type: 'tcp', state: 'down', seconds: 5 },
  ];
  writeResults(db, outcomes, { runUtc: new Date(nowMs).toISOString(), nowMs });
  seedBackup(db, folder, nowMs);
  db.close();
  return folder;
}

function seedBackup(db: MonitorDb, folder: string, nowMs: number): void {
  const file = join(folder, 'data/seeded.gz');
  writeFileSync(file, 'a backup');
  addBackup(db, {
    ...{ file, source: 'memory', sourcePath: 'memory.db', sourceSignature: 'seeded', madeMs: nowMs - DAY_MS / 4 },
    ...{ bytes: 8, sha256: 'seeded', unpackedBytes: 8, rowCounts: undefined },
  });
  addDrill(db, { drilledMs: nowMs - DAY_MS, isRestored: true, summary: 'seeded' });
}
