import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createLog } from '../../../lib/log.ts';
import { parseCron } from '../../../scheduler/cron.ts';
import { createHealthJob } from '../../../scheduler/jobs/health.ts';
import { collectMetrics } from '../../../scheduler/metrics.ts';
import { slots } from '../../../scheduler/slots.ts';
import { TIMETABLE } from '../../../scheduler/timetable.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { serveHttp } from '../../support/health-scene.ts';
import { tempDir } from '../../support/memory-builder.ts';
import { startRedis } from '../../support/running-redis.ts';
import { makeMachinery, writeProjects } from '../../support/scheduler-scene.ts';
import { readTold } from '../../support/told.ts';

const ENTRY = TIMETABLE.find(({ job }) => job === 'health') as (typeof TIMETABLE)[number];
const at = (hour: string): string => `2026-06-01T${hour}:00Z`;

/** A scheduler whose only job is the health check, a project with a page, and a Redis. */
async function makeHealthScene(env: Readonly<Record<string, string>> = {}) {
  const folder = tempDir();
  const redis = await startRedis(join(folder, 'redis'));
  let status = 200;
  const url = await serveHttp((_, response) => void response.writeHead(status).end());
  writeProjects(folder, [
    {
      name: 'acme',
      path: folder,
      checks: [
        { type: 'http', url },
        { type: 'container', container: 'x' },
      ],
    },
  ]);
  const clock = fakeClock('2026-05-31T23:00:00Z');
  const options = {
    folder,
    env: {
      SWARM_TIMEZONE: 'UTC',
      REDIS_URL: redis.url,
      SWARM_DB_PATH: join(folder, 'swarm_memory.db'),
      BACKUP_DIR: join(folder, 'backups'),
      ...env,
    },
  };
  const start = () => makeMachinery({ timetable: [ENTRY], jobs: [createHealthJob(10)], clock: clock.now }, options);
  const machinery = start();
  await machinery.tickUntilSettled();
  const { db, counters } = machinery.tools;
  return {
    ...{ folder, redis, clock, db, machinery, start, told: readTold(redis.client) },
    answerWith: (next: number): void => {
      status = next;
    },
    runAt: async (moment: string) => {
      clock.set(moment);
      await machinery.tickUntilSettled();
      const find = db.prepare<[], { state: string; summary: string }>(
        'SELECT state, summary FROM schedule_slots ORDER BY slot_utc DESC LIMIT 1',
      );
      return find.get();
    },
    metrics: async () => {
      const sources = {
        ...{ db, entries: machinery.entries, counters, hasSecondPlace: false, nowMs: clock.now() },
        watchReplication: async () => [],
      };
      return (await collectMetrics(sources, createLog('test', 'silent')))
        .filter(({ name }) => name.startsWith('swarm_project'))
        .flatMap(({ name, samples }) => samples.map(({ labels, value }) => ({ name, ...labels, value })));
    },
  };
}

test('something is told only when it changes, with how long it lasted', async () => {
  const { answerWith, runAt, told } = await makeHealthScene();
  expect(await runAt(at('00:00'))).toEqual({ state: 'done', summary: '2 up, 0 down, 4 unavailable' });
  await runAt(at('06:00'));
  expect(await told()).toEqual([]);
  answerWith(502);
  expect(await runAt(at('12:00'))).toMatchObject({ summary: '1 up, 1 down, 4 unavailable (acme http)' });
  await runAt(at('18:00'));
  answerWith(200);
  await runAt('2026-06-02T00:00:00Z');
  expect(await told()).toMatchObject([
    {
      kind: 'project-health',
      key: 'health-2026-06-01T120000000Z',
      facts: { down: 1, up: 0, text: '❌ acme, http: non va: risposta 502, attesa 2xx; andava da 12 h' },
    },
    {
      kind: 'project-health',
      key: 'health-2026-06-02T000000000Z',
      facts: { down: 0, up: 1, text: '✅ acme, http: di nuovo a posto dopo 12 h (risposta 200)' },
    },
  ]);
});

test('what is down at the first look is told, in the language of the settings', async () => {
  const { answerWith, runAt, told } = await makeHealthScene({ SWARM_LANG: 'en' });
  answerWith(500);
  await runAt(at('00:00'));
  expect((await told())[0].facts.text).toBe('❌ acme, http: down: answered 500, expected 2xx');
});

test('what cannot be checked for a while is neither a change nor the end of what was', async () => {
  const { folder, answerWith, runAt, told } = await makeHealthScene();
  await runAt(at('00:00'));
  const http = { type: 'http', url: 'https://127.0.0.1:1/', ca: '/nowhere/ca.pem' };
  writeProjects(folder, [{ name: 'acme', path: folder, checks: [http] }]);
  await runAt(at('06:00'));
  answerWith(500);
  expect(await told()).toEqual([]);
  writeProjects(folder, [{ name: 'acme', path: folder, checks: [{ type: 'http', url: 'http://127.0.0.1:1/' }] }]);
  await runAt(at('12:00'));
  expect((await told())[0].facts.text).toBe('❌ acme, http: non va: nessuno ascolta (ECONNREFUSED); andava da 12 h');
});

