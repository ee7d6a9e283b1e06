import { Redis } from 'ioredis';
import type { WorkConfig } from '../config.ts';
import { UnreachableError } from '../errors.ts';

const DEFAULT_URL = 'redis://127.0.0.1:6379';
const CONNECT_TIMEOUT_MS = 2_500;
const LONGEST_RECONNECT_WAIT_MS = 2_000;

type RedisConfig = Pick<WorkConfig, 'redisUrl' | 'redisPassword'>;

/**
 * A connection for a command or a request: it fails fast, and does not come back by itself.
 * @throws UnreachableError within 3 s, saying where Redis was looked for and how to start it.
 */
export async function connectOnce(config: RedisConfig): Promise<Redis> {
  const redis = new Redis(address(config), {
    ...options(config),
    lazyConnect: true,
    enableOfflineQueue: false,
    commandTimeout: 30_000,
    retryStrategy: () => null,
  });
  let reason = '';
  redis.on('error', (error: Error) => {
    reason = error.message;
  });
  const timer = setTimeout(() => redis.disconnect(), CONNECT_TIMEOUT_MS);
  try {
    await redis.connect();
    await redis.ping();
    return redis;
  } catch (error) {
    redis.disconnect();
    throw unreachable(config, reason || (error as Error).message || 'no answer', error);
  } finally {
    clearTimeout(timer);
  }
}

/** A connection for a room: it comes back after every break, and commands meanwhile wait for `commandTimeoutMs` at most. */
export function connectForGood(config: RedisConfig, commandTimeoutMs?: number): Redis {
  return new Redis(address(config), {
    ...options(config),
    // BullMQ's workers demand it: a command is sent again until it is answered.
    maxRetriesPerRequest: null,
    ...(commandTimeoutMs === undefined ? {} : { commandTimeout: commandTimeoutMs }),
    retryStrategy: (times) => Math.min(times * 100, LONGEST_RECONNECT_WAIT_MS),
  });
}

/** Where Redis is, without a password. */
export function describeAddress(config: RedisConfig): string {
  return address(config).replace(/\/\/[^@/]*@/, '//');
}

function address({ redisUrl }: RedisConfig): string {
  return redisUrl ?? DEFAULT_URL;
}

function options({ redisPassword }: RedisConfig): { connectTimeout: number; password?: string } {
  return { connectTimeout: CONNECT_TIMEOUT_MS, ...(redisPassword === undefined ? {} : { password: redisPassword }) };
}

function unreachable(config: RedisConfig, reason: string, cause: unknown): UnreachableError {
  const isRefusedPassword = /NOAUTH|WRONGPASS|invalid username-password|without any password/i.test(reason);
  const hint = isRefusedPassword
    ? 'Set REDIS_PASSWORD to the password it was started with.'
    : 'Start it (`npm start` brings one of its own; else `redis-server --appendonly yes`), or set REDIS_URL.';
  return new UnreachableError(`Could not reach Redis at ${describeAddress(config)}: ${reason.slice(0, 200)}.`, hint, {
    cause,
  });
}
