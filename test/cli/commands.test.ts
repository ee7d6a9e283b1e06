import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../cli/commands/all.ts';
import { swarm } from '../support/command-line.ts';
import { makeMemory, stopRow, taskRow, tempDir } from '../support/memory-builder.ts';
import { IS_ROOT } from '../support/programs.ts';
import { withReadOnlyMount } from '../support/read-only-mount.ts';

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js');
const UNTIL = '2026-11-22T18:00:00Z';
const makeDemo = async (cwd: string, name: string, ...more: string[]) =>
  await swarm(['demo', '--db', join(cwd, name), '--until', UNTIL, '--json', ...more], { cwd });
const contentOf = (path: string): unknown[] => {
  const db = new Database(path, { readonly: true });
  const tables = ['swarm_events', 'lessons_learned', 'error_patterns', 'task_usage'];
  const rows = tables.map((table) => db.prepare(`SELECT * FROM ${table}`).all());
  db.close();
  return rows;
};

describe('swarm demo', () => {
  test('makes the same memory for the same seed and another for another', async () => {
    const cwd = tempDir();
    const made = await makeDemo(cwd, 'one.db');
    expect(JSON.parse(made.stdout)).toMatchObject({ path: join(cwd, 'one.db'), lessons: 24 });
    await makeDemo(cwd, 'two.db');
    await makeDemo(cwd, 'three.db', '--seed', '2');
    expect(contentOf(join(cwd, 'two.db'))).toEqual(contentOf(join(cwd, 'one.db')));
    expect(contentOf(join(cwd, 'three.db'))).not.toEqual(contentOf(join(cwd, 'one.db')));
  });

  test('never writes over a file', async () => {
    const { path } = makeMemory();
    const before = readFileSync(path);
    const { code, stderr } = await swarm(['demo', '--db', path], { cwd: tempDir() });
    expect([code, stderr]).toEqual([2, expect.stringContaining('there is a file already. Choose another path')]);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test('says in one line that it cannot write there', async () => {
    const cwd = tempDir();
    writeFileSync(join(cwd, 'file'), '');
    const { code, stderr } = await makeDemo(cwd, 'file/demo.db');
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^Could not make a demo memory at ".*": .*\. Choose .*\n$/),
    ]);
  });

  test.skipIf(!IS_ROOT)('says in one line that a folder is read-only', () => {
    const [cwd, mountPoint] = [tempDir(), join(tempDir(), 'mounted')];
    const [program, ...args] = withReadOnlyMount(cwd, mountPoint);
    const command = [process.execPath, MAIN, 'demo', '--db', join(mountPoint, 'demo.db')];
    const { status, stderr } = spawnSync(program, [...args, ...command], { cwd, encoding: 'utf8' });
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^Could not make a demo memory at ".*": .*\n$/)]);
  });
});

describe('swarm kpi', () => {
  test('prints every figure beside its target, and null for what the memory cannot tell', async () => {
    const memory = makeMemory({ state: 'F' });
    memory.events(stopRow(Date.now() - 60_000));
    const { code, stdout } = await swarm(['kpi', '--json'], { cwd: tempDir(), env: { SWARM_DB_PATH: memory.path } });
    const { tasks, kpis } = JSON.parse(stdout);
    expect([code, tasks]).toEqual([0, { success: 0, failed: 0, unknown: 1 }]);
    expect(kpis).toHaveLength(13);
    expect(kpis).toContainEqual({ key: 'success_ratio', value: null, target: 0.85, meetsTarget: null });
    expect(kpis).toContainEqual({ key: 'hours_saved_week', value: null, target: null, meetsTarget: null });
  });

  test('says for people how many outcomes are unknown', async () => {
    const memory = makeMemory();
    memory.events(taskRow(Date.now() - 60_000), stopRow(Date.now() - 3_600_000));
    const { stdout } = await swarm(['kpi'], { cwd: tempDir(), env: { SWARM_DB_PATH: memory.path } });
    expect(stdout).toMatch(/success_ratio +1 +0\.850 +ok/);
    expect(stdout).toContain('Of 2 tasks, 1 succeeded, 0 failed and 1 ended without saying how.');
  });

  test('fails with the reason and a remedy where there is no memory', async () => {
    const cwd = tempDir();
    const { code, stderr } = await swarm(['kpi'], { cwd });
    expect([code, stderr]).toEqual([
      1,
      `Could not find the swarm memory "${join(cwd, 'data/swarm_memory.db')}". Check SWARM_DB_PATH; in a container, check that its folder is mounted.\n`,
    ]);
  });
});

