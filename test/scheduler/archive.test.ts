import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createDemoMemory } from '../../lib/memory/demo/demo.ts';
import { countEvents, makeBackupScene } from '../support/backup-scene.ts';
import { tempDir } from '../support/memory-builder.ts';
import { figuresOf, openReader } from '../support/memory-figures.ts';
import { createTestClock } from '../support/memory-values.ts';
import { startExporter } from '../support/running-exporter.ts';
import { startRedis } from '../support/running-redis.ts';

const ARCHIVED = /swarm_memory-archive-\d{4}\.db$/;

/** A scene whose memory has 250 days of made-up events up to now, and a Redis. */
async function makeScene() {
  const scene = makeBackupScene();
  const path = join(tempDir(), 'swarm_memory.db');
  createDemoMemory({ path, seed: 7, days: 250, untilMs: Date.now() - 60_000, timezone: 'Europe/Rome' });
  const { url } = await startRedis(join(scene.folder, 'redis'));
  const env = { SWARM_DB_PATH: path, REDIS_URL: url, ARCHIVE_AFTER_DAYS: '60' };
  const clock = createTestClock(Date.now());
  return { ...scene, path, env, readFigures: () => openReader(path, clock).read(figuresOf) };
}

/** What a scrape says of the events, without what is measured of the scrape and of the file itself. */
const eventsOf = (text: string): readonly string[] =>
  text
    .split('\n')
    .filter((line) => !/^#|_duration_seconds\{collector|swarm_scrape_|swarm_db_|_age_|in_progress_seconds/.test(line));

test('the job moves old events and the exporter goes on saying the same of them', async () => {
  const { path, env, swarm } = await makeScene();
  const exporter = await startExporter({ databasePath: path });
  const scrape = async (): Promise<readonly string[]> =>
    eventsOf(await (await fetch(`${exporter.url}/metrics`)).text());
  const before = await scrape();
  const rows = countEvents(path) as number;
  const { code, stdout } = await swarm(['schedule', 'run', 'archive'], env);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^archive: done \(\d+ events moved\)/)]);
  expect(countEvents(path)).toBeLessThan(rows / 2);
  expect(await scrape()).toEqual(before);
});

test('killed at whatever moment it neither loses nor doubles a row', async () => {
  const { path, env, start, swarm, readFigures } = await makeScene();
  const before = await readFigures();
  for (const afterMs of [500, 800, 1_000, 1_200, 1_500]) {
    const { child, ended } = start(['schedule', 'run', 'archive'], env);
    await sleep(afterMs);
    child.kill('SIGKILL');
    await ended;
    expect(await readFigures()).toEqual(before);
  }
  expect((await swarm(['schedule', 'run', 'archive'], env)).code).toBe(0);
  expect(await readFigures()).toEqual(before);
  expect(readdirSync(dirname(path)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
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

test('is off unless an age is set, and needs neither Redis nor memory then', async () => {
  const scene = makeBackupScene();
  const { code, stdout } = await scene.swarm(['schedule', 'run', 'archive']);
  expect([code, stdout]).toEqual([0, 'archive: done (off: ARCHIVE_AFTER_DAYS is 0)\n']);
});
