import { expect, test } from 'vitest';
import { giveUpRecorderLease, LEASE_MS, takeRecorderLease } from '../../../lib/queue/recorder-lease.ts';
import { tempDir } from '../../support/memory-builder.ts';
import { startRedis } from '../../support/running-redis.ts';

const KEY = 'swarm:recorder-lease';

test('one of two has the lease, and renews it', async () => {
  const { client } = await startRedis(tempDir());
  expect([await takeRecorderLease(client, 'a'), await takeRecorderLease(client, 'b')]).toEqual([true, false]);
  await client.pexpire(KEY, 1_000);
  expect(await takeRecorderLease(client, 'b')).toBe(false);
  expect(await client.pttl(KEY)).toBeLessThanOrEqual(1_000);
  expect(await takeRecorderLease(client, 'a')).toBe(true);
  expect(await client.pttl(KEY)).toBeGreaterThan(LEASE_MS / 2);
});

test('the lease of who does not renew it goes to the next, and cannot be given up by the first any more', async () => {
  const { client } = await startRedis(tempDir());
  await takeRecorderLease(client, 'a');
  await client.pexpire(KEY, 0);
  expect(await takeRecorderLease(client, 'b')).toBe(true);
  expect(await takeRecorderLease(client, 'a')).toBe(false);
  await giveUpRecorderLease(client, 'a');
  expect(await client.get(KEY)).toBe('b');
});

test('a lease given up is free at once', async () => {
  const { client } = await startRedis(tempDir());
  await giveUpRecorderLease(client, 'a');
  await takeRecorderLease(client, 'a');
  await giveUpRecorderLease(client, 'a');
  expect(await takeRecorderLease(client, 'b')).toBe(true);
});

test('of fifty at once one has the lease', async () => {
  const { client } = await startRedis(tempDir());
  const taken = await Promise.all(
    Array.from({ length: 50 }, (_, holder) => takeRecorderLease(client, `holder ${holder}`)),
  );
  expect(taken.filter(Boolean)).toHaveLength(1);
});
