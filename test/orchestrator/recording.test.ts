import { chmodSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test, vi } from 'vitest';
import { makeCrashScene } from '../support/crash-scene.ts';
import { boundByPermissions } from '../support/programs.ts';
import type { RoomProcess } from '../support/room-process.ts';

const LEASE = 'swarm:recorder-lease';
const WAIT = { timeout: 40_000, interval: 100 };

/** Makes a memory useless, and gives back what mends it. */
type Spoil = (path: string) => () => void;

const lock: Spoil = (path) => {
  const db = new Database(path);
  db.exec('BEGIN IMMEDIATE');
  return () => db.close();
};
const moveAway: Spoil = (path) => {
  renameSync(path, `${path}.away`);
  return () => renameSync(`${path}.away`, path);
};
const makeReadOnly: Spoil = (path) => {
  chmodSync(path, 0o444);
  chmodSync(dirname(path), 0o555);
  return () => {
    chmodSync(dirname(path), 0o755);
    chmodSync(path, 0o644);
  };
};

/** Waits until a recorder has taken a result, and cannot write it. */
async function untilInHand({ url }: RoomProcess): Promise<void> {
  await vi.waitFor(async () => expect(await (await fetch(`${url}/readyz`)).text()).toMatch(/holds it locked/), WAIT);
}

test.each<[string, Spoil, RegExp]>([
  ['locked', lock, /holds it locked/],
  ['away', moveAway, /Could not find the swarm memory/],
  ['read-only', makeReadOnly, /may not write there/],
])('while the memory is %s results wait in Redis, and are written once when it is back', async (_, spoil, reason) => {
  const scene = await makeCrashScene();
  const { url } = await scene.start({}, boundByPermissions());
  // Without the memory it cannot say what was spent, and no agent would run.
  await vi.waitFor(async () => expect(await scene.redis.client.hexists('swarm:budget', 'known')).toBe(1), WAIT);
  const mend = spoil(scene.memoryPath);
  let isMended = false;
  onTestFinished(() => {
    if (!isMended) mend();
  });
  const ids = await Promise.all([0, 1, 2].map(() => scene.ask('cost=0.02')));
  for (const id of ids) expect((await scene.untilOver(id)).end).toMatchObject({ outcome: 'ok' });
  await vi.waitFor(async () => {
    const response = await fetch(`${url}/readyz`);
    expect([response.status, await response.text()]).toEqual([503, expect.stringMatching(reason)]);
  }, WAIT);
  expect(await scene.queue.results()).toEqual({ waiting: ids.length, refused: 0 });
  mend();
  isMended = true;
  const rows = await scene.untilRows(ids.length);
  expect(new Set(rows.map(({ task_id }) => task_id))).toEqual(new Set(ids));
  expect(scene.rows('SELECT cost_usd FROM task_usage')).toHaveLength(ids.length);
  await vi.waitFor(async () => expect((await scene.queue.results()).waiting).toBe(0), WAIT);
});

test('what nobody can record is kept for a person to look at, counted, and keeps nothing else from being recorded', async () => {
  const scene = await makeCrashScene();
  const stream = 'swarm:swarm-results';
  const { client } = scene.redis;
  for (const text of ['no JSON', '{"version":1,"kind":"end"}', 'null']) await client.xadd(stream, '*', 'result', text);
  await client.xadd(stream, '*', 'something', 'else');
  const { url, output } = await scene.start();
  const id = await scene.ask('cost=0.02');
  expect(await scene.untilRows(1)).toMatchObject([{ task_id: id, success: 1 }]);
  await vi.waitFor(async () => expect(await scene.queue.results()).toEqual({ waiting: 0, refused: 4 }), WAIT);
  await vi.waitFor(() => expect(output().match(/a result is refused/g)).toHaveLength(4), WAIT);
  expect(output()).not.toContain('results could not be taken');
  expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^swarm_results_refused 4$/m);
  const kept = await client.xrange(`${stream}:refused`, '-', '+');
  expect(kept.map(([, [, , , reason]]) => reason)).toEqual(
    kept.map(() => expect.stringMatching(/^Could not accept the result: /)),
  );
});

test.each<[string, (holder: RoomProcess) => Promise<void>]>([
  [
    'killed',
    async (holder) => {
      await holder.end('SIGKILL');
    },
  ],
  ['stopped', async ({ child }) => void child.kill('SIGSTOP')],
])(
  'of two recorders only the holder of the lease writes; when it is %s with a result in hand the other does, once',
  async (_, harm) => {
    const scene = await makeCrashScene();
    const holder = await scene.start();
    await vi.waitFor(async () => expect(await scene.redis.client.exists(LEASE)).toBe(1), WAIT);
    const firstHolder = await scene.redis.client.get(LEASE);
    const other = await scene.start();
    const mend = lock(scene.memoryPath);
    const id = await scene.ask('cost=0.02');
    await scene.untilOver(id);
    await untilInHand(holder);
    await harm(holder);
    mend();
    // Until the lease has run out nobody writes, though the other could.
    expect(await scene.redis.client.get(LEASE)).toBe(firstHolder);
    expect(scene.rows()).toEqual([]);
    expect(await scene.untilRows(1)).toMatchObject([{ task_id: id, success: 1 }]);
    expect(await scene.redis.client.get(LEASE)).toContain(`:${other.child.pid}:`);
    holder.child.kill('SIGCONT');
    const next = await scene.ask('cost=0.02');
    expect((await scene.untilRows(2)).map(({ task_id }) => task_id)).toEqual([id, next]);
  },
);
