import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test, vi } from 'vitest';
import { createDemoMemory } from '../../lib/memory/demo/demo.ts';
import { createRowWriter } from '../../lib/memory/demo/writer.ts';
import { USAGE_TABLE } from '../../lib/memory/tables.ts';
import { type CommandResult, swarm } from '../support/command-line.ts';
import { lessonRow, makeMemory, patternRow, stopRow, taskRow, tempDir, usageRow } from '../support/memory-builder.ts';
import { startExporter } from '../support/running-exporter.ts';
import { makeShipScene, type ShipScene } from '../support/ship-scene.ts';

const WAIT = { timeout: 30_000, interval: 50 };
const HOUR_AGO = Date.now() - 3_600_000;

const said = ({ code, stdout, stderr }: CommandResult): unknown[] => [code, stdout, stderr];
const tasks = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) =>
    taskRow(HOUR_AGO + index, { id: `${prefix}-${index}`, session_id: `${prefix}-${index}` }),
  );

/** Adds rows to the memory of the VM, as its own hooks do. */
function addThere({ memoryPath }: ShipScene, table: string, ...rows: readonly ReturnType<typeof taskRow>[]): void {
  const db = new Database(memoryPath, { timeout: 5_000 });
  const write = createRowWriter(db);
  for (const row of rows) write(table, row);
  db.close();
}

/** Counts of a ship by table, without those of which nothing was sent. */
function countsOf({ stdout }: CommandResult): unknown {
  const { tables } = JSON.parse(stdout) as { tables: Record<string, { sent: number }> };
  return Object.fromEntries(Object.entries(tables).filter(([, { sent }]) => sent > 0));
}
const counts = (sent: number, fresh: number) => ({ sent, new: fresh, known: sent - fresh, refused: 0, skipped: 0 });

test('rows of both sides survive two ships, and each ship sends only what is new', async () => {
  const scene = await makeShipScene();
  await scene.startOrchestrator();
  const { laptop } = scene;
  laptop.events(...tasks('laptop', 2));
  laptop.insert('error_patterns', patternRow({ pattern_name: 'both' }));
  laptop.insert('lessons_learned', lessonRow({ id: 'L1', times_applied: 2, related_pattern_id: 1 }));
  laptop.write((db) => db.exec('CREATE TABLE notes_of_mine (a)'));
  addThere(scene, 'swarm_events', ...tasks('vm', 2));
  addThere(scene, 'error_patterns', patternRow({ pattern_name: 'ours' }), patternRow({ pattern_name: 'both' }));
  addThere(
    scene,
    'lessons_learned',
    lessonRow({ id: 'L1', times_applied: 5, solution: 'ours' }),
    lessonRow({ id: 'L2' }),
  );

  expect(said(await scene.ship())).toEqual([
    0,
    [
      'error_patterns: 1 sent, 0 new, 1 known',
      'lessons_learned: 1 sent, 0 new, 1 known',
      'swarm_events: 2 sent, 2 new, 0 known',
      '',
    ].join('\n'),
    '',
  ]);
  expect(said(await scene.ship())).toEqual([0, 'vm has everything.\n', '']);
  laptop.events(...tasks('later', 1));
  laptop.write((db) => db.exec("UPDATE lessons_learned SET status = 'RESOLVED', solution = 'theirs'"));
  expect(countsOf(await scene.ship('--json'))).toEqual({ lessons_learned: counts(1, 0), swarm_events: counts(1, 1) });
  expect(scene.ids()).toEqual(['vm-0', 'vm-1', 'laptop-0', 'laptop-1', 'later-0']);
  expect(scene.rows('SELECT * FROM lessons_learned ORDER BY rowid')).toMatchObject([
    { id: 'L1', times_applied: 5, solution: 'ours', status: 'RESOLVED', related_pattern_id: 2 },
    { id: 'L2', status: 'ACTIVE' },
  ]);
  expect(scene.ids('error_patterns')).toEqual([1, 2]);
  expect(JSON.parse((await scene.ship('--json')).stdout)).toMatchObject({ to: 'vm', state: 'done', missing: [] });
});

