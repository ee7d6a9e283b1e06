import type { Redis } from 'ioredis';
import { UnreachableError } from '../errors.ts';
import { findRedisFault, parseRedisInfo } from './redis-info.ts';

/** How long an answer holds: whoever puts thousands of tasks there does not ask for each. */
const TRUSTED_FOR_MS = 60_000;

/**
 * Gives a check to make before a task is promised; it asks Redis once a minute at most, and as often as that fails.
 * The check throws UnreachableError, saying what to set, if this Redis would lose tasks.
 */
export function createRedisTrust(redis: Redis): () => Promise<void> {
  let last: { readonly untilMs: number; readonly answer: Promise<void> } | undefined;
  return () => {
    const nowMs = performance.now();
    if (last !== undefined && nowMs < last.untilMs) return last.answer;
    const answer = assertKeepsTasks(redis);
    const asked = { untilMs: nowMs + TRUSTED_FOR_MS, answer };
    last = asked;
    answer.catch(() => {
      // Somebody may mend it this moment.
      if (last === asked) last = undefined;
    });
    return answer;
  };
}

async function assertKeepsTasks(redis: Redis): Promise<void> {
  const fault = findRedisFault(parseRedisInfo(await redis.info()));
  if (fault !== undefined) throw new UnreachableError('Could not entrust a task to Redis.', fault);
}
