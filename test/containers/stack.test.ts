import { once } from 'node:events';
import { mkdirSync, renameSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { COMPOSE } from '../compose/compose-file.ts';
import { startBotApi } from '../support/fake-bot-api.ts';
import { makeMemory, taskRow } from '../support/memory-builder.ts';
import { parseSamples } from '../support/running-exporter.ts';
import { startWriter } from '../support/writer-process.ts';
import { startOutside } from './outside.ts';
import { run } from './run.mjs';
import * as stack from './stack.ts';

const { PATIENTLY, RUNNING } = stack;
const ONE_TASK = `INSERT INTO swarm_events (id, timestamp, event_type, success, created_at)
  VALUES (lower(hex(randomblob(8))), datetime('now'), 'task_complete', 1, datetime('now'))`;
const MB = 1024 * 1024;
const SWARM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

let site: stack.Site;
const address = (variable: string, path = ''): string => `http://127.0.0.1:${site.port(variable)}${path}`;

beforeAll(async () => {
  site = await stack.makeSite();
  const rows = [1, 2, 3].map((minutes) => taskRow(Date.now() - minutes * 60_000, { session_id: null }));
  makeMemory({ path: site.memoryPath }).events(...rows);
  site.giveAway();
  for (const image of ['monitor', 'orchestrator']) {
    await stack.docker('tag', 'swarm-test:default', `cervellaswarm-${image}:test`);
  }
  await stack.up();
});
// Each generation knows the networks it made, and only those.
afterAll(async () => {
  for (const program of Object.values(stack.GENERATIONS)) {
    await stack.compose(['down', '--volumes', '--timeout', '20'], program);
  }
});

async function tasksTotal(): Promise<number | undefined> {
  return parseSamples(await (await fetch(address('EXPORTER_PORT', '/metrics'))).text()).get('swarm_tasks_total');
}

async function untilTasks(count: number): Promise<void> {
  await vi.waitFor(async () => expect(await tasksTotal()).toBe(count), PATIENTLY);
}

interface Target {
  readonly labels: { readonly job: string };
  readonly health: string;
}

async function prometheus<T>(path: string): Promise<T> {
  return ((await (await fetch(address('PROMETHEUS_PORT', `/api/v1/${path}`))).json()) as { data: T }).data;
}

async function query(expression: string): Promise<number | undefined> {
  const { result } = await prometheus<{ result: { value: [number, string] }[] }>(
    `query?query=${encodeURIComponent(expression)}`,
  );
  return result.length === 0 ? undefined : Number(result[0].value[1]);
}

/** The machine's address as containers with a way out see it: an engine that has just made its bridge does not tell. */
function hostAddress(): string {
  const [, address] = /inet ([\d.]+)/.exec(run('ip', ['-4', '-oneline', 'address', 'show', 'docker0'])) ?? [];
  return address;
}

test('every service is healthy, none had to be started twice, and Prometheus reaches all of them', async () => {
  for (const service of RUNNING) expect(await stack.inspect(service, '{{.RestartCount}}'), service).toBe('0');
  await vi.waitFor(async () => {
    const { activeTargets } = await prometheus<{ activeTargets: Target[] }>('targets');
    expect(activeTargets).toHaveLength(7);
    expect(activeTargets.filter(({ health }) => health !== 'up').map(({ labels }) => labels.job)).toEqual([]);
  }, PATIENTLY);
});

test('samples are kept for 400 days, and up to a size', async () => {
  const flags = await prometheus<Record<string, string>>('status/flags');
  expect(flags).toMatchObject({
    'storage.tsdb.retention.time': expect.stringMatching(/^(400d|1y35d)$/),
    'storage.tsdb.retention.size': expect.stringMatching(/^1Gi?B$/),
  });
});

test('the memory is read right while it is written, after a clean close, and after the file is replaced', async () => {
  await untilTasks(3);
  const kill = await startWriter(site.memoryPath, `${ONE_TASK}; ${ONE_TASK}`);
  await untilTasks(5);
  await kill();
  makeMemory({ path: `${site.memoryPath}.new` }).events(taskRow(Date.now() - 60_000, { session_id: null }));
  // Whoever opens it next tidies up, as every hook does.
  const db = new Database(site.memoryPath);
  db.exec(ONE_TASK);
  db.close();
  await untilTasks(6);
  renameSync(`${site.memoryPath}.new`, site.memoryPath);
  site.giveAway();
  await untilTasks(1);
  await vi.waitFor(async () => expect(await query('swarm_tasks_total')).toBe(1), PATIENTLY);
});

test('the exporter can write neither the memory nor itself', async () => {
  for (const file of ['/memory/swarm_memory.db', '/memory/new', '/swarm/new', '/usr/new']) {
    expect(await stack.inside('swarm-exporter', 'sh', '-c', `echo x >> ${file}`)).toMatch(/Read-only file system/);
  }
  expect(await stack.inside('swarm-exporter', 'id', '-u')).toBe('1000');
  expect(await stack.inside('swarm-exporter', 'grep', 'CapBnd', '/proc/self/status')).toMatch(/\b0{16}$/);
});

test('only who has business outside reaches anything outside', async () => {
  const outside = await startOutside();
  const script = `fetch('${outside}', { signal: AbortSignal.timeout(2000) }).then((r) => r.text()).then(console.log)`;
  expect(await stack.inside('orchestrator', 'node', '-e', script)).toBe('outside');
  expect(await stack.inside('swarm-exporter', 'node', '-e', script)).toMatch(/TimeoutError|fetch failed/);
  const wget = ['timeout', '3', 'wget', '-q', '-O', '-', outside];
  expect(await stack.inside('alertmanager', ...wget)).toBe('outside');
  for (const service of ['prometheus', 'redis', 'node-exporter', 'grafana']) {
    expect(await stack.inside(service, ...wget), service).toMatch(/^Error: Command failed/);
  }
});

test('secrets are read by whom they are for, and nobody else', async () => {
  const list = 'stat -c "%u %a" /run/*/*';
  expect(await stack.inside('alertmanager', 'sh', '-c', list)).toBe('65534 600');
  expect(await stack.inside('grafana', 'sh', '-c', 'cat /run/grafana-password/password')).toBe('a "quoted" $password');
  // The status page knows who may read the texts of tasks.
  const known = "ls /run; env | grep -v '^ADMIN_PASSWORD'";
  expect(await stack.inside('swarm-exporter', 'sh', '-c', known)).not.toMatch(/password|PASSWORD|TOKEN/);
  expect(await stack.inside('redis', 'redis-cli', 'ping')).toMatch(/NOAUTH/);
});

test('without an agent the orchestrator is well, says so, and keeps tasks waiting; with one, a task runs in a worktree', async () => {
  const readiness = await fetch(address('ORCHESTRATOR_PORT', '/readyz'));
  expect(readiness.status).toBe(503);
  expect(await readiness.text()).toMatch(/Could not start the agent program/);
  const enqueued = JSON.parse(
    await stack.docker(
      ...['exec', stack.containerOf('orchestrator'), 'swarm', 'enqueue', 'Do it\n#fake file=done.txt commit ms=500'],
      ...['--agent', 'cervella-fake', '--project', 'acme'],
    ),
  ) as { id: string };
  expect(await stack.swarmInside('queue', 'show', enqueued.id)).toMatchObject({ state: 'waiting' });

  site.configure({ AGENT_COMMAND: site.fakeAgent });
  await stack.up();
  await vi.waitFor(
    async () =>
      expect(await stack.swarmInside('queue', 'show', enqueued.id)).toMatchObject({
        state: 'completed',
        outcome: 'ok',
      }),
    PATIENTLY,
  );
  const git = (...args: string[]): string => run('git', ['-c', 'safe.directory=*', '-C', site.project, ...args]);
  expect(git('show', `swarm/${enqueued.id}:done.txt`)).toContain('Do it');
  // The recorder has written it: the memory that was replaced had one.
  await untilTasks(2);
});

test('the bot reaches Alertmanager, and the logs of tasks, which it cannot change', async () => {
  const script = "fetch(process.env.ALERTMANAGER_API_URL + '/api/v2/alerts').then((r) => console.log(r.status))";
  expect(await stack.inside('scheduler', 'node', '-e', script)).toBe('200');
  expect(await stack.inside('scheduler', 'sh', '-c', 'ls -d $WORK_DIR; echo x > $WORK_DIR/new')).toMatch(
    /\.swarm-work[\s\S]*Read-only file system/,
  );
});

test('an alert that Prometheus raises arrives on the phone', async () => {
  const api = await startBotApi('0.0.0.0');
  const url = `http://${hostAddress()}:${new URL(api.url).port}`;
  site.configure({
    TELEGRAM_BOT_TOKEN: api.token,
    TELEGRAM_CHAT_ID: String(api.chatId),
    TELEGRAM_API_URL: url,
    QUIET_HOURS: '00:00-00:00',
  });
  await stack.compose(['up', '-d', '--no-build', '--no-deps', '--force-recreate', 'prepare']);
  await vi.waitFor(async () => {
    expect(await stack.logsOf('prepare')).toMatch(/Channels: Telegram\.\n(.*\n)*prepare: done\./);
  }, PATIENTLY);
  await stack.docker('restart', stack.containerOf('alertmanager'));
  await stack.docker('stop', stack.containerOf('swarm-exporter'));
  await vi.waitFor(
    () => expect(api.messages.map(({ text }) => text).join('\n\n')).toMatch(/^🔴 CRITICO · AgentDown$/m),
    PATIENTLY,
  );
  expect(api.refusals).toEqual([]);
  await stack.docker('start', stack.containerOf('swarm-exporter'));
  await stack.untilHealthy(RUNNING);
});

test('rows of a laptop and of this machine survive two ships', async () => {
  const home = join(site.folder, 'laptop');
  mkdirSync(home);
  const laptop = makeMemory({ path: join(home, 'swarm_memory.db') });
  const here = (await tasksTotal()) ?? 0;
  expect(here).toBeGreaterThan(0);
  for (const ships of [1, 2]) {
    laptop.events(taskRow(Date.now() - ships * 60_000, { session_id: null }));
    const report = JSON.parse(
      run(process.execPath, [SWARM, ...stack.shipTo(home), '--json'], { env: { SWARM_DB_PATH: laptop.path } }),
    );
    expect(report).toMatchObject({ state: 'done', tables: { swarm_events: { sent: 1, new: 1, known: 0 } } });
    await untilTasks(here + ships);
  }
});

test('a neighbour on a port of the host is seen by the container that makes the checks', async () => {
  const neighbour = createServer((_, response) => response.end('Miracollo')).listen(8001, '0.0.0.0');
  await once(neighbour, 'listening');
  onTestFinished(() => void neighbour.close());
  const script = "fetch('http://host.docker.internal:8001').then((r) => r.text()).then(console.log)";
  expect(await stack.inside('scheduler', 'node', '-e', script)).toBe('Miracollo');
});

test('each container that is killed comes back', async () => {
  const tasks = (await tasksTotal()) ?? 0;
  expect(tasks).toBeGreaterThan(0);
  for (const service of RUNNING) {
    // From the machine: what is killed through Docker is meant to stay dead.
    process.kill(Number(await stack.inspect(service, '{{.State.Pid}}')), 'SIGKILL');
    await vi.waitFor(async () => {
      const state = await stack.inspect(service, '{{.State.Status}} after {{.RestartCount}}');
      expect(state, service).toMatch(/^running after [1-9]/);
    }, PATIENTLY);
  }
  await stack.untilHealthy(RUNNING);
  await untilTasks(tasks);
});

test('every container keeps within its memory', async () => {
  const lines = (await stack.docker('stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}}')).split('\n');
  const used = new Map(lines.map((line) => [line.split(' ')[0], inMegabytes(line.split(' ')[1])]));
  let sum = 0;
  console.log(`\n${'service'.padEnd(16)} ${'limit, MB'.padStart(10)} ${'measured, MB'.padStart(13)}`);
  for (const service of RUNNING) {
    const limit = Number(await stack.inspect(service, '{{.HostConfig.Memory}}')) / MB;
    const measured = used.get(stack.containerOf(service)) ?? Number.NaN;
    sum += measured;
    console.log(`${service.padEnd(16)} ${limit.toFixed(0).padStart(10)} ${measured.toFixed(0).padStart(13)}`);
    expect(`${limit}m`).toBe(COMPOSE.services[service].mem_limit.replace(/^.*:-|\}$/g, ''));
    expect(measured, service).toBeLessThan(limit * 0.8);
  }
  console.log(`${'together'.padEnd(16)} ${''.padStart(10)} ${sum.toFixed(0).padStart(13)}\n`);
});

