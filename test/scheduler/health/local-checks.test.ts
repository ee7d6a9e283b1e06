import { chmodSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { check, checkOne, serveHttp } from '../../support/health-scene.ts';
import { makeMemory, stopRow, tempDir } from '../../support/memory-builder.ts';
import { putProgram } from '../../support/put-program.ts';
import { makeProject, runGit } from '../../support/swarm-scene.ts';

const HOUR_MS = 3_600_000;

test('room on the disk of a project, too little of it, and a folder that is not here', async () => {
  const path = tempDir();
  const [room, little] = await check([{ type: 'disk' }, { type: 'disk', minFreeGb: 1e6 }], { path });
  expect(room).toMatchObject({ state: 'up', text: { en: expect.stringMatching(/^[\d.,]+ GB free$/) } });
  expect(room.figures?.freeBytes).toBeGreaterThan(1e9);
  expect(little).toMatchObject({ state: 'down', text: { it: expect.stringMatching(/^[\d.,]+ GB liberi$/) } });
  expect(await checkOne({ type: 'disk' })).toEqual(['unavailable', 'its folder cannot be read here (ENOENT)']);
});

test('a repository: what is not committed, ahead, behind, and how old the last commit is', async () => {
  const folder = tempDir();
  const [path, origin] = [makeProject(join(folder, 'acme')), join(folder, 'origin')];
  const git = (...args: string[]): string => runGit(path, args);
  const commitMs = Number(git('log', '-1', '--format=%ct')) * 1_000;
  const options = { path, nowMs: commitMs + 50 * HOUR_MS };
  expect(await checkOne({ type: 'git' }, options)).toEqual(['up', 'clean, last commit 2 d 2 h ago']);
  git('clone', '--quiet', '--bare', '.', origin);
  git('remote', 'add', 'origin', origin);
  git('fetch', '--quiet', 'origin');
  git('branch', '--quiet', '--set-upstream-to=origin/main');
  git('commit', '--quiet', '--allow-empty', '--message=One', '--date=2020-01-01T00:00:00Z');
  writeFileSync(join(path, 'new.txt'), 'new');
  const [found] = await check([{ type: 'git' }], { ...options, nowMs: Date.now() });
  expect(found).toMatchObject({
    state: 'up',
    text: {
      en: expect.stringMatching(/^1 file not committed, 1 ahead, last commit /),
      it: expect.stringMatching(/^1 file da salvare, 1 commit da mandare/),
    },
    figures: { changedFiles: 1, ahead: 1, behind: 0 },
  });
});

test('what is no repository, or has no commit yet, is no fault; what git cannot read is', async () => {
  const [plain, empty, broken] = [tempDir(), tempDir(), makeProject(join(tempDir(), 'acme'))];
  runGit(empty, ['init', '--quiet']);
  writeFileSync(join(broken, '.git/HEAD'), 'ref: refs/heads/main\n');
  writeFileSync(join(broken, '.git/refs/heads/main'), `${'0'.repeat(39)}1\n`);
  expect(await checkOne({ type: 'git' }, { path: plain })).toEqual(['unavailable', 'not a git repository']);
  expect(await checkOne({ type: 'git' }, { path: '/nowhere' })).toEqual([
    'unavailable',
    'its folder cannot be read here',
  ]);
  expect(await checkOne({ type: 'git' }, { path: empty })).toEqual(['up', 'clean, no commit']);
  expect((await checkOne({ type: 'git' }, { path: broken }))[0]).toBe('down');
});

test('no program that a repository names is run', async () => {
  const path = makeProject(join(tempDir(), 'acme'));
  const trace = join(tempDir(), 'ran');
  const git = (...args: string[]): string => runGit(path, args);
  writeFileSync(join(path, '.gitattributes'), '*.txt filter=evil\n');
  writeFileSync(join(path, 'a.txt'), 'one');
  git('add', '.');
  git('commit', '--quiet', '--message=Filtered');
  const evil = `touch ${trace}; cat`;
  git('config', 'filter.evil.clean', evil);
  git('config', 'filter.evil.required', 'true');
  git('config', 'core.fsmonitor', evil);
  // As long as before, so that git has to look into it.
  writeFileSync(join(path, 'a.txt'), 'two');
  expect(await checkOne({ type: 'git' }, { path })).toEqual(['up', expect.stringMatching(/^1 file not committed/)]);
  expect(() => chmodSync(trace, 0o600)).toThrow(/ENOENT/);
  git('config', 'filter.a=b.clean', evil);
  expect(await checkOne({ type: 'git' }, { path })).toEqual([
    'unavailable',
    expect.stringContaining('a filter has "="'),
  ]);
});

test('the memory is up while it can be read, old only where that is stated, and not here where there is none', async () => {
  const memory = makeMemory();
  memory.events(stopRow(Date.now()));
  const options = { swarmDbPath: memory.path, nowMs: Date.now() + 80 * HOUR_MS };
  expect(await checkOne({ type: 'memory' }, options)).toEqual(['up', 'written 3 d 8 h ago']);
  expect(await checkOne({ type: 'memory', maxAgeHours: 72 }, options)).toEqual(['down', 'written 3 d 8 h ago']);
  expect(await checkOne({ type: 'memory' })).toEqual(['unavailable', 'it is not here']);
  const damaged = join(tempDir(), 'swarm_memory.db');
  writeFileSync(damaged, 'x'.repeat(5_000));
  expect((await checkOne({ type: 'memory' }, { swarmDbPath: damaged }))[0]).toBe('down');
});

test('the newest backup counts, also in a folder within; not what is empty, half written or of something else', async () => {
  const backupDir = tempDir();
  const nowMs = Date.now();
  const write = (name: string, hoursAgo: number, content = 'x'): void => {
    mkdirSync(join(backupDir, name, '..'), { recursive: true });
    writeFileSync(join(backupDir, name), content);
    const seconds = (nowMs - hoursAgo * HOUR_MS) / 1_000;
    utimesSync(join(backupDir, name), seconds, seconds);
  };
  const options = { backupDir, nowMs, swarmDbPath: '/srv/swarm_memory.db' };
  const backup = async () => await checkOne({ type: 'backup' }, options);
  expect(await backup()).toEqual(['unavailable', 'no backup yet']);
  write('swarm_memory-20261122T060000Z.db.gz', 30);
  expect(await backup()).toEqual(['down', 'made 1 d 6 h ago']);
  write('swarm_memory-20261123T060000Z.db.gz.tmp', 1);
  write('.backup-1.tmp', 1);
  write('swarm_memory-20261123T070000Z.db.gz', 1, '');
  write('monitor-20261123T060000Z.db.gz', 1);
  expect(await backup()).toEqual(['down', 'made 1 d 6 h ago']);
  write('weekly/swarm_memory-20261123T060000Z.db.gz', 2);
  expect(await backup()).toEqual(['up', 'made 2 h ago']);
  const [own, none] = await check([
    { type: 'backup', folder: backupDir, maxAgeHours: 0.5 },
    { type: 'backup', folder: tempDir() },
  ]);
  expect([own.state, own.text.en, none.state, none.text.en]).toEqual(['down', 'made 1 h ago', 'down', 'no backup yet']);
});

const DOCKER: Readonly<Record<string, readonly [status: number, body: string]>> = {
  '/containers/runs/json': [200, '{"State":{"Status":"running","Running":true}}'],
  '/containers/sick/json': [200, '{"State":{"Status":"running","Running":true,"Health":{"Status":"unhealthy"}}}'],
  '/containers/died/json': [200, '{"State":{"Status":"exited","Running":false}}'],
  '/containers/odd/json': [200, '{"State":{"Status":"\\u001b[2J","Running":true}}'],
  '/containers/list/json': [200, 'null'],
  '/containers/broken/json': [500, '{"message":"\\u001b[2J"}'],
};

test('a container by what Docker says, over an address or a socket; without Docker it cannot be told', async () => {
  const answer: Parameters<typeof serveHttp>[0] = ({ url = '' }, response) => {
    const [status, body] = DOCKER[url] ?? [404, '{}'];
    response.writeHead(status).end(body);
  };
  const docker = await serveHttp(answer);
  const ask = async (container: string, address = docker) =>
    await checkOne({ type: 'container', container, docker: address });
  expect(await ask('runs')).toEqual(['up', 'running']);
  expect(await ask('sick')).toEqual(['down', 'running, unhealthy']);
  expect(await ask('died')).toEqual(['down', 'exited']);
  expect(await ask('odd')).toEqual(['up', '']);
  expect(await ask('list')).toEqual(['unavailable', 'Docker answered something else']);
  expect(await ask('broken')).toEqual(['unavailable', 'Docker answered 500']);
  expect(await ask('gone')).toEqual(['down', 'there is no such container']);
  const socket = join(tempDir(), 'docker.sock');
  expect(await ask('runs', `unix://${socket}`)).toEqual(['unavailable', 'Docker does not answer']);
  const server = createServer(answer).listen(socket);
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  expect(await ask('runs', `unix://${socket}`)).toEqual(['up', 'running']);
  expect(await checkOne({ type: 'container', container: 'runs' })).toEqual([
    'unavailable',
    'no address of Docker is set ("docker" in projects.json)',
  ]);
});

test.each([
  ['echo active', 'up', 'active'],
  ['echo failed; exit 3', 'down', 'failed'],
  ['echo inactive; exit 3', 'down', 'inactive'],
  ['echo "System has not been booted with systemd" >&2; exit 1', 'unavailable', 'there is no systemd here'],
  ['kill -9 $$', 'unavailable', 'there is no systemd here'],
])('a unit where systemctl does "%s" is %s', async (script, state, text) => {
  putProgram('systemctl', `[ "$*" = "is-active -- acme.service" ] || exit 9\n${script}`);
  expect(await checkOne({ type: 'systemd', unit: 'acme.service' })).toEqual([state, text]);
});
