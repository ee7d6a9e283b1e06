import type { Redis } from 'ioredis';
import type { WorkConfig } from '../config.ts';
import { connectOnce, explainRedisError } from './connection.ts';
import { openTaskQueue, type TaskQueue } from './task-queue.ts';

/**
 * Does some work on the queue over a connection of its own, and lets go of it whatever happens.
 * @throws UnreachableError within 3 s if Redis does not answer, or if it is lost meanwhile.
 */
export async function withQueue<T>(
  config: WorkConfig,
  work: (queue: TaskQueue, redis: Redis) => Promise<T>,
): Promise<T> {
  const redis = await connectOnce(config);
  const queue = openTaskQueue(redis);
  try {
    return await work(queue, redis);
  } catch (error) {
    throw explainRedisError(config, error);
  } finally {
    await queue.close().catch(() => undefined);
    redis.disconnect();
  }
}