test('down leaves nothing but the named volumes, and the other generation brings the history back', async () => {
  const samples = (await query('count_over_time(swarm_up[1h])')) ?? 0;
  expect(samples).toBeGreaterThan(10);
  const before = Date.now() / 1_000;
  await stack.compose(['down', '--timeout', '20']);
  expect(await stack.docker('ps', '--all', '--quiet')).toBe('');
  const names = async (what: string, field: string): Promise<Set<string>> =>
    new Set((await stack.docker(what, 'ls', '--format', `{{.${field}}}`)).split('\n'));
  expect(await names('network', 'Name')).toEqual(new Set(['bridge', 'host', 'none']));
  const volumes = await names('volume', 'Name');
  const named = Object.keys(COMPOSE.volumes).map((name) => `swarm_${name}`);
  expect(named).toEqual(expect.arrayContaining([...volumes]));
  expect(volumes).toContain('swarm_prometheus-data');

  await stack.up(stack.GENERATIONS['docker-compose 1.29']);
  await vi.waitFor(
    async () => expect(await query(`count_over_time(swarm_up[1h] @ ${before})`)).toBeGreaterThanOrEqual(samples),
    PATIENTLY,
  );
  const [task] = (await stack.swarmInside('queue', 'list')) as unknown as { state: string }[];
  expect(task.state).toBe('completed');
});

function inMegabytes(text: string): number {
  const [, figure, unit] = /^([\d.]+)([KMG])iB$/.exec(text) ?? [];
  return Number(figure) * { K: 1 / 1024, M: 1, G: 1024 }[unit as 'K' | 'M' | 'G'];
}
