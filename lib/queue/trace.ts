import type { Redis } from 'ioredis';
import { redisKey } from './names.ts';
import { createStep, runSteps, type Step } from './script.ts';

/** Something that happened to a task, for `swarm trace`. */
export interface TraceEvent {
  readonly at: string;
  readonly event: string;
  /** Facts for a reader; never the prompt. */
  readonly detail?: string;
}

const LONGEST = 200;
const KEPT_SECONDS = 40 * 86_400;

const ADD = createStep(
  `
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('LTRIM', KEYS[1], -ARGV[2], -1)
return redis.call('EXPIRE', KEYS[1], ARGV[3])`,
  () => undefined,
);

/** Adds to the trace of a task, as a step; the oldest of more than 200 events are forgotten. */
export function tracing(id: string, event: string, detail?: string): Step<undefined> {
  const entry: TraceEvent = {
    at: new Date().toISOString(),
    event,
    ...(detail === undefined ? {} : { detail: detail.slice(0, 500) }),
  };
  return ADD([redisKey('trace', id)], [JSON.stringify(entry), LONGEST, KEPT_SECONDS]);
}

/** Adds to the trace of a task. Never rejects: a gap in a trace stops no work. */
export async function addTrace(redis: Redis, id: string, event: string, detail?: string): Promise<void> {
  await runSteps(redis, tracing(id, event, detail)).catch(() => undefined);
}

/** The trace of a task, oldest first. */
export async function readTrace(redis: Redis, id: string): Promise<readonly TraceEvent[]> {
  const entries = await redis.lrange(redisKey('trace', id), 0, -1);
  return entries.map((entry) => JSON.parse(entry) as TraceEvent);
}

/** Forgets the trace of a task that did not come to be. */
export async function dropTrace(redis: Redis, id: string): Promise<void> {
  await redis.del(redisKey('trace', id));
}
