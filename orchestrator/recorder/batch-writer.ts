import type { Result } from '../../lib/queue/result.ts';
import { MemoryUnavailableError } from './memory-unavailable.ts';
import type { MemoryWriter } from './memory-writer.ts';

/** Writes results that come one by one in batches. While the memory cannot be used they wait, in their order. */
export interface BatchWriter {
  /**
   * Resolves once the result is in the memory.
   * @throws what the memory said, if it will never take this result; StoppedError if it was stopped first.
   */
  readonly write: (result: Result) => Promise<void>;
  /** Why the memory cannot be written, while it cannot. */
  readonly problem: () => Error | undefined;
  /** Whatever still waits is rejected with StoppedError. */
  readonly stop: () => void;
}

/** The writer was stopped before the result was written; whoever has it keeps it. */
export class StoppedError extends Error {}

interface Pending {
  readonly result: Result;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const RETRY_MS = 2_000;
/** A write blocks the process and waits for the disk: the next is not before this many times as long, and is the larger. */
const REST_RATIO = 4;

/** Batches for one memory; `onProblem` hears of each new reason why it cannot be written, and of its end. */
export function createBatchWriter(writer: MemoryWriter, onProblem: (problem: Error | undefined) => void): BatchWriter {
  let pending: Pending[] = [];
  let timer: NodeJS.Timeout | NodeJS.Immediate | undefined;
  let problem: Error | undefined;
  let isStopped = false;
  let restsUntilMs = 0;

  const note = (found: Error | undefined): void => {
    if (found?.message !== problem?.message) onProblem(found);
    problem = found;
  };
  const flush = (): void => {
    timer = undefined;
    const batch = pending;
    const startedMs = performance.now();
    try {
      const { refused } = writer.write(batch.map(({ result }) => result));
      pending = pending.slice(batch.length);
      note(undefined);
      const errors = new Map(refused.map(({ index, error }) => [index, error]));
      for (const [index, each] of batch.entries()) {
        if (errors.has(index)) each.reject(errors.get(index));
        else each.resolve();
      }
    } catch (error) {
      if (error instanceof MemoryUnavailableError) {
        note(error);
        timer = setTimeout(flush, RETRY_MS);
        return;
      }
      pending = pending.slice(batch.length);
      for (const each of batch) each.reject(error);
    } finally {
      const nowMs = performance.now();
      restsUntilMs = nowMs + REST_RATIO * (nowMs - startedMs);
    }
  };
  const schedule = (): NodeJS.Timeout | NodeJS.Immediate => {
    const restMs = restsUntilMs - performance.now();
    // What arrives in the same turn goes into the same transaction.
    return restMs > 0 ? setTimeout(flush, restMs) : setImmediate(flush);
  };
  return {
    write: (result) =>
      new Promise((resolve, reject) => {
        if (isStopped) {
          reject(new StoppedError());
          return;
        }
        pending.push({ result, resolve, reject });
        timer ??= schedule();
      }),
    problem: () => problem,
    stop: () => {
      isStopped = true;
      clearTimeout(timer as NodeJS.Timeout);
      clearImmediate(timer as NodeJS.Immediate);
      for (const each of pending) each.reject(new StoppedError());
      pending = [];
    },
  };
}