test('the exporter shows of both sides together what it would show of one memory, and when rows last arrived', async () => {
  const scene = await makeShipScene();
  await scene.startOrchestrator();
  const exporter = await startExporter({ databasePath: scene.memoryPath });
  addThere(scene, 'swarm_events', ...tasks('vm', 1));
  scene.laptop.events(
    // The two rows of one run, and two runs of which one failed.
    stopRow(HOUR_AGO, { session_id: 'pair' }),
    taskRow(HOUR_AGO + 30, { session_id: 'pair' }),
    stopRow(HOUR_AGO, { session_id: 'single' }),
    taskRow(HOUR_AGO, { session_id: 'failed', event_type: 'task_failed', success: 0 }),
  );
  const before = await exporter.samples();
  expect([...before.keys()].filter((name) => name.startsWith('swarm_ship_'))).toEqual([]);
  const startedS = Date.now() / 1_000;
  expect((await scene.ship()).code).toBe(0);
  const samples = await exporter.samples();
  expect(
    ['swarm_tasks_total', 'swarm_tasks_success_total', 'swarm_tasks_failed_total', 'swarm_tasks_unknown_total'].map(
      (name) => samples.get(name),
    ),
  ).toEqual([4, 2, 1, 1]);
  expect(samples.get('swarm_window_tasks{window="24h",outcome="success"}')).toBe(2);
  expect(samples.get('swarm_ship_last_success_timestamp_seconds')).toBeGreaterThanOrEqual(Math.floor(startedS));
});

test('what was not sent while the line was down, Redis away or the recorder stopped, is sent later, once', async () => {
  const scene = await makeShipScene({ wait: '1s' });
  scene.laptop.events(...tasks('first', 2));
  scene.setOnline(false);
  expect(said(await scene.ship())).toEqual([
    3,
    '',
    'Could not ship to "vm": ssh: connect to host vm port 22: No route to host. Nothing is lost: the next ship sends what is ' +
      'missing. docs/ship.md tells how to find out what is wrong.\n',
  ]);
  scene.setOnline(true);
  await scene.redis.kill();
  const withoutRedis = await scene.ship();
  expect([withoutRedis.code, withoutRedis.stderr]).toEqual([3, expect.stringContaining('Could not reach Redis')]);
  await scene.redis.start();
  const waits =
    'vm has accepted them; they are in its memory once its recorder runs (an orchestrator with RECORDER=on).\n';
  expect(said(await scene.ship())).toEqual([1, `swarm_events: 2 sent, 2 new, 0 known\n${waits}`, '']);
  scene.laptop.events(...tasks('second', 2));
  // What waits is not sent again, however often.
  expect(said(await scene.ship())).toEqual([1, waits, '']);
  expect(scene.ids()).toEqual([]);
  await scene.startOrchestrator();
  await vi.waitFor(() => expect(scene.ids()).toHaveLength(2), WAIT);
  expect(countsOf(await scene.ship('--json'))).toEqual({ swarm_events: counts(2, 2) });
  expect(scene.ids()).toEqual(['first-0', 'first-1', 'second-0', 'second-1']);
});

test('a sender killed in the middle goes on where the receiver is, and every row is there once', async () => {
  const scene = await makeShipScene();
  await scene.startOrchestrator();
  const all = tasks('row', 3_000);
  scene.laptop.events(...all);
  const killed = scene.startShip();
  await vi.waitFor(() => expect(scene.ids().length).toBeGreaterThanOrEqual(500), { ...WAIT, interval: 5 });
  killed.child.kill('SIGKILL');
  await killed.ended;
  const arrived = await vi.waitFor(() => {
    const ids = scene.ids();
    // The batch under way may still be written.
    expect(ids.length % 500).toBe(0);
    return ids.length;
  }, WAIT);
  const rest = JSON.parse((await scene.ship('--json')).stdout) as { tables: { swarm_events: { new: number } } };
  expect(rest.tables.swarm_events.new).toBeLessThanOrEqual(3_000 - 500);
  expect(arrived).toBeLessThanOrEqual(3_000);
  expect(scene.ids()).toEqual(all.map(({ id }) => id));
});

