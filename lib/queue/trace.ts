import type { Redis } from 'ioredis';
import { redisKey } from './names.ts';
import { createScript, createStep, type Step } from './script.ts';

/** Something that happened to a task, for `swarm trace`. */
export interface TraceEvent {
  readonly at: string;
  readonly event: string;
  /** Facts for a reader; never the prompt. */
  readonly detail?: string;
}

const LONGEST = 200;
const KEPT_SECONDS = 40 * 86_400;

/** For each key an entry, behind how many are kept and for how many seconds. */
const ADD = `
for place, key in ipairs(KEYS) do
  redis.call('RPUSH', key, ARGV[place + 2])
  redis.call('LTRIM', key, -ARGV[1], -1)
  redis.call('EXPIRE', key, ARGV[2])
end
return 1`;
const ADD_ONE = createStep(ADD, () => undefined);
const ADD_MANY = createScript(ADD);

/** An event for the trace of one of many tasks. */
export interface NewTraceEvent {
  readonly id: string;
  readonly event: string;
  readonly detail?: string | undefined;
}

/** Adds to the trace of a task, as a step; the oldest of more than 200 events are forgotten. */
export function tracing(id: string, event: string, detail?: string): Step<undefined> {
  return ADD_ONE([redisKey('trace', id)], [LONGEST, KEPT_SECONDS, entryOf({ id, event, detail })]);
}

/** Adds to the trace of a task. Never rejects: a gap in a trace stops no work. */
export async function addTrace(redis: Redis, id: string, event: string, detail?: string): Promise<void> {
  await addTraces(redis, [{ id, event, detail }]);
}

/** Adds to the traces of many tasks at once, some hundreds at most. Never rejects. */
export async function addTraces(redis: Redis, events: readonly NewTraceEvent[]): Promise<void> {
  if (events.length === 0) return;
  const keys = events.map(({ id }) => redisKey('trace', id));
  await ADD_MANY(redis, keys, [LONGEST, KEPT_SECONDS, ...events.map(entryOf)]).catch(() => undefined);
}

function entryOf({ event, detail }: NewTraceEvent): string {
  const entry: TraceEvent = {
    at: new Date().toISOString(),
    event,
    ...(detail === undefined ? {} : { detail: detail.slice(0, 500) }),
  };
  return JSON.stringify(entry);
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
