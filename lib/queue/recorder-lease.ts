import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { OperatorError } from '../errors.ts';
import { redisKey } from './names.ts';
import { createScript } from './script.ts';

/** Whoever holds it is the only one who writes to the swarm's memory. */
const KEY = redisKey('recorder-lease');
/** Who has asked for the lease: the recorder gives way the next time it renews its own. */
const WANTED_KEY = redisKey('recorder-lease-wanted');
export const LEASE_MS = 15_000;
const ASK_EVERY_MS = 500;
const RENEW_EVERY_MS = 5_000;
/** As long as a lease that nobody renews lasts, and a look at it. */
const LONGEST_WAIT_MS = LEASE_MS + 2 * ASK_EVERY_MS;

const TAKE = createScript(`
local holder = redis.call('GET', KEYS[1])
local wanted = redis.call('GET', KEYS[2])
if wanted and wanted ~= ARGV[1] then
  if holder == ARGV[1] then redis.call('DEL', KEYS[1]) end
  return 0
end
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`);

const GIVE_UP = createScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`);

/** Takes or renews the lease for 15 s; false if somebody else holds it, or has asked for it. */
export async function takeRecorderLease(redis: Redis, holder: string): Promise<boolean> {
  return (await TAKE(redis, [KEY, WANTED_KEY], [holder, LEASE_MS])) === 1;
}

/** Gives the lease up, if it is `holder`'s. */
export async function giveUpRecorderLease(redis: Redis, holder: string): Promise<void> {
  await GIVE_UP(redis, [KEY], [holder]);
}

/**
 * Does some work with the lease, which a recorder that has it gives up within seconds and gets back afterwards; results
 * wait in Redis meanwhile. `assertHeld` throws if the lease was lost.
 * @throws OperatorError if it cannot be had within 16 s.
 */
export async function withRecorderLease<T>(
  redis: Redis,
  holder: string,
  work: (assertHeld: () => void) => Promise<T>,
): Promise<T> {
  let heldUntilMs = 0;
  const take = async (): Promise<boolean> => {
    const askedMs = performance.now();
    await redis.set(WANTED_KEY, holder, 'PX', LEASE_MS);
    const isTaken = await takeRecorderLease(redis, holder);
    if (isTaken) heldUntilMs = askedMs + LEASE_MS;
    return isTaken;
  };
  const untilMs = performance.now() + LONGEST_WAIT_MS;
  let renewals: NodeJS.Timeout | undefined;
  try {
    while (!(await take())) {
      if (performance.now() > untilMs) throw notGiven();
      await sleep(ASK_EVERY_MS);
    }
    renewals = setInterval(() => void take().catch(() => undefined), RENEW_EVERY_MS);
    return await work(() => {
      if (performance.now() > heldUntilMs) throw notGiven();
    });
  } finally {
    clearInterval(renewals);
    await redis.del(WANTED_KEY).catch(() => undefined);
    await giveUpRecorderLease(redis, holder).catch(() => undefined);
  }
}

function notGiven(): OperatorError {
  return new OperatorError(
    'Could not have the memory to ourselves: a recorder holds its lease, or Redis was lost.',
    'Stop the orchestrator (docker-compose stop orchestrator), do this again, then start it.',
  );
}
