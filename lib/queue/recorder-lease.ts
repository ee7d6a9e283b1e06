import type { Redis } from 'ioredis';
import { redisKey } from './names.ts';
import { createScript } from './script.ts';

/** Whoever holds it is the only one who writes to the swarm's memory. */
const KEY = redisKey('recorder-lease');
export const LEASE_MS = 15_000;

const TAKE = createScript(`
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`);

const GIVE_UP = createScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`);

/** Takes or renews the lease for 15 s; false if somebody else holds it. */
export async function takeRecorderLease(redis: Redis, holder: string): Promise<boolean> {
  return (await TAKE(redis, [KEY], [holder, LEASE_MS])) === 1;
}

/** Gives the lease up, if it is `holder`'s. */
export async function giveUpRecorderLease(redis: Redis, holder: string): Promise<void> {
  await GIVE_UP(redis, [KEY], [holder]);
}
