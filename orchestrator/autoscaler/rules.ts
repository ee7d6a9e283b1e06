import { type Demand, fewerWorkers } from './demand.ts';
import type { Sample } from './samples.ts';
import { agentsThatFit, type Shortage, saturationOf, type VetoReason, vetoOnMore } from './saturation.ts';
import type { Scene, WorkerLimits } from './scene.ts';

/** From one change to the next, unless the machine is saturated. */
const COOLDOWN_MS = 5 * 60_000;
const IDLE_MS = 10 * 60_000;

/** A number of workers, and why. */
export interface Verdict {
  readonly target: number;
  readonly veto?: VetoReason;
  readonly reason: string;
}

type PresentScene = Scene & { readonly present: Sample };

/**
 * The first of these that has something to say does:
 * 1. the limits;
 * 2. without readings of this moment nothing changes;
 * 3. a saturated machine loses workers at once (× 0.7, at least one), answers 429 and 529 since the last change halve them;
 * 4. after 10 minutes without work they get fewer;
 * 5. the demand: fewer after the cooldown of 5 minutes; more if besides nothing is short, and no more than memory holds.
 */
export function verdictOn(scene: Scene): Verdict {
  return keepLimits(scene) ?? (isPresent(scene) ? judge(scene) : hold(scene, 'there are no readings of this moment'));
}

function judge(scene: PresentScene): Verdict {
  return relieve(scene) ?? halve(scene) ?? rest(scene) ?? followDemand(scene);
}

function isPresent(scene: Scene): scene is PresentScene {
  return scene.present !== undefined;
}

function keepLimits(scene: Scene): Verdict | undefined {
  const { workers, limits } = scene;
  const target = within(limits, workers);
  return target === workers ? undefined : change(scene, target, `allowed are ${limits.min} to ${limits.max}`);
}

function relieve(scene: PresentScene): Verdict | undefined {
  const shortage = saturationOf(scene.present, scene.headroom);
  return shortage && reduce(scene, fewerWorkers(scene.workers), shortage);
}

function halve(scene: PresentScene): Verdict | undefined {
  const answers = overloadedAnswersSince(scene, scene.memory.lastChangeMs ?? Number.NEGATIVE_INFINITY);
  if (answers === 0) return undefined;
  return reduce(scene, Math.floor(scene.workers / 2), overloaded(answers, 'since the last change'));
}

function reduce(scene: Scene, wanted: number, { veto, because }: Shortage): Verdict {
  const target = within(scene.limits, wanted);
  if (target < scene.workers) return { ...change(scene, target, because), veto };
  return { ...hold(scene, `there are no fewer allowed, although ${because}`), veto };
}

function rest(scene: Scene): Verdict | undefined {
  const { nowMs, workers, limits, memory } = scene;
  if (workers === limits.min || cooldownLeftMs(scene) > 0) return undefined;
  if (memory.idleSinceMs === undefined || nowMs - memory.idleSinceMs < IDLE_MS) return undefined;
  const minutes = Math.floor((nowMs - memory.idleSinceMs) / 60_000);
  return change(scene, within(limits, fewerWorkers(workers)), `nothing ran or waited for ${minutes} minutes`);
}

function followDemand(scene: PresentScene): Verdict {
  const { workers, limits, demand } = scene;
  if (demand.basis === 'nothing') return hold(scene, 'CPU or memory cannot be read');
  if (demand.wants === workers) return hold(scene, `${described(demand)} asks for no other number`);
  const wanted = within(limits, demand.wants);
  if (wanted === workers) return hold(scene, `${asks(scene)}, and allowed are ${limits.min} to ${limits.max}`);
  return wanted > workers ? grow(scene, wanted) : (coolDown(scene) ?? change(scene, wanted, asks(scene)));
}

function grow(scene: PresentScene, wanted: number): Verdict {
  const shortage = vetoOnMore(scene.present, scene.headroom) ?? recentlyOverloaded(scene);
  if (shortage) return { ...hold(scene, `${asks(scene)}, but ${shortage.because}`), veto: shortage.veto };
  const target = Math.min(wanted, scene.workers + agentsThatFit(scene.present, scene.headroom));
  return coolDown(scene) ?? change(scene, target, asks(scene));
}

function coolDown(scene: Scene): Verdict | undefined {
  const leftMs = cooldownLeftMs(scene);
  if (leftMs <= 0) return undefined;
  return hold(scene, `${asks(scene)}, but ${Math.ceil(leftMs / 1_000)} s of the cooldown are left`);
}

function cooldownLeftMs({ nowMs, memory }: Scene): number {
  return memory.lastChangeMs === undefined ? 0 : memory.lastChangeMs + COOLDOWN_MS - nowMs;
}

function recentlyOverloaded(scene: Scene): Shortage | undefined {
  const answers = overloadedAnswersSince(scene, Number.NEGATIVE_INFINITY);
  return answers === 0 ? undefined : overloaded(answers, 'in the last 5 minutes');
}

function overloadedAnswersSince({ samples }: Scene, sinceMs: number): number {
  return samples.reduce((sum, sample) => sum + (sample.atMs > sinceMs ? sample.overloadedAnswers : 0), 0);
}

function overloaded(answers: number, when: string): Shortage {
  return { veto: 'overloaded_answers', because: `the model API answered 429 or 529 ${when}: ${answers}` };
}

function asks({ demand }: Scene): string {
  return `${described(demand)} asks for ${demand.wants}`;
}

function described({ signal, basis }: Demand): string {
  return basis === 'backlog' ? `waiting work (signal ${signal?.toFixed(2)})` : `a signal of ${signal?.toFixed(2)}`;
}

function change({ workers }: Scene, target: number, because: string): Verdict {
  return { target, reason: `From ${workers} to ${named(target)}: ${because}.` };
}

function hold({ workers }: Scene, because: string): Verdict {
  return { target: workers, reason: `Still ${named(workers)}: ${because}.` };
}

function named(workers: number): string {
  return workers === 1 ? '1 worker' : `${workers} workers`;
}

function within({ min, max }: WorkerLimits, workers: number): number {
  return Math.min(max, Math.max(min, workers));
}
