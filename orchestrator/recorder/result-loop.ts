import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { describeError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { type Result, resultSchema } from '../../lib/queue/result.ts';
import { dropResults, keepRefused, readResults, type WaitingResult } from '../../lib/queue/results.ts';
import { addTraces } from '../../lib/queue/trace.ts';
import { MemoryUnavailableError } from './memory-unavailable.ts';
import type { MemoryWriter } from './memory-writer.ts';

/** Takes results off their stream and writes them, many at a time. */
export interface ResultLoop {
  /** Why the memory cannot be written, while it cannot. */
  readonly problem: () => string | undefined;
  readonly stop: () => Promise<void>;
}

interface ResultLoopOptions {
  readonly redis: Redis;
  /** To wait for results on; the loop closes it. */
  readonly connection: Redis;
  readonly writer: MemoryWriter;
  /** Whether this recorder is the one that writes. One that thinks so for a moment too long does no harm: rows have ids. */
  readonly mayWrite: () => boolean;
  /** Is told what was written before it leaves the stream: after a crash in between, it is told again. */
  readonly onRecorded: (results: readonly Result[]) => Promise<void>;
  readonly log: Log;
}

/** So many results may be in one transaction. */
const MOST_AT_ONCE = 200;
const BLOCK_MS = 1_000;
const LOOK_EVERY_MS = 100;
const RETRY_MS = 2_000;
/** A write blocks the process and waits for the disk: the next is not before this many times as long, and is the larger. */
const REST_RATIO = 3;

/** Starts the loop. A result leaves the stream only after it is on disk, so that it survives whatever dies in between. */
export function startResultLoop({
  redis,
  connection,
  writer,
  mayWrite,
  onRecorded,
  log,
}: ResultLoopOptions): ResultLoop {
  const stopped = new AbortController();
  const { signal } = stopped;
  let problem: string | undefined;

  const note = (found: string | undefined): void => {
    if (found === problem) return;
    problem = found;
    if (found) log.warn({ reason: found }, 'results cannot be written, and wait');
    else log.info('results are written again');
  };

  /** Writes what waits; how long to rest, milliseconds. */
  const turn = async (): Promise<number> => {
    if (!mayWrite()) return LOOK_EVERY_MS;
    const waiting = await readResults(connection, { count: MOST_AT_ONCE, blockMs: BLOCK_MS });
    if (waiting.length === 0 || !mayWrite() || signal.aborted) return 0;
    const startedMs = performance.now();
    const { refusals, written } = write(writer, waiting);
    const restMs = REST_RATIO * (performance.now() - startedMs);
    note(undefined);
    await onRecorded(written);
    await settle(redis, waiting, refusals);
    const ends = written.filter((result) => result.kind === 'end');
    void addTraces(
      redis,
      ends.map(({ taskId, outcome }) => ({ id: taskId, event: 'recorded', detail: outcome })),
    );
    for (const { reason } of refusals) log.error({ reason }, 'a result is refused');
    return restMs;
  };

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      const restMs = await turn().catch((error: unknown) => {
        // Redis comes back by itself, and says so elsewhere.
        if (error instanceof MemoryUnavailableError) note(describeError(error));
        else if (!signal.aborted) log.warn({ reason: describeError(error) }, 'results could not be taken');
        return RETRY_MS;
      });
      if (restMs > 0) await sleep(restMs, undefined, { signal }).catch(() => undefined);
    }
  };
  const running = run();

  return {
    problem: () => problem,
    stop: async () => {
      stopped.abort();
      // It may be waiting for a result.
      connection.disconnect();
      await running;
    },
  };
}

interface Refusal {
  readonly result: WaitingResult;
  readonly reason: string;
}

interface Written {
  readonly written: readonly Result[];
  readonly refusals: readonly Refusal[];
}

/**
 * Writes all that can be written, in one transaction; what never will be is given back.
 * @throws MemoryUnavailableError if the memory takes nothing at the moment.
 */
function write(writer: MemoryWriter, waiting: readonly WaitingResult[]): Written {
  const refusals: Refusal[] = [];
  const accepted: { readonly result: WaitingResult; readonly payload: Result }[] = [];
  for (const result of waiting) {
    const parsed = resultSchema.safeParse(result.payload);
    if (parsed.success) accepted.push({ result, payload: parsed.data });
    else refusals.push({ result, reason: describeIssues(parsed.error.issues) });
  }
  const { refused } = writer.write(accepted.map(({ payload }) => payload));
  const unwritable = refused.map(({ index, error }) => ({
    result: accepted[index].result,
    reason: describeError(error, 2_000),
  }));
  const lost = new Set(refused.map(({ index }) => index));
  const written = accepted.filter((_, index) => !lost.has(index)).map(({ payload }) => payload);
  return { written, refusals: [...refusals, ...unwritable] };
}

function describeIssues(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): string {
  const problems = issues.map(({ path, message }) => `${path.join('.') || 'payload'}: ${message}`);
  return `Could not accept the result: ${problems.join('; ')}.`.slice(0, 2_000);
}

/** Takes what was dealt with off the stream, and keeps what is refused. */
async function settle(redis: Redis, waiting: readonly WaitingResult[], refusals: readonly Refusal[]): Promise<void> {
  // Both or neither: a Redis that is full refuses to keep, and would still take away.
  const transaction = redis.multi();
  for (const { result, reason } of refusals) keepRefused(transaction, result, reason);
  dropResults(
    transaction,
    waiting.map(({ id }) => id),
  );
  await transaction.exec();
}
