import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { createLog } from '../../../lib/log.ts';
import { startScheduler } from '../../../scheduler/scheduler.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { startFakeLitestream } from '../../support/fake-litestream.ts';
import { makeMemory, taskRow, tempDir } from '../../support/memory-builder.ts';
import { parseSamples } from '../../support/running-exporter.ts';
import { schedulerSettings } from '../../support/scheduler-scene.ts';

const LAG = 'swarm_replication_lag_seconds';
const SUCCESS = 'swarm_collector_success{collector="replication"}';

async function makeReplicationScene(env: Readonly<Record<string, string>> = {}) {
  const litestream = await startFakeLitestream();
  const folder = tempDir();
  const memory = makeMemory({ path: join(folder, 'swarm_memory.db') });
  // As Litestream does: while somebody has the memory open its -wal stays.
  const held = new Database(memory.path);
  held.prepare('SELECT count(*) FROM swarm_events').get();
  onTestFinished(() => void held.close());
  const clock = fakeClock(new Date().toISOString());
  const settings = schedulerSettings(folder, {
    SWARM_DB_PATH: memory.path,
    LITESTREAM_METRICS_URL: litestream.url,
    ...env,
  });
  const running = await startScheduler(settings, createLog('test', 'silent'), {
    ...{ timetable: [], parts: [], clock: clock.now },
  });
  onTestFinished(running.stop);
  const scrape = async () => parseSamples(await (await fetch(`http://127.0.0.1:${running.port}/metrics`)).text());
  return {
    ...{ litestream, memory, held, scrape },
    pass: (minutes: number) => clock.set(new Date(clock.now() + minutes * 60_000).toISOString()),
    write: () => memory.events(taskRow(Date.now())),
  };
}

test('the lag is 0 while what is written is uploaded, grows while it is not, and a checkpoint of old rows is nothing new', async () => {
  const { litestream, held, scrape, write, pass } = await makeReplicationScene();
  write();
  expect((await scrape()).has(LAG)).toBe(false);
  litestream.upload();
  expect((await scrape()).get(LAG)).toBe(0);
  held.pragma('wal_checkpoint(PASSIVE)');
  pass(60);
  expect((await scrape()).get(LAG)).toBe(0);
  write();
  await scrape();
  pass(10);
  write();
  const lag = (await scrape()).get(LAG) ?? 0;
  expect(Math.floor(lag / 60)).toBeGreaterThanOrEqual(10);
  litestream.upload();
  expect((await scrape()).get(LAG)).toBe(0);
});

test('without its address nothing is said, and nothing has failed', async () => {
  const { scrape } = await makeReplicationScene({ LITESTREAM_METRICS_URL: '' });
  await scrape();
  const samples = await scrape();
  expect([samples.has(LAG), samples.get(SUCCESS)]).toEqual([false, 1]);
});

test.each<[what: string, listener: RequestListener]>([
  ['an error', (_, response) => response.writeHead(503).end()],
  ['metrics of another program', (_, response) => response.end('go_goroutines 21\n')],
  ['a redirect', (_, response) => response.writeHead(302, { Location: '/elsewhere' }).end()],
  ['no number', (_, response) => response.end('litestream_replica_operation_total{operation="PUT"} many\n')],
  ['without an end', (_, response) => void response.write('litestream_txid 1\n')],
  [
    'more than anybody should read',
    (_, response) => {
      response.on('error', () => undefined);
      response.write('litestream_txid 1\n'.repeat(100_000));
    },
  ],
])('a Litestream that answers %s is a collector that failed, and no lag', async (_, listener) => {
  const { litestream, scrape } = await makeReplicationScene();
  await scrape();
  litestream.upload();
  expect((await scrape()).get(LAG)).toBe(0);
  litestream.answerWith(listener);
  const samples = await scrape();
  expect([samples.has(LAG), samples.get(SUCCESS)]).toEqual([false, 0]);
  expect(samples.get('swarm_collector_success{collector="slots"}')).toBe(1);
});
