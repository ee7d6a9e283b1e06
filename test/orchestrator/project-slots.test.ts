import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runSteps } from '../../lib/queue/script.ts';
import { createProjectSlots } from '../../orchestrator/project-slots.ts';
import { tempDir } from '../support/memory-builder.ts';
import { startRedis } from '../support/running-redis.ts';

async function makeSlots() {
  const redis = await startRedis(join(tempDir(), 'redis'));
  const slots = createProjectSlots(redis.client);
  const acquire = async (taskId: string, { project = 'acme', limit = 1, rank = 0 } = {}) => {
    const [isAcquired = false] = await runSteps(redis.client, slots.acquiring({ project, taskId, limit, rank }));
    return isAcquired;
  };
  return { redis, slots, acquire };
}

test('a project has as many tasks at a time as it allows, and projects do not mind each other', async () => {
  const { acquire } = await makeSlots();
  expect([await acquire('a'), await acquire('b'), await acquire('c', { project: 'other' })]).toEqual([
    true,
    false,
    true,
  ]);
  expect(await acquire('b', { limit: 2 })).toBe(true);
});

test('who has a slot takes it again: a task found after a crash does not wait for itself', async () => {
  const { acquire } = await makeSlots();
  expect([await acquire('a'), await acquire('a')]).toEqual([true, true]);
});

test('a slot that is given back calls the parked task of the least rank', async () => {
  const { slots, acquire } = await makeSlots();
  await acquire('a');
  await acquire('low', { rank: 20 });
  await acquire('high', { rank: 1 });
  expect(await slots.release('acme', 'a')).toBe('high');
  expect(await slots.release('acme', 'nobody')).toBe('low');
  expect(await slots.release('acme', 'nobody')).toBeUndefined();
});

test('of fifty tasks at once one gets the slot', async () => {
  const { acquire } = await makeSlots();
  const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => acquire(`t${index}`)));
  expect(answers.filter(Boolean)).toHaveLength(1);
});

test('parked tasks are called only for slots that are free', async () => {
  const { slots, acquire } = await makeSlots();
  await acquire('a', { limit: 2 });
  await acquire('b', { limit: 2 });
  for (const [index, id] of ['c', 'd', 'e'].entries()) await acquire(id, { limit: 2, rank: index });
  expect(await slots.takeCallable('acme', 2)).toEqual([]);
  expect(await slots.takeCallable('acme', 4)).toEqual(['c', 'd']);
  expect(await slots.takeCallable('acme', 4)).toEqual(['e']);
});

test('the slot of a machine that died is free once its lease is over, and a renewed one is not', async () => {
  const { redis, slots, acquire } = await makeSlots();
  await acquire('dead', { limit: 2 });
  await acquire('alive', { limit: 2 });
  const longAgo = Date.now() - 1;
  await redis.client.zadd('swarm:project:acme', longAgo, 'dead');
  await slots.renew('acme', 'alive');
  expect([await acquire('next', { limit: 2 }), await acquire('further', { limit: 2 })]).toEqual([true, false]);
});

test('a slot that was lost is not renewed into being', async () => {
  const { slots, acquire } = await makeSlots();
  await slots.renew('acme', 'stranger');
  expect(await acquire('a')).toBe(true);
});
