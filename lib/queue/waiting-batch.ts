import type { Redis } from 'ioredis';
import { redisKey } from './names.ts';

/** A batch that the recorder refused, or Redis lost, does not stand in the way for longer. */
const FORGOTTEN_AFTER_SECONDS = 6 * 3_600;

const keyOf = (origin: string): string => redisKey('waiting-batch', origin);

/**
 * The batch of an origin that was handed to the recorder and may not be recorded yet. Until it is, no further one is taken: a
 * recorder that is down must not fill Redis with the same rows again and again, and a sender must know what has arrived.
 */
export async function readWaitingBatch(redis: Redis, origin: string): Promise<string | undefined> {
  return (await redis.get(keyOf(origin))) ?? undefined;
}

/** Notes a batch, once Redis has the result itself. */
export async function noteWaitingBatch(redis: Redis, origin: string, batch: string): Promise<void> {
  await redis.set(keyOf(origin), batch, 'EX', FORGOTTEN_AFTER_SECONDS);
}

/** It is recorded. */
export async function forgetWaitingBatch(redis: Redis, origin: string): Promise<void> {
  await redis.del(keyOf(origin));
}
