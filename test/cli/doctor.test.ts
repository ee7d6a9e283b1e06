import { chmodSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Finding } from '../../cli/doctor/checks.ts';
import { PUBLISHED_PORTS } from '../../cli/doctor/deployment.ts';
import { swarm } from '../support/command-line.ts';
import { freePort } from '../support/free-port.ts';
import { makeMemory, tempDir } from '../support/memory-builder.ts';
import { IS_ROOT } from '../support/programs.ts';

/** A folder from which somebody is about to deploy, in which nothing is wrong. */
interface Site {
  readonly folder: string;
  readonly env: Record<string, string>;
  /** What doctor finds, by check. */
  readonly look: () => Promise<Readonly<Record<string, Finding>>>;
}

async function makeSite(): Promise<Site> {
  const folder = tempDir();
  mkdirSync(join(folder, 'memory'));
  mkdirSync(join(folder, 'projects/acme'), { recursive: true });
  makeMemory({ path: join(folder, 'memory/swarm_memory.db') });
  writeProjects(folder, 'acme');
  const uid = String(process.getuid?.());
  const ports = Object.keys(PUBLISHED_PORTS).map(async (variable) => [variable, String(await freePort())]);
  const env: Record<string, string> = {
    GRAFANA_PASSWORD: 'secret',
    SWARM_DB_DIR: join(folder, 'memory'),
    PROJECTS_DIR: join(folder, 'projects'),
    SWARM_UID: uid,
    SWARM_GID: String(process.getgid?.()),
    ...(Object.fromEntries(await Promise.all(ports)) as Record<string, string>),
  };
  const look = async (): Promise<Record<string, Finding>> => {
    const lines = Object.entries(env).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(join(folder, '.env'), lines.join(''), { mode: 0o600 });
    const { stdout, stderr } = await swarm(['doctor', '--json'], { cwd: folder, env: { PATH: programs(folder) } });
    expect(stderr).toBe('');
    return Object.fromEntries((JSON.parse(stdout) as Finding[]).map((finding) => [finding.check, finding]));
  };
  return { folder, env, look };
}

function writeProjects(folder: string, path: string): void {
  writeFileSync(join(folder, 'projects/projects.json'), JSON.stringify({ projects: [{ name: 'acme', path }] }));
}

/** A PATH on which `docker` is what a test wrote, and else nothing. */
function programs(folder: string): string {
  return join(folder, 'bin');
}