test.each<[string, (scene: ShipScene) => void]>([
  ['the sender lost what it knew', ({ stateFile }) => rmSync(stateFile)],
  ['what the sender knew is damaged', ({ stateFile }) => writeFileSync(stateFile, '{"version":1,')],
  [
    "the sender's memory is another file",
    ({ laptop }) => {
      const other = makeMemory({ journalMode: 'DELETE' });
      other.events(...tasks('row', 3).toReversed());
      copyFileSync(other.path, laptop.path);
    },
  ],
])('when %s all rows are offered again and none is there twice', async (_, spoil) => {
  const scene = await makeShipScene();
  await scene.startOrchestrator();
  scene.laptop.events(...tasks('row', 3));
  expect((await scene.ship()).code).toBe(0);
  spoil(scene);
  expect(countsOf(await scene.ship('--json'))).toMatchObject({ swarm_events: counts(3, 0) });
  expect(scene.ids()).toEqual(['row-0', 'row-1', 'row-2']);
});

test("rows that the receiver's memory lost with a restored backup are sent again", async () => {
  const scene = await makeShipScene();
  const orchestrator = await scene.startOrchestrator();
  const backup = join(tempDir(), 'backup.db');
  // What the recorder has just written may still lie beside the file.
  const intoTheFile = (): void => {
    const db = new Database(scene.memoryPath, { timeout: 15_000 });
    db.pragma('wal_checkpoint(TRUNCATE)');
    db.close();
  };
  scene.laptop.events(...tasks('first', 1));
  await scene.ship();
  intoTheFile();
  copyFileSync(scene.memoryPath, backup);
  scene.laptop.events(...tasks('second', 1));
  await scene.ship();
  expect(scene.ids()).toEqual(['first-0', 'second-0']);
  intoTheFile();
  copyFileSync(backup, scene.memoryPath);
  expect(countsOf(await scene.ship('--json'))).toEqual({ swarm_events: counts(2, 1) });
  expect(scene.ids()).toEqual(['first-0', 'second-0']);
  expect(orchestrator.output()).not.toContain('a result is refused');
});

test('a memory there that lacks a table says so, and gets its rows once it has one', async () => {
  const scene = await makeShipScene();
  await scene.startOrchestrator();
  const there = new Database(scene.memoryPath);
  there.exec('ALTER TABLE lessons_learned RENAME TO hidden');
  scene.laptop.insert('lessons_learned', lessonRow({ id: 'L1' }));
  scene.laptop.events(...tasks('row', 1));
  expect((await scene.ship()).stdout).toBe(
    'swarm_events: 1 sent, 1 new, 0 known\nlessons_learned: not sent, the memory on vm has no such table\n',
  );
  there.exec('ALTER TABLE hidden RENAME TO lessons_learned');
  there.close();
  expect(countsOf(await scene.ship('--json'))).toEqual({ lessons_learned: counts(1, 1) });
});

test('costs are shipped too, into a memory that had no table for them', async () => {
  const scene = await makeShipScene({ state: 'F' });
  await scene.startOrchestrator();
  scene.laptop.write((db) => db.exec(USAGE_TABLE));
  scene.laptop.insert('task_usage', usageRow(HOUR_AGO, 'T1', { cost_usd: 0.25 }));
  expect(countsOf(await scene.ship('--json'))).toEqual({ task_usage: counts(1, 1) });
  expect(scene.rows('SELECT task_id, cost_usd FROM task_usage')).toEqual([{ task_id: 'T1', cost_usd: 0.25 }]);
});