test('results become metrics; what could not be checked, or is no longer asked for, has none', async () => {
  const { folder, runAt, metrics } = await makeHealthScene();
  expect(await metrics()).toEqual([]);
  await runAt(at('00:00'));
  const found = await metrics();
  expect(found.filter(({ name }) => name === 'swarm_project_up')).toEqual([
    { name: 'swarm_project_up', project: 'acme', check: 'disk', value: 1 },
    { name: 'swarm_project_up', project: 'acme', check: 'http', value: 1 },
  ]);
  expect(found.filter(({ name }) => name === 'swarm_project_check_seconds')).toHaveLength(2);
  writeProjects(folder, [{ name: 'acme', path: folder }]);
  await runAt(at('06:00'));
  expect((await metrics()).map(({ name, ...labels }) => [name, labels])).toEqual([
    ['swarm_project_up', { project: 'acme', check: 'disk', value: 1 }],
    ['swarm_project_check_seconds', expect.objectContaining({ project: 'acme', check: 'disk' })],
  ]);
});

test('results of days ago are no metrics any more', async () => {
  const { runAt, metrics, clock } = await makeHealthScene();
  await runAt(at('00:00'));
  clock.set('2026-06-03T00:01:00Z');
  expect(await metrics()).toEqual([]);
});

test('while Redis is away results are written all the same, and changes are told once it is back', async () => {
  const { redis, machinery, answerWith, runAt, told, db } = await makeHealthScene();
  await runAt(at('00:00'));
  answerWith(500);
  await redis.kill();
  expect(await runAt(at('06:00'))).toMatchObject({
    state: 'done',
    summary: expect.stringContaining('1 down, 4 unavailable (acme http); 1 not told yet: the queue is away'),
  });
  expect(db.prepare("SELECT count(*) FROM health_results WHERE state = 'down'").pluck().get()).toBe(1);
  await redis.start();
  await runAt(at('12:00'));
  await machinery.runner.settled();
  expect(await told()).toMatchObject([{ key: 'health-2026-06-01T060000000Z' }]);
});

test('of two schedulers one looks, and a run that is done again after a crash tells nothing twice', async () => {
  const { answerWith, runAt, told, start, clock, db, machinery } = await makeHealthScene();
  const other = start();
  answerWith(500);
  clock.set(at('00:00'));
  await Promise.all([machinery.tickUntilSettled(), other.tickUntilSettled()]);
  expect(await told()).toHaveLength(1);
  db.prepare("UPDATE schedule_slots SET state = 'due'").run();
  db.prepare('UPDATE outbox SET told_at = NULL').run();
  expect(await runAt(at('00:01'))).toEqual({ state: 'done', summary: 'was checked already' });
  expect(await told()).toHaveLength(1);
  expect(db.prepare('SELECT count(DISTINCT run_utc) FROM health_results').pluck().get()).toBe(1);
});

test('many changes fit into one message, whole lines only, and it says how many are left out', async () => {
  const { folder, runAt, told } = await makeHealthScene();
  const checks = Array.from({ length: 40 }, () => ({ type: 'tcp', host: '127.0.0.1', port: 1 }));
  writeProjects(folder, [{ name: 'acme', path: folder, checks }]);
  await runAt(at('00:00'));
  const text = String((await told())[0].facts.text);
  expect(text.length).toBeLessThanOrEqual(1_000);
  const lines = text.split('\n');
  expect(lines.slice(0, -1).every((line) => line.endsWith('(ECONNREFUSED)'))).toBe(true);
  expect(lines.at(-1)).toBe(`… e altri ${40 - lines.length + 1}`);
});

test.each(['2026-03-29', '2026-10-25', '2026-06-01'])(
  'by the clock of Rome it is due four times on %s, also when clocks change',
  (day) => {
    const from = Date.parse(`${day}T00:00:00Z`) - 3 * 3_600_000;
    const due = slots(parseCron(ENTRY.at), from, from + 26 * 3_600_000, 'Europe/Rome');
    const local = due.map((ms) =>
      new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Rome', dateStyle: 'short', timeStyle: 'short' }).format(ms),
    );
    expect(local.filter((each) => each.startsWith(day))).toEqual(
      ['00:00', '06:00', '12:00', '18:00'].map((time) => `${day} ${time}`),
    );
  },
);

test('a check that hangs is left behind when the scheduler stops', async () => {
  const scene = await makeHealthScene();
  const hanging = await serveHttp(() => undefined);
  writeProjects(scene.folder, [
    { name: 'acme', path: scene.folder, checks: [{ type: 'http', url: hanging, timeoutSeconds: 120 }] },
  ]);
  scene.clock.set(at('00:00'));
  scene.machinery.runner.tick();
  scene.machinery.runner.stop();
  await scene.machinery.runner.settled();
  const state = scene.db.prepare('SELECT state FROM schedule_slots').pluck().get();
  expect(state).toBe('due');
});
