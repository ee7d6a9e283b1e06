import type { Redis } from 'ioredis';
import { redisKey } from './names.ts';

/** Something that happened to a task, for `swarm trace`. */
export interface TraceEvent {
  readonly at: string;
  readonly event: string;
  /** Facts for a reader; never the prompt. */
  readonly detail?: string;
}

const LONGEST = 200;
const KEPT_SECONDS = 40 * 86_400;

/** Adds to the trace of a task; the oldest of more than 200 events are forgotten. */
export async function addTrace(redis: Redis, id: string, event: string, detail?: string): Promise<void> {
  const entry: TraceEvent = {
    at: new Date().toISOString(),
    event,
    ...(detail === undefined ? {} : { detail: detail.slice(0, 500) }),
  };
  const key = redisKey('trace', id);
  await redis.pipeline().rpush(key, JSON.stringify(entry)).ltrim(key, -LONGEST, -1).expire(key, KEPT_SECONDS).exec();
}

/** The trace of a task, oldest first. */
export async function readTrace(redis: Redis, id: string): Promise<readonly TraceEvent[]> {
  const entries = await redis.lrange(redisKey('trace', id), 0, -1);
  return entries.map((entry) => JSON.parse(entry) as TraceEvent);
}
