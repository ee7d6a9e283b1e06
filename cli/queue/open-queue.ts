import type { Redis } from 'ioredis';
import { connectOnce, explainRedisError } from '../../lib/queue/connection.ts';
import { openTaskQueue, type TaskQueue } from '../../lib/queue/task-queue.ts';
import { loadCommandWork } from '../command.ts';

/**
 * Runs a command's work on the queue, and lets go of it whatever happens.
 * @throws UnreachableError within 3 s if Redis does not answer, or if it is lost meanwhile.
 */
export async function withQueue<T>(work: (queue: TaskQueue, redis: Redis) => Promise<T>): Promise<T> {
  const config = loadCommandWork();
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
