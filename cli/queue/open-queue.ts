import type { Redis } from 'ioredis';
import type { TaskQueue } from '../../lib/queue/task-queue.ts';
import { withQueue as withQueueOf } from '../../lib/queue/with-queue.ts';
import { loadCommandWork } from '../command.ts';

/**
 * Runs a command's work on the queue of its settings, and lets go of it whatever happens.
 * @throws UnreachableError within 3 s if Redis does not answer, or if it is lost meanwhile.
 */
export function withQueue<T>(work: (queue: TaskQueue, redis: Redis) => Promise<T>): Promise<T> {
  return withQueueOf(loadCommandWork(), work);
}
