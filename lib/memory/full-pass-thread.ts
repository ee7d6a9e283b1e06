import { extname } from 'node:path';
import { isMainThread, parentPort, SHARE_ENV, Worker, workerData } from 'node:worker_threads';
import { allowHeapToGrow } from '../memory-footprint.ts';
import { type FullPass, fullPass, type ReadingOptions } from './full-pass.ts';
import { MemoryError, type MemoryProblem } from './memory-error.ts';
import { systemClock } from './tally.ts';

/** What the thread is told, and what it answers. */
interface Order {
  readonly options: ReadingOptions;
  readonly seenUpToRowid: number;
}
type Answer =
  | { readonly pass: FullPass }
  | { readonly problem: MemoryProblem; readonly message: string; readonly hint: string }
  | { readonly crash: string };

/**
 * A full pass in a thread of its own, for large memories: the server goes on answering, and the thread's heap is given
 * back when it ends. Its young generation is bounded; below 32 MB the pass takes longer and little is saved.
 */
export function fullPassInThread(
  options: ReadingOptions,
  seenUpToRowid: number,
  signal: AbortSignal,
): Promise<FullPass> {
  const keepSmallAgain = allowHeapToGrow();
  return new Promise<FullPass>((resolve, reject) => {
    const worker = new Worker(new URL(`./full-pass-thread${extname(import.meta.url)}`, import.meta.url), {
      workerData: { options, seenUpToRowid } satisfies Order,
      // Without the shared environment the thread would not see SQLITE_USE_URI.
      env: SHARE_ENV,
      resourceLimits: { maxYoungGenerationSizeMb: 32 },
    });
    const stop = (): void => void worker.terminate();
    signal.addEventListener('abort', stop, { once: true });
    worker.once('message', (answer: Answer) => {
      if ('pass' in answer) resolve(answer.pass);
      else if ('problem' in answer) reject(new MemoryError(answer.problem, answer.message, answer.hint));
      else reject(new Error(answer.crash));
    });
    worker.once('error', reject);
    worker.once('exit', (code) => {
      signal.removeEventListener('abort', stop);
      reject(new Error(`The thread that reads the swarm memory ended early (code ${code}).`));
    });
  }).finally(keepSmallAgain);
}

if (!isMainThread && parentPort && workerData && 'seenUpToRowid' in workerData) {
  const { options, seenUpToRowid } = workerData as Order;
  const answer: Answer = await fullPass(options, systemClock, seenUpToRowid).then(
    (pass) => ({ pass }),
    (error: unknown) =>
      error instanceof MemoryError
        ? { problem: error.problem, message: error.message, hint: error.hint }
        : { crash: error instanceof Error ? (error.stack ?? error.message) : String(error) },
  );
  parentPort.postMessage(answer);
}
