import { DEFAULT_TARGETS } from '../../../orchestrator/autoscaler/demand.ts';
import type { Sample, Signals } from '../../../orchestrator/autoscaler/samples.ts';
import { DEFAULT_HEADROOM } from '../../../orchestrator/autoscaler/saturation.ts';
import type { DecisionInputs } from '../../../orchestrator/autoscaler/scene.ts';

export const NOW = Date.UTC(2026, 10, 22, 3, 0, 0);
export const MINUTE = 60_000;

/** A machine that waits for a model: hardly any CPU, memory to spare, no pressure. */
export const EASY: Signals = {
  cpuRatio: 0.05,
  memoryRatio: 0.4,
  availableBytes: 8e9,
  diskFreeBytes: 50e9,
  memoryFullAvg10: 0,
  memorySomeAvg60: 0,
  cpuSomeAvg60: 0,
};

export function sampleAt(atMs: number, extra: Partial<Sample> = {}): Sample {
  return { ...EASY, atMs, waitingTasks: 0, activeTasks: 0, overloadedAnswers: 0, ...extra };
}

/** Five minutes of one and the same sample, the newest at `NOW`. */
export function steady(extra: Partial<Sample> = {}): readonly Sample[] {
  return Array.from({ length: 20 }, (_, index) => sampleAt(NOW - (19 - index) * 15_000, extra));
}

/** One worker of at most 20 on an easy machine with nothing to do, long after the last change. */
export function inputsOf(extra: Partial<DecisionInputs> = {}): DecisionInputs {
  return {
    nowMs: NOW,
    workers: 1,
    limits: { min: 1, max: 20 },
    targets: DEFAULT_TARGETS,
    headroom: DEFAULT_HEADROOM,
    samples: steady(),
    memory: { lastChangeMs: undefined, idleSinceMs: undefined },
    ...extra,
  };
}
