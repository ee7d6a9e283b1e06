import { bounded } from './bounded.ts';
import type { Sample, Signals } from './samples.ts';

/** What is waiting, and what runs on the workers that are being scaled. */
export interface QueueLoad {
  readonly waiting: number;
  readonly active: number;
}

/** Where samples come from. */
export interface SampleSources {
  readonly readSignals: () => Promise<Signals>;
  readonly readQueue: () => Promise<QueueLoad>;
  readonly nowMs: () => number;
}

/** Takes samples; what the model API answers is told to it in between. */
export interface Sampler {
  /** Rejects if a source fails or does not answer within 5 s. */
  readonly take: () => Promise<Sample>;
  readonly noteOverloadedAnswer: () => void;
}

const ANSWER_WITHIN_MS = 5_000;

/** A sampler that reads the machine and the queue at the same time. */
export function createSampler(sources: SampleSources): Sampler {
  const readSignals = bounded(sources.readSignals, ANSWER_WITHIN_MS);
  const readQueue = bounded(sources.readQueue, ANSWER_WITHIN_MS);
  let overloadedAnswers = 0;
  return {
    take: async () => {
      const [signals, { waiting, active }] = await Promise.all([readSignals(), readQueue()]);
      const sample = {
        ...signals,
        atMs: sources.nowMs(),
        waitingTasks: waiting,
        activeTasks: active,
        overloadedAnswers,
      };
      // Only what has gone into a sample is forgotten.
      overloadedAnswers = 0;
      return sample;
    },
    noteOverloadedAnswer: () => {
      overloadedAnswers += 1;
    },
  };
}
