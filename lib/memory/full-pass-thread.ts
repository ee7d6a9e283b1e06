import { extname } from 'node:path';
import { allowHeapToGrow } from '../memory-footprint.ts';
import { type FullPass, fullPass, type ReadingOptions } from './full-pass.ts';
import { systemClock } from './tally.ts';
import { answerInThread, runInThread } from './thread.ts';

/** What the thread is told. */
interface Order {
  readonly options: ReadingOptions;
  readonly seenUpToRowid: number;
}

const THREAD = 'full-pass';

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
  return runInThread<FullPass>({
    module: new URL(`./full-pass-thread${extname(import.meta.url)}`, import.meta.url),
    thread: THREAD,
    order: { options, seenUpToRowid } satisfies Order,
    signal,
    resourceLimits: { maxYoungGenerationSizeMb: 32 },
  }).finally(keepSmallAgain);
}

await answerInThread<Order>(THREAD, ({ options, seenUpToRowid }) => fullPass(options, systemClock, seenUpToRowid));