test('--every goes on after a failure and sends what has come meanwhile', async () => {
  const scene = await makeShipScene();
  await scene.startOrchestrator();
  scene.setOnline(false);
  scene.laptop.events(...tasks('first', 1));
  const { child, ended, output } = scene.startShip('--every', '0.2s');
  await vi.waitFor(() => expect(output()).toContain('No route to host'), WAIT);
  scene.setOnline(true);
  await vi.waitFor(() => expect(scene.ids()).toEqual(['first-0']), WAIT);
  scene.laptop.events(...tasks('second', 1));
  await vi.waitFor(() => expect(scene.ids()).toEqual(['first-0', 'second-0']), WAIT);
  child.kill('SIGTERM');
  await ended;
});

test('made-up rows of a demo, a host that is an option and a pause that is none are refused', async () => {
  const folder = tempDir();
  const path = join(folder, 'demo.db');
  createDemoMemory({ path, seed: 1, days: 1, untilMs: Date.now(), timezone: 'Europe/Rome' });
  const demo = await swarm(['ship', '--to', 'vm', '--ssh-command', 'false'], {
    cwd: folder,
    env: { SWARM_DB_PATH: path },
  });
  expect([demo.code, demo.stderr]).toEqual([2, expect.stringContaining('it is a demo memory')]);
  const option = await swarm(['ship', '--to=-oProxyCommand=x', '--ssh-command', 'false'], { cwd: folder });
  expect([option.code, option.stderr]).toEqual([2, expect.stringContaining('--to is no host')]);
  for (const pause of ['0s', '60d', 'often']) {
    const wrong = await swarm(['ship', '--to', 'vm', '--ssh-command', 'false', '--every', pause], { cwd: folder });
    expect([pause, wrong.code]).toEqual([pause, 2]);
  }
  const memory = makeMemory({ path: join(folder, 'memory.db') });
  const wordless = await swarm(['ship', '--to=vm', '--ssh-command', ' '], {
    cwd: folder,
    env: { SWARM_DB_PATH: memory.path },
  });
  expect([wordless.code, wordless.stderr]).toEqual([2, expect.stringContaining('--ssh-command is empty')]);
});

test.each<[string, string, number, RegExp]>([
  ['a program that is not there', '/no/such/ssh', 3, /ENOENT/],
  ['a receiver that is not installed', 'script 127', 3, /exit code 127/],
  ['another program at the other end', 'yes hello', 1, /Could not find a receiver/],
  ['a receiver that fails', 'script 1', 1, /exit code 1/],
])('%s is told of', async (_, command, code, reason) => {
  const { laptop } = await makeShipScene();
  const folder = tempDir();
  writeFileSync(join(folder, 'script'), '#!/bin/sh\nexit $1\n', { mode: 0o755 });
  const result = await swarm(['ship', '--to', 'vm', '--ssh-command', command.replace('script', './script')], {
    cwd: folder,
    env: { SWARM_DB_PATH: laptop.path },
  });
  expect([result.code, result.stderr]).toEqual([code, expect.stringMatching(reason)]);
});

test('doctor says when a ship is late', async () => {
  const scene = await makeShipScene();
  await scene.startOrchestrator();
  const shipping = async (): Promise<unknown> => {
    const cwd = join(scene.folder, 'laptop');
    const { stdout } = await swarm(['doctor', '--json'], { cwd, env: { SWARM_DB_PATH: scene.laptop.path } });
    const { level, message } = (JSON.parse(stdout) as { check: string; level: string; message: string }[]).find(
      ({ check }) => check === 'shipping',
    ) as { level: string; message: string };
    return [level, message];
  };
  expect(await shipping()).toEqual(['ok', 'this machine ships its rows nowhere']);
  await scene.ship();
  expect(await shipping()).toEqual(['ok', 'vm got all rows within a day']);
  const state = JSON.parse(readFileSync(scene.stateFile, 'utf8')) as object;
  writeFileSync(scene.stateFile, JSON.stringify({ ...state, lastSuccessAt: '2026-01-01T00:00:00.000Z' }));
  expect(await shipping()).toEqual(['warning', 'vm has not got the rows of this machine for more than a day']);
});
