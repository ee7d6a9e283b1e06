import type { ChainableCommander, Redis } from 'ioredis';
import { QUEUES, redisKey } from './names.ts';
import type { Result } from './result.ts';
import { createStep, runSteps, type Step } from './script.ts';

/** A result that waits for the recorder, as it was found. */
export interface WaitingResult {
  /** Its place in the order in which results came. */
  readonly id: string;
  /** A Result, if whoever put it there kept to the schema; undefined if it was no JSON. */
  readonly payload: unknown;
}

/**
 * A stream, not a queue of BullMQ: results are taken in their order by the one who holds the lease, many at a time, and are
 * dropped once they are in the memory. Written or dropped twice is once, so it needs neither locks nor attempts.
 */
const KEY = redisKey(QUEUES.results);
const REFUSED_KEY = redisKey(QUEUES.results, 'refused');
const FIELD = 'result';
const KEPT_REFUSED = 1_000;

const ADD = createStep("return redis.call('XADD', KEYS[1], '*', ARGV[1], ARGV[2])", () => undefined);

/** Puts a result on the stream, as a step. */
export function sending(result: Result): Step<undefined> {
  return ADD([KEY], [FIELD, JSON.stringify(result)]);
}

/** Puts a result on the stream; one that is there twice is recorded once. */
export async function sendResult(redis: Redis, result: Result): Promise<void> {
  await runSteps(redis, sending(result));
}

/** The results that have waited longest, oldest first; waits up to `blockMs` for the first if there are none. */
export async function readResults(
  redis: Redis,
  { count, blockMs }: { readonly count: number; readonly blockMs: number },
): Promise<readonly WaitingResult[]> {
  const streams = await redis.xread('COUNT', count, 'BLOCK', blockMs, 'STREAMS', KEY, '0');
  const [, entries] = streams?.[0] ?? [KEY, []];
  return entries.map(([id, fields]) => ({ id, payload: parse(fields?.[1]) }));
}

/** Takes away results that are recorded, or never will be, within a transaction. */
export function dropResults(transaction: ChainableCommander, ids: readonly string[]): void {
  if (ids.length > 0) transaction.xdel(KEY, ...ids);
}

/** Keeps a result that will never be recorded, and why, for a person to look at: the last 1,000 of them; likewise. */
export function keepRefused(transaction: ChainableCommander, { payload }: WaitingResult, reason: string): void {
  const fields = [FIELD, JSON.stringify(payload ?? null), 'reason', reason.slice(0, 2_000)];
  transaction.xadd(REFUSED_KEY, 'MAXLEN', KEPT_REFUSED, '*', ...fields);
}

/** How many results are not recorded yet, and how many never will be. */
export async function countResults(redis: Redis): Promise<{ readonly waiting: number; readonly refused: number }> {
  const [waiting, refused] = await Promise.all([redis.xlen(KEY), redis.xlen(REFUSED_KEY)]);
  return { waiting, refused };
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
