import { describeError, UsageError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { bounded } from './bounded.ts';
import { type Decision, decide } from './decide.ts';
import type { ScaleTargets } from './demand.ts';
import { createSampler, type SampleSources } from './sampler.ts';
import { type Sample, samplesInWindow } from './samples.ts';
import { DEFAULT_HEADROOM, type Headroom } from './saturation.ts';
import type { ScalingMemory, WorkerLimits } from './scene.ts';

/** What an autoscaler is built from. */
export interface AutoscalerOptions extends Omit<SampleSources, 'nowMs'> {
  readonly limits: WorkerLimits;
  readonly targets: ScaleTargets;
  readonly headroom?: Headroom;
  /** Is told the first number of workers at the start, and then each change; must let running tasks finish. */
  readonly apply: (target: number) => void;
  /** Keeps a decision with its inputs; that it fails is logged and changes nothing. */
  readonly record: (decision: Decision) => Promise<void> | void;
  readonly nowMs?: () => number;
  readonly log: Log;
}

/** Keeps the number of workers to what the work asks for and the machine can bear. */
export interface Autoscaler {
  readonly start: () => void;
  /** Ends the timer, and waits for what is under way. */
  readonly stop: () => Promise<void>;
  /** Takes a sample without deciding. Never rejects. */
  readonly sample: () => Promise<void>;
  /** Takes a sample, then decides, applies and records. Never rejects. */
  readonly tick: () => Promise<void>;
  /** To be called for every answer 429 or 529 of the model API. */
  readonly noteOverloadedAnswer: () => void;
  /** How many workers there are meant to be. */
  readonly target: () => number;
  /** For metrics; `undefined` before the first decision. */
  readonly latest: () => Decision | undefined;
}

const SAMPLE_EVERY_MS = 15_000;
const SAMPLES_PER_DECISION = 4;
const RECORD_WITHIN_MS = 5_000;

/**
 * An autoscaler that starts with the fewest workers allowed, samples every 15 s and decides every minute.
 * Without readings nothing changes.
 * @throws UsageError if the limits allow no number of workers.
 */
export function createAutoscaler(options: AutoscalerOptions): Autoscaler {
  checkLimits(options.limits);
  const { limits, targets, headroom = DEFAULT_HEADROOM, apply, log, nowMs = Date.now } = options;
  const sampler = createSampler({ ...options, nowMs });
  const record = bounded(options.record, RECORD_WITHIN_MS);
  let workers = limits.min;
  let memory: ScalingMemory = { lastChangeMs: undefined, idleSinceMs: undefined };
  let samples: readonly Sample[] = [];
  let latest: Decision | undefined;

  const sample = async (): Promise<void> => {
    try {
      const taken = await sampler.take();
      samples = [...samplesInWindow(samples, taken.atMs), taken];
    } catch (error) {
      log.warn({ reason: describeError(error) }, 'the autoscaler cannot read how much there is to do');
    }
  };
  const carryOut = (decision: Decision): void => {
    try {
      if (decision.target !== workers) {
        apply(decision.target);
        log.info({ from: workers, to: decision.target, reason: decision.reason }, 'number of workers changed');
      }
      workers = decision.target;
      memory = decision.memory;
    } catch (error) {
      log.error({ to: decision.target, reason: describeError(error) }, 'the number of workers cannot be changed');
    }
  };
  const tick = async (): Promise<void> => {
    await sample();
    latest = decide({ nowMs: nowMs(), workers, limits, targets, headroom, samples, memory });
    carryOut(latest);
    await record(latest).catch((error: unknown) => {
      log.warn({ reason: describeError(error) }, 'a decision of the autoscaler is not recorded');
    });
  };
  const timer = createTimer(sample, tick);
  return {
    start: () => {
      apply(workers);
      timer.start();
    },
    stop: timer.stop,
    sample,
    tick,
    noteOverloadedAnswer: sampler.noteOverloadedAnswer,
    target: () => workers,
    latest: () => latest,
  };
}

/** Samples at once and every 15 s; each fourth time it decides. One call lasts 10 s at most, so none overlaps the next. */
function createTimer(sample: () => Promise<void>, tick: () => Promise<void>): Pick<Autoscaler, 'start' | 'stop'> {
  let timer: NodeJS.Timeout | undefined;
  let underWay: Promise<void> | undefined;
  let beats = 0;
  const beat = (): void => {
    underWay = beats > 0 && beats % SAMPLES_PER_DECISION === 0 ? tick() : sample();
    beats += 1;
  };
  return {
    start: () => {
      if (timer) return;
      beat();
      timer = setInterval(beat, SAMPLE_EVERY_MS).unref();
    },
    stop: async () => {
      clearInterval(timer);
      timer = undefined;
      await underWay;
    },
  };
}

function checkLimits({ min, max }: WorkerLimits): void {
  if (Number.isInteger(min) && Number.isInteger(max) && min >= 1 && max >= min) return;
  throw new UsageError(
    `Could not scale the workers between "${min}" and "${max}": expected whole numbers from 1, the least first.`,
    'Set WORKERS_MIN to 1 or more and WORKERS_MAX to at least as much.',
  );
}
