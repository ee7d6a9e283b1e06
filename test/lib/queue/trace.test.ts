import { expect, test } from 'vitest';
import { addTrace, dropTrace, readTrace } from '../../../lib/queue/trace.ts';
import { tempDir } from '../../support/memory-builder.ts';
import { startRedis } from '../../support/running-redis.ts';

test('a trace is told oldest first, with a detail where there is one', async () => {
  const { client } = await startRedis(tempDir());
  await addTrace(client, 'task-1', 'requested', 'by cli');
  await addTrace(client, 'task-1', 'ended');
  await addTrace(client, 'task-2', 'requested');
  const trace = await readTrace(client, 'task-1');
  expect(trace.map(({ at: _, ...rest }) => rest)).toEqual([
    { event: 'requested', detail: 'by cli' },
    { event: 'ended' },
  ]);
  expect(trace.every(({ at }) => !Number.isNaN(Date.parse(at)))).toBe(true);
});

test('of more than 200 events the oldest are forgotten, and a long detail is cut', async () => {
  const { client } = await startRedis(tempDir());
  for (let number = 1; number <= 250; number += 1)
    await addTrace(client, 'task-1', `event ${number}`, 'x'.repeat(5_000));
  const trace = await readTrace(client, 'task-1');
  expect(trace).toHaveLength(200);
  expect([trace[0].event, trace[199].event]).toEqual(['event 51', 'event 250']);
  expect(trace[0].detail).toHaveLength(500);
});

test('a trace is forgotten in the end, or when it is dropped', async () => {
  const { client } = await startRedis(tempDir());
  await addTrace(client, 'task-1', 'requested');
  const seconds = await client.ttl('swarm:trace:task-1');
  expect([seconds > 35 * 86_400, seconds <= 40 * 86_400]).toEqual([true, true]);
  await dropTrace(client, 'task-1');
  expect(await readTrace(client, 'task-1')).toEqual([]);
});
