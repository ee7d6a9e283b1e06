import { isMainThread, parentPort, type ResourceLimits, SHARE_ENV, Worker, workerData } from 'node:worker_threads';
import { OperatorError } from '../errors.ts';
import { MemoryError, type MemoryProblem } from './memory-error.ts';

/** What a thread sends back. */
type Answer =
  | { readonly value: unknown }
  | { readonly problem?: MemoryProblem; readonly message: string; readonly hint: string }
  | { readonly crash: string; readonly code: unknown };

interface Order {
  /** Which of the modules that answer in threads is meant. */
  readonly thread: string;
  readonly order: unknown;
}

/** A thread to start: the module that calls `answerInThread`, and what it is told. Both must be plain data. */
export interface ThreadOptions {
  readonly module: URL;
  readonly thread: string;
  readonly order: unknown;
  readonly signal?: AbortSignal;
  readonly resourceLimits?: ResourceLimits;
}

/**
 * Has a module do some long work on SQLite in a thread of its own: the process goes on answering meanwhile.
 * @throws MemoryError or OperatorError as the work does, and Error if it was stopped by `signal`.
 */
export function runInThread<T>({ module, thread, order, signal, resourceLimits = {} }: ThreadOptions): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const worker = new Worker(module, {
      workerData: { thread, order } satisfies Order,
      // Without the shared environment the thread would not see SQLITE_USE_URI.
      env: SHARE_ENV,
      resourceLimits,
    });
    const stop = (): void => void worker.terminate();
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    worker.once('message', (answer: Answer) => {
      if ('value' in answer) resolve(answer.value as T);
      else if ('crash' in answer) reject(Object.assign(new Error(answer.crash), { code: answer.code }));
      else if (answer.problem) reject(new MemoryError(answer.problem, answer.message, answer.hint));
      else reject(new OperatorError(answer.message, answer.hint));
    });
    worker.once('error', reject);
    worker.once('exit', (code) => {
      signal?.removeEventListener('abort', stop);
      reject(new Error(`The thread "${thread}" ended early (code ${code}).`));
    });
  });
}

/** In a thread that was started for this module: does the work and sends back what became of it. Elsewhere nothing. */
export async function answerInThread<Told>(thread: string, work: (order: Told) => Promise<unknown>): Promise<void> {
  const told = workerData as Order | null;
  if (isMainThread || !parentPort || told?.thread !== thread) return;
  const answer: Answer = await work(told.order as Told).then((value) => ({ value }), toAnswer);
  parentPort.postMessage(answer);
}

function toAnswer(error: unknown): Answer {
  if (error instanceof MemoryError) return { problem: error.problem, message: error.message, hint: error.hint };
  if (error instanceof OperatorError) return { message: error.message, hint: error.hint };
  const { code } = Object(error) as { code?: unknown };
  if (typeof code === 'string') return { crash: String((error as Error).message), code };
  return { crash: error instanceof Error ? (error.stack ?? error.message) : String(error), code };
}