function writeDocker(folder: string, script: string): void {
  mkdirSync(programs(folder), { recursive: true });
  writeFileSync(join(programs(folder), 'docker'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(programs(folder), 'docker'), 0o755);
}

const DOCKER = 'case "$1" in version) echo 20.10.24 ;; compose) echo 2.26.1 ;; ps) echo "" ;; esac';

test('a machine that is ready has no problem in what Compose will find', async () => {
  const { folder, look } = await makeSite();
  writeDocker(folder, DOCKER);
  const found = await look();
  for (const check of ['docker', 'compose', '.env', 'secrets in files', 'projects for the containers']) {
    expect(found[check]).toMatchObject({ level: 'ok' });
  }
  for (const check of ['database path', 'database for the containers', 'ports for the containers']) {
    expect(found[check]).toMatchObject({ level: 'ok' });
  }
});

test.each<[what: string, check: string, message: RegExp, change: (site: Site) => void]>([
  ['no Docker', 'docker', /no program "docker"/, ({ folder }) => rmSync(programs(folder), { recursive: true })],
  ['an old engine', 'docker', /engine 19\.03\.1 is too old/, ({ folder }) => writeDocker(folder, 'echo 19.03.1')],
  [
    'an engine that is not running',
    'docker',
    /its engine does not answer: Cannot connect/,
    ({ folder }) => writeDocker(folder, 'echo "Cannot connect to the Docker daemon" >&2; exit 1'),
  ],
  ['an old Compose', 'compose', /1\.25\.0 is too old/, ({ folder }) => writeDocker(folder, 'echo 1.25.0')],
  ['no password', '.env', /GRAFANA_PASSWORD is not set/, ({ env }) => delete env.GRAFANA_PASSWORD],
  [
    'a setting that is wrong',
    '.env',
    /TELEGRAM_BOT_TOKEN is set to something else \(not shown/,
    ({ env }) => Object.assign(env, { TELEGRAM_BOT_TOKEN: 'your-token' }),
  ],
  [
    'a secret file that is missing',
    'secrets in files',
    /REDIS_PASSWORD_FILE: there is no/,
    ({ env }) => Object.assign(env, { REDIS_PASSWORD_FILE: '/nowhere/redis' }),
  ],
  [
    'a secret file for everybody',
    'secrets in files',
    /everybody can read/,
    ({ env, folder }) => Object.assign(env, { ADMIN_PASSWORD_FILE: writeSecret(folder, 0o644) }),
  ],
  [
    'no memory',
    'database for the containers',
    /there is no .*swarm_memory\.db/,
    ({ env, folder }) => Object.assign(env, { SWARM_DB_DIR: folder }),
  ],
  [
    'a memory of another user',
    'database for the containers',
    /user 4242, who the containers run as, may not read|user 4242 may not write/,
    ({ env }) => Object.assign(env, { SWARM_UID: '4242', SWARM_GID: '4242' }),
  ],
  [
    'a relative folder of projects',
    'projects for the containers',
    /no absolute path/,
    ({ env }) => Object.assign(env, { PROJECTS_DIR: './projects' }),
  ],
  [
    'a project elsewhere',
    'projects for the containers',
    /\/srv\/elsewhere is not below/,
    ({ folder }) => writeProjects(folder, '/srv/elsewhere'),
  ],
])('%s is a problem with a remedy', async (_, check, message, change) => {
  const site = await makeSite();
  writeDocker(site.folder, DOCKER);
  change(site);
  const found = await site.look();
  expect(found[check]).toMatchObject({
    level: 'problem',
    message: expect.stringMatching(message),
    remedy: expect.stringMatching(/./),
  });
});

test('the last backup is told by the files that the containers make, the younger of each kind', async () => {
  const { folder, env, look } = await makeSite();
  env.BACKUP_HOST_DIR = join(folder, 'backups');
  const none = `memory never, monitor never, by the files in ${env.BACKUP_HOST_DIR}`;
  expect((await look())['last backup']).toMatchObject({
    ...{ level: 'warning', message: none },
    remedy: expect.stringMatching(/docker-compose exec scheduler swarm backup/),
  });
  mkdirSync(env.BACKUP_HOST_DIR);
  const add = (name: string, hoursAgo: number): void => {
    const file = join(env.BACKUP_HOST_DIR, name);
    writeFileSync(file, 'a backup');
    utimesSync(file, new Date(), new Date(Date.now() - hoursAgo * 3_600_000));
  };
  add('swarm_memory-20260101T000000Z.db.gz', 200);
  add('swarm_memory-20260102T000000Z.db.gz', 5);
  add('monitor-20260101T000000Z.db.gz', 30);
  expect((await look())['last backup']).toMatchObject({
    ...{ level: 'warning', message: expect.stringMatching(/^memory 5 h ago, monitor 30 h ago/) },
  });
  add('monitor-20260102T000000Z.db.gz', 5);
  expect((await look())['last backup'].level).toBe('ok');
});

test('an archive that the scheduler of Compose cannot make is told, with what does it', async () => {
  const { env, look } = await makeSite();
  expect((await look()).archive).toMatchObject({ level: 'ok', message: 'off: ARCHIVE_AFTER_DAYS is 0' });
  env.ARCHIVE_AFTER_DAYS = '365';
  expect((await look()).archive).toMatchObject({
    level: 'warning',
    message: expect.stringMatching(/may not write the memory: the job will fail/),
    remedy: expect.stringMatching(/docs\/deploy\.md/),
  });
  env.ARCHIVE_AFTER_DAYS = 'a year';
  expect((await look())['.env'].message).toMatch(/ARCHIVE_AFTER_DAYS is "a year"/);
});

test('a neighbour on a port is named with the variable that moves ours; our own containers are no neighbours', async () => {
  const { folder, env, look } = await makeSite();
  const neighbour = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => neighbour.once('listening', resolve));
  onTestFinished(() => void neighbour.close());
  const { port } = neighbour.address() as AddressInfo;
  env.GRAFANA_PORT = String(port);
  writeDocker(folder, DOCKER);
  expect((await look())['ports for the containers']).toMatchObject({
    level: 'problem',
    message: `something else listens on ${port} (GRAFANA_PORT)`,
  });
  writeDocker(folder, DOCKER.replace('echo ""', `echo "127.0.0.1:${port}->3000/tcp"`));
  expect((await look())['ports for the containers'].level).toBe('ok');
});

test.runIf(IS_ROOT)('a secret that only another user may read is a problem for who reads it', async () => {
  const { folder, env, look } = await makeSite();
  Object.assign(env, { SWARM_UID: '4242', SWARM_GID: '4242' });
  env.ADMIN_PASSWORD_FILE = writeSecret(folder, 0o600);
  expect((await look())['secrets in files']).toMatchObject({
    level: 'problem',
    message: expect.stringMatching(/ADMIN_PASSWORD_FILE: user 4242/),
  });
  // The same file is fine where `prepare` reads it, as root.
  env.GRAFANA_PASSWORD_FILE = env.ADMIN_PASSWORD_FILE;
  delete env.ADMIN_PASSWORD_FILE;
  expect((await look())['secrets in files'].level).toBe('ok');
});

function writeSecret(folder: string, mode: number): string {
  const file = join(folder, 'secret');
  writeFileSync(file, 'secret');
  chmodSync(file, mode);
  return file;
}
