import { rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { renderFamilies, TEXT_FORM } from '../../../lib/exposition.ts';
import { addBackup, addDrill, noteSent } from '../../../scheduler/backup/catalogue.ts';
import { collectBackups } from '../../../scheduler/backup/metrics.ts';
import { openMonitorDb } from '../../../scheduler/monitor-db.ts';
import { tempDir } from '../../support/memory-builder.ts';
import { parseSamples } from '../../support/running-exporter.ts';

const SUCCESS = 'swarm_backup_last_success_timestamp_seconds';
const MONDAY_MS = Date.UTC(2026, 0, 5, 0, 30);
const HOUR_MS = 3_600_000;

function makeCatalogue() {
  const folder = tempDir();
  const db = openMonitorDb(join(folder, 'monitor.db'));
  onTestFinished(() => void db.close());
  const add = (source: string, madeMs: number, bytes = 100): string => {
    const file = join(folder, `${source}-${madeMs}.db.gz`);
    writeFileSync(file, '');
    const rest = { sourcePath: source, sourceSignature: '', sha256: '', unpackedBytes: 0, rowCounts: undefined };
    addBackup(db, { file, source, madeMs, bytes, ...rest });
    return file;
  };
  const read = (hasSecondPlace = false) =>
    Object.fromEntries(parseSamples(renderFamilies(collectBackups(db, hasSecondPlace), TEXT_FORM)));
  return { db, add, read };
}

test('before the first backup every kind stands at 0, and no drill has failed', () => {
  expect(makeCatalogue().read()).toEqual({
    [`${SUCCESS}{kind="memory"}`]: 0,
    [`${SUCCESS}{kind="monitor"}`]: 0,
    [`${SUCCESS}{kind="weekly"}`]: 0,
    swarm_backup_size_bytes: 0,
  });
});

test('each kind has the time of its last backup; the weekly one is the first of its week', () => {
  const { db, add, read } = makeCatalogue();
  add('memory', MONDAY_MS);
  const file = add('memory', MONDAY_MS + 6 * HOUR_MS, 200);
  add('monitor', MONDAY_MS + 7 * HOUR_MS, 10);
  noteSent(db, file, MONDAY_MS + 8 * HOUR_MS);
  addDrill(db, { drilledMs: MONDAY_MS, isRestored: false, summary: 'cut short' });
  addDrill(db, { drilledMs: MONDAY_MS + HOUR_MS, isRestored: true, summary: basename(file) });
  expect(read(true)).toEqual({
    [`${SUCCESS}{kind="memory"}`]: (MONDAY_MS + 6 * HOUR_MS) / 1_000,
    [`${SUCCESS}{kind="monitor"}`]: (MONDAY_MS + 7 * HOUR_MS) / 1_000,
    [`${SUCCESS}{kind="weekly"}`]: MONDAY_MS / 1_000,
    [`${SUCCESS}{kind="second"}`]: (MONDAY_MS + 8 * HOUR_MS) / 1_000,
    swarm_backup_size_bytes: 210,
    swarm_restore_drill_success: 1,
  });
});

test('a backup whose file is gone is none', () => {
  const { add, read } = makeCatalogue();
  rmSync(add('memory', MONDAY_MS));
  expect(read()[`${SUCCESS}{kind="memory"}`]).toBe(0);
});
