import { Redis } from 'ioredis';
import type { WorkConfig } from '../config.ts';
import { OperatorError, UnreachableError } from '../errors.ts';

const DEFAULT_URL = 'redis://127.0.0.1:6379';
const CONNECT_TIMEOUT_MS = 2_500;
const LONGEST_RECONNECT_WAIT_MS = 2_000;
const LONGEST_REASON = 200;
const COMMAND_TIMEOUT_MS = 10_000;
/** How ioredis says that a connection is gone. */
const BROKEN = /^(Connection is closed|Command timed out|Stream isn't writeable|(connect|read|write) E[A-Z]+)/;
/** How Redis says that it wants another password, or one at all. */
const PASSWORD_REFUSED = /NOAUTH|WRONGPASS|invalid username-password|without any password/i;

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
    commandTimeout: COMMAND_TIMEOUT_MS,
    // Who does not answer is not waited for when we hang up, either.
    disconnectTimeout: 1,
    retryStrategy: () => null,
  });
  let reason = '';
  redis.on('error', (error: Error) => {
    reason = error.message;
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`it did not answer within ${CONNECT_TIMEOUT_MS / 1_000} s`);
    timer = setTimeout(() => reject(error), CONNECT_TIMEOUT_MS);
  });
  try {
    await Promise.race([redis.connect().then(() => redis.ping()), late]);
    return redis;
  } catch (error) {
    redis.disconnect();
    throw unreachable(config, reason || (error as Error).message, error);
  } finally {
    clearTimeout(timer);
  }
}

/** What to tell of an error that a command on an open connection ended with: one of ours stays what it is. */
export function explainRedisError(config: RedisConfig, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof OperatorError) return error;
  if (BROKEN.test(error.message) || PASSWORD_REFUSED.test(error.message))
    return unreachable(config, error.message, error);
  if (error.name !== 'ReplyError') return error;
  const message = `Could not use Redis at ${describeAddress(config)}: ${plainReason(error.message)}.`;
  return new OperatorError(message, 'See its log; `swarm doctor` looks at its settings.', { cause: error });
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

/** Where Redis is, without a password: neither before the host nor among the parameters. */
export function describeAddress(config: RedisConfig): string {
  const { protocol, host, pathname } = new URL(address(config));
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
}

function address({ redisUrl }: RedisConfig): string {
  return redisUrl ?? DEFAULT_URL;
}

function options({ redisPassword }: RedisConfig): { connectTimeout: number; password?: string } {
  return { connectTimeout: CONNECT_TIMEOUT_MS, ...(redisPassword === undefined ? {} : { password: redisPassword }) };
}

function unreachable(config: RedisConfig, reason: string, cause: unknown): UnreachableError {
  const hint = PASSWORD_REFUSED.test(reason)
    ? 'Set REDIS_PASSWORD to the password it was started with.'
    : 'Start it (`npm start` brings one of its own; else `redis-server --appendonly yes`), or set REDIS_URL.';
  const message = `Could not reach Redis at ${describeAddress(config)}: ${plainReason(reason)}.`;
  return new UnreachableError(message, hint, { cause });
}

/** What the other side said may be anything, if it is no Redis at all. */
function plainReason(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return line.slice(0, LONGEST_REASON).replace(/\.+$/, '');
}
