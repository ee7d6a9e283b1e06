import type { Redis } from 'ioredis';
import { redisKey } from '../lib/queue/names.ts';
import { createScript, createStep, runSteps, type Step } from '../lib/queue/script.ts';

/** Who may work in a project at the same time: by default one task, so that two agents never share a tree. */
export interface ProjectSlots {
  /** Takes a slot for a task, or renews its slot; the last step, and the task parked, if others hold them all. */
  readonly acquiring: (request: SlotRequest) => Step<true>;
  /** Keeps the slot of a task that still runs. */
  readonly renew: (project: string, taskId: string) => Promise<void>;
  /** Gives the slot back; the id of the parked task that may come next, if there is one. */
  readonly releasing: (project: string, taskId: string) => Step<string | undefined>;
  readonly release: (project: string, taskId: string) => Promise<string | undefined>;
  /** Whether a task still waits to be called. */
  readonly isParked: (project: string, taskId: string) => Promise<boolean>;
  /** Of the parked tasks, those that a free slot could take now: one for each slot. */
  readonly takeCallable: (project: string, limit: number) => Promise<readonly string[]>;
}

interface SlotRequest {
  readonly project: string;
  readonly taskId: string;
  readonly limit: number;
  /** Order among the parked: less comes first. */
  readonly rank: number;
}

/** Longer than a worker takes to be noticed as dead. */
const LEASE_MS = 120_000;

/** By the clock of Redis, which all orchestrators share. */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)`;

const ACQUIRE = createStep(
  `${NOW}
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
  return false
end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
return redis.call('ZREM', KEYS[2], ARGV[1])`,
  (): true => true,
);

const RENEW = createScript(`${NOW}
return redis.call('ZADD', KEYS[1], 'XX', now + ARGV[2], ARGV[1])`);

const RELEASE = createStep(
  `
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('ZPOPMIN', KEYS[2])[1]`,
  (next) => (next as string) || undefined,
);

const CALLABLE = createScript(`${NOW}
local free = tonumber(ARGV[1]) - redis.call('ZCARD', KEYS[1])
if free <= 0 then return {} end
local popped = redis.call('ZPOPMIN', KEYS[2], free)
local ids = {}
for index = 1, #popped, 2 do ids[#ids + 1] = popped[index] end
return ids`);

/** The slots of all projects, shared by every orchestrator on this Redis. */
export function createProjectSlots(redis: Redis): ProjectSlots {
  const keys = (project: string): string[] => [redisKey('project', project), redisKey('parked', project)];
  const releasing: ProjectSlots['releasing'] = (project, taskId) => RELEASE(keys(project), [taskId]);
  return {
    releasing,
    acquiring: ({ project, taskId, limit, rank }) => ACQUIRE(keys(project), [taskId, limit, LEASE_MS, rank]),
    renew: async (project, taskId) => {
      await RENEW(redis, keys(project), [taskId, LEASE_MS]);
    },
    release: async (project, taskId) => (await runSteps(redis, releasing(project, taskId)))[0],
    isParked: async (project, taskId) => (await redis.zscore(redisKey('parked', project), taskId)) !== null,
    takeCallable: async (project, limit) => (await CALLABLE(redis, keys(project), [limit])) as string[],
  };
}
