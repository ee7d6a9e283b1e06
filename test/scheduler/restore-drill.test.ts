import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { makeBackupScene, readRows } from '../support/backup-scene.ts';

const DRILL = ['schedule', 'run', 'restore-drill'];

test('the newest backups and their encrypted copies are restored, and nothing is left of it', async () => {
  const scene = makeBackupScene();
  const env = { BACKUP_SECOND_DIR: join(scene.folder, 'second'), BACKUP_PASSPHRASE: 'a passphrase' };
  await scene.backup(env);
  const files = scene.files();
  const { code, stdout } = await scene.swarm(DRILL, env);
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/restored swarm_memory-.*\.db\.gz, swarm_memory-.*\.db\.gz\.enc/),
  ]);
  expect(scene.files()).toEqual(files);
  expect(readRows(scene.monitorDbPath, 'SELECT is_restored FROM restore_drills')).toEqual([[1]]);
});

test('a backup that was changed fails it, and says which', async () => {
  const scene = makeBackupScene();
  const [{ file }] = await scene.backup();
  writeFileSync(file, readFileSync(file).fill(7, 100, 200));
  const { code, stderr } = await scene.swarm(DRILL);
  expect([code, stderr]).toEqual([1, expect.stringContaining(`Could not trust "${file}"`)]);
  expect(readRows(scene.monitorDbPath, 'SELECT is_restored FROM restore_drills')).toEqual([[0]]);
  const doctor = await scene.swarm(['doctor']);
  expect(doctor.stdout).toMatch(/warning {2}restore drill: failed 0 h ago: Could not trust/);
});

test('rows that are not as many as the catalogue says fail it', async () => {
  const scene = makeBackupScene();
  await scene.backup();
  const db = new Database(scene.monitorDbPath);
  db.exec(`UPDATE backups SET row_counts = '{"swarm_events": 3}' WHERE source = 'memory'`);
  db.close();
  const { code, stderr } = await scene.swarm(DRILL);
  expect([code, stderr]).toEqual([1, expect.stringContaining('its table swarm_events has 2 rows, and had 3')]);
});

test('without a backup there is nothing to try', async () => {
  const { code, stderr } = await makeBackupScene().swarm(DRILL);
  expect([code, stderr]).toEqual([1, expect.stringContaining('there is no backup')]);
});
