import type { Redis } from 'ioredis';
import { redisKey } from './names.ts';

/** A result that Redis lost after all is offered again after this. */
const FORGOTTEN_AFTER_SECONDS = 6 * 3_600;

const keyOf = (origin: string): string => redisKey('waiting-batch', origin);

/**
 * The batch of an origin that was last handed to the recorder: while it is not recorded no further one is, so that a recorder
 * that is down does not fill Redis with the same rows again and again.
 */
export async function readWaitingBatch(redis: Redis, origin: string): Promise<string | undefined> {
  return (await redis.get(keyOf(origin))) ?? undefined;
}

/** Notes it, once Redis has the result itself. */
export async function noteWaitingBatch(redis: Redis, origin: string, batch: string): Promise<void> {
  await redis.set(keyOf(origin), batch, 'EX', FORGOTTEN_AFTER_SECONDS);
}

/** It is recorded. */
export async function forgetWaitingBatch(redis: Redis, origin: string): Promise<void> {
  await redis.del(keyOf(origin));
}
