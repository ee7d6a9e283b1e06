import type { Demand } from './demand.ts';
import { verdictOn } from './rules.ts';
import type { VetoReason } from './saturation.ts';
import { type DecisionInputs, type ScalingMemory, sceneOf } from './scene.ts';

/** How many workers there should be, and why; `decide(inputs)` gives the same again. */
export interface Decision {
  readonly target: number;
  readonly demand: Demand;
  /** What held workers back or took them away, whatever the demand. */
  readonly veto: VetoReason | undefined;
  /** One sentence for people. */
  readonly reason: string;
  /** For the next decision, if this one is carried out. */
  readonly memory: ScalingMemory;
  readonly inputs: DecisionInputs;
}

/**
 * Decides how many workers there should be, by the rules of `verdictOn`. Lowering the number never ends a running task: a
 * worker goes when its task is over.
 */
export function decide(inputs: DecisionInputs): Decision {
  const scene = sceneOf(inputs);
  const { target, veto, reason } = verdictOn(scene);
  const { lastChangeMs, idleSinceMs } = scene.memory;
  const memory = { lastChangeMs: target === inputs.workers ? lastChangeMs : inputs.nowMs, idleSinceMs };
  return { target, demand: scene.demand, veto, reason, memory, inputs };
}
