import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { createDemoMemory } from '../../lib/memory/demo/demo.ts';
import { countEvents, makeBackupScene } from '../support/backup-scene.ts';
import { tempDir } from '../support/memory-builder.ts';
import { figuresOf, openReader } from '../support/memory-figures.ts';
import { createTestClock } from '../support/memory-values.ts';
import { IS_ROOT } from '../support/programs.ts';
import { withReadOnlyMount } from '../support/read-only-mount.ts';
import { startExporter } from '../support/running-exporter.ts';
import { startRedis } from '../support/running-redis.ts';

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js');
const ARCHIVED = /swarm_memory-archive-\d{4}\.db$/;

/** A scene whose memory has 400 days of made-up events up to now, and a Redis. */
async function makeScene() {
  const scene = makeBackupScene();
  const path = join(tempDir(), 'swarm_memory.db');
  createDemoMemory({ path, seed: 7, days: 400, untilMs: Date.now() - 60_000, timezone: 'Europe/Rome' });
  const { url, client: redis } = await startRedis(join(scene.folder, 'redis'));
  const rows = countEvents(path) as number;
  const env = { SWARM_DB_PATH: path, REDIS_URL: url, ARCHIVE_AFTER_DAYS: '60' };
  const clock = createTestClock(Date.now());
  return { ...scene, path, env, rows, redis, readFigures: () => openReader(path, clock).read(figuresOf) };
}

/** What a scrape says of the events, without what is measured of the scrape and of the file itself. */
const eventsOf = (text: string): readonly string[] =>
  text
    .split('\n')
    .filter((line) => !/^#|_duration_seconds\{collector|swarm_scrape_|swarm_db_|_age_|in_progress_seconds/.test(line));

test('the job moves old events and the exporter goes on saying the same of them', async () => {
  const { path, env, swarm, rows } = await makeScene();
  const exporter = await startExporter({ databasePath: path });
  const scrape = async (): Promise<readonly string[]> =>
    eventsOf(await (await fetch(`${exporter.url}/metrics`)).text());
  const before = await scrape();
  const { code, stdout } = await swarm(['schedule', 'run', 'archive'], env);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^archive: done \(\d+ events moved\)/)]);
  expect(countEvents(path)).toBeLessThan(rows / 2);
  expect(await scrape()).toEqual(before);
});

test.each<[string, (scene: Awaited<ReturnType<typeof makeScene>>) => boolean]>([
  ['while it copies', ({ path }) => readdirSync(dirname(path)).some((name) => name.endsWith('.tmp'))],
  ['when the first year is copied', ({ path }) => readdirSync(dirname(path)).some((name) => ARCHIVED.test(name))],
  ['while it deletes', ({ path, rows }) => (countEvents(path) as number) < rows],
])('killed %s it neither loses nor doubles a row', async (_, isTime) => {
  const scene = await makeScene();
  const { path, env, start, swarm, readFigures, rows, redis } = scene;
  const before = await readFigures();
  const { child, ended } = start(['schedule', 'run', 'archive'], env);
  await vi.waitFor(() => expect(isTime(scene)).toBe(true), { timeout: 30_000, interval: 1 });
  child.kill('SIGKILL');
  expect((await ended).code).toBe(null);
  expect(await readFigures()).toEqual(before);
  // The dead process would have its lease for 15 s.
  await redis.flushall();
  expect((await swarm(['schedule', 'run', 'archive'], env)).code).toBe(0);
  expect(await readFigures()).toEqual(before);
  const files = readdirSync(dirname(path));
  expect(files.filter((name) => name.endsWith('.tmp'))).toEqual([]);
  const counts = files
    .filter((name) => name.endsWith('.db'))
    .map((name) => countEvents(join(dirname(path), name)) as number);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(rows);
});

test('archives are backed up when they have changed, and only then', async () => {
  const { env, swarm } = await makeScene();
  await swarm(['schedule', 'run', 'archive'], env);
  const sources = async (): Promise<readonly string[]> => {
    const { stdout } = await swarm(['backup', '--json'], env);
    return (JSON.parse(stdout) as { source: string }[])
      .map(({ source }) => source)
      .filter((source) => ARCHIVED.test(source));
  };
  expect((await sources()).length).toBeGreaterThan(0);
  expect(await sources()).toEqual([]);
});

test.runIf(IS_ROOT)(
  'where the memory is mounted read-only, as for the scheduler in Compose, it fails at once and says what to do, also when nothing is old enough yet',
  async () => {
    const { path, env, folder, monitorDbPath, swarm, rows } = await makeScene();
    const mountPoint = join(folder, 'mounted');
    const [program, ...args] = withReadOnlyMount(dirname(path), mountPoint);
    const inside = {
      ...{ ...env, PATH: process.env.PATH, MONITOR_DB_PATH: monitorDbPath },
      SWARM_DB_PATH: join(mountPoint, 'swarm_memory.db'),
    };
    for (const ARCHIVE_AFTER_DAYS of ['60', '10000']) {
      const command = [...args, process.execPath, MAIN, 'schedule', 'run', 'archive'];
      const end = spawnSync(program, command, {
        ...{ cwd: folder, encoding: 'utf8' },
        env: { ...inside, ARCHIVE_AFTER_DAYS },
      });
      expect([end.status, end.stderr]).toEqual([
        1,
        expect.stringMatching(
          /^archive: failed: Could not move old events .*\(EROFS\)\. .*mounted read-only.*docs\/deploy\.md/,
        ),
      ]);
    }
    // What the timetable shows, and the digest counts.
    const listed = JSON.parse((await swarm(['schedule', '--json'], env)).stdout) as { job: string }[];
    expect(listed.find(({ job }) => job === 'archive')).toMatchObject({
      lastState: 'failed',
      lastText: expect.stringMatching(/EROFS/),
    });
    expect(countEvents(path)).toBe(rows);
    expect(readdirSync(dirname(path)).filter((name) => ARCHIVED.test(name))).toEqual([]);
    // The way docs/deploy.md shows: by a process that may write, with a monitor.db of its own.
    const { code } = await swarm(['schedule', 'run', 'archive'], { ...env, MONITOR_DB_PATH: join(folder, 'other.db') });
    expect([code, (countEvents(path) as number) < rows]).toEqual([0, true]);
  },
);

test('is off unless an age is set, and needs neither Redis nor memory then', async () => {
  const scene = makeBackupScene();
  const { code, stdout } = await scene.swarm(['schedule', 'run', 'archive']);
  expect([code, stdout]).toEqual([0, 'archive: done (off: ARCHIVE_AFTER_DAYS is 0)\n']);
});
