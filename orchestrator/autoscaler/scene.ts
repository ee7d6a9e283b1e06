import { type Demand, demandOf, type ScaleTargets } from './demand.ts';
import { idleSince, type Sample, samplesInWindow } from './samples.ts';
import type { Headroom } from './saturation.ts';

/** How many workers there may be; `min` at least 1. */
export interface WorkerLimits {
  readonly min: number;
  readonly max: number;
}

/** What one decision hands to the next. */
export interface ScalingMemory {
  readonly lastChangeMs: number | undefined;
  readonly idleSinceMs: number | undefined;
}

/** Everything a decision rests on. */
export interface DecisionInputs {
  readonly nowMs: number;
  /** How many workers there are meant to be now. */
  readonly workers: number;
  readonly limits: WorkerLimits;
  readonly targets: ScaleTargets;
  readonly headroom: Headroom;
  /** In order of time; what lies outside the last 5 minutes is not looked at. */
  readonly samples: readonly Sample[];
  readonly memory: ScalingMemory;
}

/** The inputs with what follows from them; the samples are those of the window. */
export interface Scene extends DecisionInputs {
  readonly demand: Demand;
  /** The newest sample, if it is of now. */
  readonly present: Sample | undefined;
}

/** Older readings are not acted upon. */
const FRESH_MS = 10_000;

/**
 * What a decision looks at. A clock that was set back makes memories and samples of the future: the former are taken as of
 * now, the latter left out.
 */
export function sceneOf(inputs: DecisionInputs): Scene {
  const { nowMs, memory } = inputs;
  const samples = samplesInWindow(inputs.samples, nowMs);
  const newest = samples.at(-1);
  const notAhead = (ms: number | undefined): number | undefined => (ms === undefined ? ms : Math.min(ms, nowMs));
  return {
    ...inputs,
    samples,
    memory: {
      lastChangeMs: notAhead(memory.lastChangeMs),
      idleSinceMs: idleSince(samples, notAhead(memory.idleSinceMs)),
    },
    demand: demandOf(samples, Math.max(1, inputs.workers), inputs.targets),
    present: newest && nowMs - newest.atMs <= FRESH_MS ? newest : undefined,
  };
}