describe('swarm status', () => {
  test('shows that nothing runs, and the figures all the same', async () => {
    const memory = makeMemory();
    memory.events(taskRow(Date.now() - 60_000));
    const env = { SWARM_DB_PATH: memory.path, EXPORTER_PORT: '1' };
    const { code, stdout } = await swarm(['status', '--json'], { cwd: tempDir(), env });
    const status = JSON.parse(stdout);
    expect([code, status.rooms[0].state, status.memory.schema]).toEqual([0, 'not running', 'C']);
    expect(status.memory.windows[0]).toEqual({ window: '1h', success: 1, failed: 0, unknown: 0, successRatio: 1 });
  });
});

describe('swarm doctor', () => {
  test('finds nothing wrong with a good memory', async () => {
    const env = { SWARM_DB_PATH: makeMemory().path, EXPORTER_PORT: '0' };
    const { code, stdout } = await swarm(['doctor', '--json'], { cwd: tempDir(), env });
    const findings = JSON.parse(stdout) as { check: string; level: string }[];
    expect(findings.map(({ check }) => check)).toEqual([
      'node',
      'database path',
      'database mount and permissions',
      'database schema',
      'port of the exporter',
      'port of the scheduler',
      'port of the orchestrator',
      'timetable',
      'disk',
      'redis',
      'agent',
      'shipping',
      'last backup',
      'restore drill',
      'second place of backups',
      'archive',
      'memory',
      'processors',
      'clock',
      'time zone',
      'docker',
      'compose',
      '.env',
      'secrets in files',
      'database for the containers',
      'projects for the containers',
      'ports for the containers',
      'links on the phone',
      'Telegram settings',
      'Alertmanager',
      'last notification',
    ]);
    expect([code, findings.filter(({ level }) => level === 'problem')]).toEqual([0, []]);
  });

  test('gives one line with a remedy for each problem, and exit code 1', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const env = { SWARM_DB_PATH: '/nowhere/swarm_memory.db', EXPORTER_PORT: String(port) };
    const { code, stdout } = await swarm(['doctor'], { cwd: tempDir(), env });
    server.close();
    const problems = stdout.split('\n').filter((line) => line.startsWith('PROBLEM'));
    expect([code, problems.map((line) => line.replace(/:.*→.*/, ''))]).toEqual([
      1,
      [
        'PROBLEM  database path',
        'PROBLEM  database mount and permissions',
        'PROBLEM  database schema',
        'PROBLEM  port of the exporter',
      ],
    ]);
  });
});

test.each([
  [['frobnicate'], {}, /unknown command 'frobnicate'/],
  [['frobnicate', '--help'], {}, /^error: unknown command 'frobnicate'/],
  [['queue', 'frobnicate', '--help'], {}, /^error: unknown command 'frobnicate'/],
  [['help', 'frobnicate'], {}, /^error: unknown command 'frobnicate'/],
  [['demo'], {}, /required option '--db <path>' not specified/],
  [['demo', '--db', 'x.db', '--days', '-1'], {}, /Expected a whole number from 1/],
  [
    ['kpi'],
    { EXPORTER_PORT: 'nine', SWARM_LANG: 'de' },
    /EXPORTER_PORT is "nine".*SWARM_LANG is "de"|SWARM_LANG is "de".*EXPORTER_PORT is "nine"/,
  ],
])('wrong use ends with exit code 2 and says what is wrong: %j %j', async (args, env, message) => {
  const { code, stderr } = await swarm(args, { cwd: tempDir(), env });
  expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
});

test.each([
  [['--help']],
  [['help', 'queue']],
  [['queue', 'show', 'frobnicate', '--help']],
  [['up', '--help']],
  [['demo', '--help']],
  [['kpi', '--help']],
  [['status', '--help']],
  [['doctor', '--help']],
])('help is there and no failure: %j', async (args) => {
  const { code, stdout } = await swarm(args, { cwd: tempDir() });
  expect([code, stdout]).toEqual([0, expect.stringContaining('Usage: swarm')]);
});

test.each([
  ['a reader who has seen enough', '| sleep 0', /^0\n$/],
  ['a full disk', '> /dev/full', /^Could not write to standard output: .*no space left on device.*\n1\n$/],
])('%s ends a command in good order', (_, to, said) => {
  const { stderr } = spawnSync('sh', ['-c', `{ "$0" "$1" kpi --json; echo $? >&2; } ${to}`, process.execPath, MAIN], {
    cwd: tempDir(),
    env: { PATH: process.env.PATH, SWARM_DB_PATH: makeMemory().path },
    encoding: 'utf8',
  });
  expect(stderr).toMatch(said);
});

test('each command is listed under the name it has', async () => {
  const names = await Promise.all(
    Object.values(COMMANDS).map(async (load) => {
      const program = new Command();
      (await load())(program);
      return program.commands.map((command) => command.name());
    }),
  );
  expect(names).toEqual(Object.keys(COMMANDS).map((name) => [name]));
});
