import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { postMessage, tellMessages } from '../../scheduler/outbox.ts';
import { createOutboxPart } from '../../scheduler/parts/outbox.ts';
import { tempDir } from '../support/memory-builder.ts';
import { startRedis } from '../support/running-redis.ts';
import { makeMachinery } from '../support/scheduler-scene.ts';
import { readTold } from '../support/told.ts';

const message = (key: string, kind = 'checklist') =>
  ({ key, kind, facts: { text: key } }) as Parameters<typeof postMessage>[1];

async function makeOutboxScene() {
  const folder = tempDir();
  const redis = await startRedis(join(folder, 'redis'));
  const { tools } = makeMachinery({ timetable: [], jobs: [] }, { folder, env: { REDIS_URL: redis.url } });
  return { redis, tools, told: readTold(redis.client) };
}

test('what was posted while Redis was away is told by itself, once it is back', async () => {
  const { redis, tools, told } = await makeOutboxScene();
  await redis.kill();
  postMessage(tools.db, message('first'), 1);
  expect(await tellMessages(tools)).toBe(1);
  const state = await createOutboxPart(20).start(tools);
  if ('stop' in state) onTestFinished(state.stop);
  await redis.start();
  await vi.waitFor(async () => expect((await told()).map(({ key }) => key)).toEqual(['first']), { timeout: 10_000 });
});

test('messages are told in order, one key once, and one that cannot be told holds up no other', async () => {
  const { tools, told } = await makeOutboxScene();
  postMessage(tools.db, message('second'), 2);
  postMessage(tools.db, message('first'), 1);
  postMessage(tools.db, message('first'), 3);
  postMessage(tools.db, message('odd', 'of another version'), 0);
  expect(await tellMessages(tools)).toBe(0);
  expect(await tellMessages(tools)).toBe(0);
  expect((await told()).map(({ key }) => key)).toEqual(['first', 'second']);
});

test('what was posted in a transaction that failed is never told', async () => {
  const { tools, told } = await makeOutboxScene();
  const post = tools.db.transaction(() => {
    postMessage(tools.db, message('never'), 1);
    throw new Error('disk full');
  });
  expect(post).toThrow('disk full');
  expect(await tellMessages(tools)).toBe(0);
  expect(await told()).toEqual([]);
});
