import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createLog } from '../../../lib/log.ts';
import { KEY_PREFIX, QUEUES } from '../../../lib/queue/names.ts';
import type { Notification } from '../../../lib/queue/notification.ts';
import { assemble } from '../../../scheduler/assemble.ts';
import { setGoal } from '../../../scheduler/goals.ts';
import { readWeek } from '../../../scheduler/retro/week.ts';
import { readSettings } from '../../../scheduler/settings.ts';
import { swarm } from '../../support/command-line.ts';
import { makeMemory, taskRow, tempDir } from '../../support/memory-builder.ts';
import { startRedis } from '../../support/running-redis.ts';

const FRIDAY = '2026-11-27T17:00:00Z';
const FRIDAY_MS = Date.parse(FRIDAY);
const NOWHERE = 'redis://127.0.0.1:1';

/** A memory of four tasks: before the week, in it, on its last moment, and after it. */
function memoryPath(): string {
  const memory = makeMemory();
  const at = [FRIDAY_MS - 8 * 86_400_000, FRIDAY_MS - 86_400_000, FRIDAY_MS, FRIDAY_MS + 3_600_000];
  memory.events(...at.map((ms, index) => taskRow(ms, { session_id: `s${index}` })));
  return memory.path;
}

/** A scheduler that stands at a moment it is given. */
function makeScheduler(redisUrl: string, env: Readonly<Record<string, string>> = {}) {
  const folder = tempDir();
  let nowMs = FRIDAY_MS - 86_400_000;
  const settings = readSettings({
    SWARM_DB_PATH: memoryPath(),
    MONITOR_DB_PATH: join(folder, 'monitor.db'),
    PROJECTS_FILE: join(folder, 'projects.json'),
    REDIS_URL: redisUrl,
    ...env,
  });
  const { runner, tools, close } = assemble(settings, createLog('test', 'silent'), { clock: () => nowMs });
  onTestFinished(close);
  const tickAt = async (moment: string): Promise<void> => {
    nowMs = Date.parse(moment);
    runner.tick();
    await runner.settled();
  };
  const slots = () =>
    tools.db
      .prepare("SELECT slot_utc, state, summary, error FROM schedule_slots WHERE job = 'retro' ORDER BY slot_utc")
      .all() as { slot_utc: string; state: string; summary: string | null; error: string | null }[];
  return { folder, tools, tickAt, slots, page: () => readFileSync(join(folder, 'retro/2026-11-27.md'), 'utf8') };
}

async function told(client: Redis): Promise<readonly Notification[]> {
  const queue = new Queue<Notification>(QUEUES.notifications, { connection: client, prefix: KEY_PREFIX });
  const jobs = await queue.getJobs(['waiting']);
  return jobs.map(({ data }) => data);
}

