import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { OperatorError } from '../../lib/errors.ts';
import { MIGRATIONS } from '../../scheduler/migrations/all.ts';
import { toolRequests } from '../../scheduler/migrations/tool-requests.ts';
import { lookIntoMonitorDb, openMonitorDb } from '../../scheduler/monitor-db.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { tempDir } from '../support/memory-builder.ts';
import { entry, makeMachinery, notingJob } from '../support/scheduler-scene.ts';

const PROCESS = fileURLToPath(new URL('../support/monitor-db-process.mjs', import.meta.url));

function makeOther(table: string): (path: string) => void {
  return (path) => {
    const db = new Database(path);
    db.exec(`CREATE TABLE ${table}`);
    db.close();
  };
}

function startProcess(...args: readonly string[]) {
  const child = spawn(process.execPath, [PROCESS, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

test('it is made with its folder, for this user alone, and opened again as it is', () => {
  const path = join(tempDir(), 'a', 'b', 'monitor.db');
  const db = openMonitorDb(path);
  const names = db.prepare('SELECT name FROM migrations').pluck().all();
  expect(names.sort()).toEqual(MIGRATIONS.map(({ name }) => name).sort());
  expect([path, `${path}-wal`].map((file) => statSync(file).mode & 0o777)).toEqual([0o600, 0o600]);
  db.close();
  openMonitorDb(path).close();
});

test('a migration that is added later is applied once, and one that fails leaves nothing half done', () => {
  const path = join(tempDir(), 'monitor.db');
  openMonitorDb(path).close();
  const more = { name: 'more', sql: 'CREATE TABLE more (x); INSERT INTO more VALUES (1);' };
  openMonitorDb(path, [...MIGRATIONS, more]).close();
  const bad = { name: 'bad', sql: 'CREATE TABLE bad (x); CREATE TABLE more (x);' };
  expect(() => openMonitorDb(path, [...MIGRATIONS, more, bad])).toThrow('already exists');
  const db = openMonitorDb(path, [...MIGRATIONS, more]);
  expect(db.prepare('SELECT count(*) FROM more').pluck().get()).toBe(1);
  expect(db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'bad'").get()).toBeUndefined();
  db.close();
});

test('questions of an older table are kept, with the messages they were asked by', () => {
  const path = join(tempDir(), 'monitor.db');
  const before = openMonitorDb(path, MIGRATIONS.slice(0, MIGRATIONS.indexOf(toolRequests)));
  before.exec(`INSERT INTO telegram_approvals (task_id, round, state, asked_at, expires_at, decided_by)
    VALUES ('a-1', 2, 'granted', '2026-11-25T11:00:00.000Z', '2026-12-02T10:00:00.000Z', 7)`);
  before.close();
  const db = openMonitorDb(path);
  expect(db.prepare('SELECT * FROM telegram_approvals').all()).toEqual([
    {
      ...{ task_id: 'a-1', round: 2, about: 'task', key: 'approval-a-1-2', state: 'granted', decided_by: 7 },
      ...{ asked_at: '2026-11-25T11:00:00.000Z', expires_at: '2026-12-02T10:00:00.000Z' },
      ...{ decided_at: null, applied_at: null },
    },
  ]);
  db.close();
});

test('processes that start at once all find it', async () => {
  const path = join(tempDir(), 'monitor.db');
  const ends = await Promise.all(Array.from({ length: 6 }, () => once(startProcess('open', path), 'exit')));
  expect(ends).toEqual(ends.map(() => [0, null]));
});

test.each<[string, (path: string) => void, string]>([
  ['no database', (path) => writeFileSync(path, 'x'.repeat(8_192)), 'it is damaged, or no database'],
  ['damaged', damage, 'it is damaged, or no database'],
  ['a folder', (path) => mkdirSync(path), 'it cannot be written'],
  ["another program's, with slots", makeOther('schedule_slots (a)'), 'it has tables that are not ours'],
  ["another program's, with migrations", makeOther('migrations (a)'), 'it has tables that are not ours'],
  ['in something that is no folder', (path) => writeFileSync(join(path, '..'), ''), 'it cannot be written'],
])('one that is %s is a clear error', (name, prepare, reason) => {
  const folder = tempDir();
  const path = name.startsWith('in ') ? join(folder, 'file', 'monitor.db') : join(folder, 'monitor.db');
  prepare(path);
  expect(() => openMonitorDb(path)).toThrow(OperatorError);
  expect(() => openMonitorDb(path)).toThrow(`Could not open monitor.db "${path}": ${reason}`);
});

test("looking into another program's is a clear error, or finds nothing", () => {
  const path = (name: string): string => join(tempDir(), name);
  const [slots, migrations] = [path('slots.db'), path('migrations.db')];
  makeOther('schedule_slots (a)')(slots);
  makeOther('migrations (a)')(migrations);
  expect(lookIntoMonitorDb(slots)).toBeUndefined();
  expect(() => lookIntoMonitorDb(migrations)).toThrow('it has tables that are not ours');
});

test('looking into one that is not there does not make it', () => {
  const path = join(tempDir(), 'monitor.db');
  expect([lookIntoMonitorDb(path), existsSync(path)]).toEqual([undefined, false]);
});

test('a slot whose process was killed in the middle is done by the next, at once and once', async () => {
  const folder = tempDir();
  const child = startProcess('run', folder);
  await once(child.stdout, 'data');
  const clock = fakeClock('2026-06-01T09:01:00Z');
  const { job, seen } = notingJob('job');
  const next = makeMachinery(
    { timetable: [entry('job', '0 9 * * *')], jobs: [job], clock: clock.now },
    { folder, env: { SWARM_TIMEZONE: 'UTC' } },
  );
  await next.tickUntilSettled();
  expect(seen).toEqual([]);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await next.tickUntilSettled();
  await next.tickUntilSettled();
  expect(seen).toEqual(['2026-06-01T09:00:00.000Z']);
  expect(readFileSync(join(folder, 'began'), 'utf8')).toBe('x');
});

test('a slot that kills whoever does it is given up after three', async () => {
  const folder = tempDir();
  for (const _ of [1, 2, 3]) {
    const child = startProcess('run', folder);
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  const { job, seen } = notingJob('job');
  const clock = fakeClock('2026-06-01T09:01:00Z');
  const next = makeMachinery(
    { timetable: [entry('job', '0 9 * * *')], jobs: [job], clock: clock.now },
    { folder, env: { SWARM_TIMEZONE: 'UTC' } },
  );
  await next.tickUntilSettled();
  expect(seen).toEqual([]);
  expect(next.tools.db.prepare('SELECT state, error FROM schedule_slots').get()).toEqual({
    state: 'failed',
    error: 'each process that ran it has died',
  });
});

/** A database whose second page is nonsense. */
function damage(path: string): void {
  openMonitorDb(path).close();
  const bytes = readFileSync(path);
  bytes.fill(0xff, 4_096, 8_192);
  writeFileSync(path, bytes);
}