describe('the retro of Friday, 18:00', () => {
  test('is a page by its day, and its short form on the queue of notifications', async () => {
    const redis = await startRedis(tempDir());
    const { folder, tickAt, slots, page } = makeScheduler(redis.url);
    await tickAt('2026-11-26T12:00:00Z');
    await tickAt('2026-11-27T17:00:20Z');
    const file = join(folder, 'retro/2026-11-27.md');
    expect(slots()).toMatchObject([{ slot_utc: '2026-11-27T17:00:00.000Z', state: 'done', summary: file }]);
    expect(page()).toContain('Da venerdì 20 novembre alle 18:00 a venerdì 27 novembre alle 18:00.');
    expect([statSync(file).mode & 0o777, statSync(join(folder, 'retro')).mode & 0o777]).toEqual([0o600, 0o700]);
    const [{ kind, facts }] = await told(redis.client);
    expect([kind, facts.path, facts.text]).toEqual([
      'retro',
      file,
      expect.stringContaining('20–27 novembre 2026\n2 task'),
    ]);
    // Thursday and Friday evening, and the one task of the week before.
    const { from, days } = readWeek(facts.week)!;
    expect([from, days.length, days.at(-2), days.at(-1)]).toEqual(['2026-11-20', 8, [1, 0, 0, 1], [1, 0, 0, 0]]);
  });

  test('says how far the way to freedom has come, where somebody has set it', async () => {
    const redis = await startRedis(tempDir());
    const { tools, tickAt, page } = makeScheduler(redis.url);
    setGoal(tools.db, 'liberta-geo', 30, FRIDAY_MS - 8 * 86_400_000);
    setGoal(tools.db, 'liberta-geo', 35, FRIDAY_MS - 86_400_000);
    setGoal(tools.db, 'liberta-geo', 90, FRIDAY_MS + 1);
    await tickAt('2026-11-26T12:00:00Z');
    await tickAt('2026-11-27T17:00:20Z');
    expect(page()).toMatch(/\| Libertà geo +\| +35% \| +▲ da 30% \| +– \|/);
    expect((await told(redis.client))[0].facts.text).toContain('\nLibertà geo: 35% (prima 30%)\n');
  });

  test('done twice for the same slot is one page and one message, whatever was written meanwhile', async () => {
    const redis = await startRedis(tempDir());
    const { folder, tools, tickAt, page } = makeScheduler(redis.url);
    await tickAt('2026-11-26T12:00:00Z');
    await tickAt('2026-11-27T17:00:20Z');
    const before = page();
    rmSync(join(folder, 'retro'), { recursive: true });
    tools.db.exec("UPDATE schedule_slots SET state = 'due' WHERE job = 'retro'");
    await tickAt('2026-11-27T17:01:20Z');
    expect(page()).toBe(before);
    expect(await told(redis.client)).toHaveLength(1);
    expect(tools.db.prepare('SELECT count(*) FROM retros').pluck().get()).toBe(1);
  });

  test('done late is still that of its week', async () => {
    const redis = await startRedis(tempDir());
    const { tickAt, slots, page } = makeScheduler(redis.url);
    await tickAt('2026-11-26T12:00:00Z');
    await tickAt('2026-11-29T10:00:00Z');
    expect(slots()).toMatchObject([{ slot_utc: '2026-11-27T17:00:00.000Z', state: 'done' }]);
    expect(page()).toContain('a venerdì 27 novembre alle 18:00');
    expect(page()).toContain('2 task');
  });

  test('waits with its message while Redis is away, and is in its file meanwhile', async () => {
    const redis = await startRedis(tempDir());
    await redis.kill();
    const { tickAt, slots, page } = makeScheduler(redis.url);
    await tickAt('2026-11-26T12:00:00Z');
    await tickAt('2026-11-27T17:00:20Z');
    expect(slots()).toMatchObject([{ state: 'waiting', error: expect.stringContaining('2026-11-27.md') }]);
    expect(page()).toContain('2 task');
    await redis.start();
    await tickAt('2026-11-27T17:01:20Z');
    expect(slots()).toMatchObject([{ state: 'done' }]);
    expect(await told(redis.client)).toHaveLength(1);
  });

  test('fails, and says why, where there is no memory', async () => {
    const { tickAt, slots } = makeScheduler(NOWHERE, { SWARM_DB_PATH: '/nowhere/swarm_memory.db' });
    await tickAt('2026-11-26T12:00:00Z');
    await tickAt('2026-11-27T17:00:20Z');
    expect(slots()).toMatchObject([
      { state: 'failed', error: expect.stringContaining('Could not find the swarm memory') },
    ]);
  });

  test('speaks English where people do', async () => {
    const redis = await startRedis(tempDir());
    const { tickAt, page } = makeScheduler(redis.url, { SWARM_LANG: 'en' });
    await tickAt('2026-11-26T12:00:00Z');
    await tickAt('2026-11-27T17:00:20Z');
    expect(page()).toContain('# Retrospective of the swarm: 20–27 November 2026');
    expect((await told(redis.client))[0].facts.text).toContain('2 tasks (0.29 a day)');
  });
});

describe('swarm schedule run retro', () => {
  const environment = (cwd: string, redisUrl: string) => ({
    SWARM_DB_PATH: memoryPath(),
    MONITOR_DB_PATH: join(cwd, 'data/monitor.db'),
    REDIS_URL: redisUrl,
  });

  test('makes one of the last seven days, with the time of day in the name of its file', async () => {
    const redis = await startRedis(tempDir());
    const cwd = tempDir();
    const env = environment(cwd, redis.url);
    const { code, stdout } = await swarm(['schedule', 'run', 'retro', '--json'], { cwd, env });
    expect([code, JSON.parse(stdout).state]).toEqual([0, 'done']);
    expect(readdirSync(join(cwd, 'data/retro'))).toEqual([expect.stringMatching(/^\d{4}-\d\d-\d\d-\d{4}\.md$/)]);
    expect(await told(redis.client)).toMatchObject([{ kind: 'retro' }]);
  });

  test('without Redis ends with exit code 3, and says where the page is', async () => {
    const cwd = tempDir();
    const { code, stderr } = await swarm(['schedule', 'run', 'retro'], { cwd, env: environment(cwd, NOWHERE) });
    expect(code).toBe(3);
    const path = /which is in "([^"]+)"/.exec(stderr)?.[1] ?? '';
    expect(existsSync(path)).toBe(true);
  });
});
