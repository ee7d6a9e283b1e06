import { meanOf, type Sample } from './samples.ts';

/** What each part of the signal is measured against; all above 0. */
export interface ScaleTargets {
  /** 0 to 1. */
  readonly cpu: number;
  /** 0 to 1. */
  readonly memory: number;
  /** Waiting tasks. */
  readonly queue: number;
  readonly tasksPerWorker: number;
}

/** The guide's 70 % CPU, and its queue of 100 and 10 tasks an instance scaled to one small machine. */
export const DEFAULT_TARGETS: ScaleTargets = { cpu: 0.7, memory: 0.8, queue: 2, tasksPerWorker: 1 };

/** Each reading relative to its target: 1 is just right. `undefined` is not known. */
export interface DemandParts {
  readonly cpu: number | undefined;
  readonly memory: number | undefined;
  readonly queue: number | undefined;
  readonly tasks: number | undefined;
}

/** How many workers the work asks for, whatever the machine can bear. */
export interface Demand {
  /** The weighted sum of the parts; `undefined` if one of them is. */
  readonly signal: number | undefined;
  readonly parts: DemandParts;
  /** Workers, before limits. */
  readonly wants: number;
  /** What the number rests on: `backlog` where waiting work overrules the signal, `nothing` where the signal is not known. */
  readonly basis: 'signal' | 'backlog' | 'nothing';
}

const WEIGHTS = { cpu: 0.4, memory: 0.2, queue: 0.2, tasks: 0.2 } as const;

/**
 * The demand signal of the deployment guide, section 2.1: means over the window, 0.4 CPU + 0.2 memory + 0.2 queue + 0.2
 * tasks per worker, each relative to its target; above 1.3 half as many again, above 1.1 one more, below 0.5 × 0.7, below
 * 0.7 one fewer. Rounded so that small numbers move.
 *
 * The guide's workers compute; ours wait for a model with an idle CPU, which the signal takes for too little to do. One
 * worker with five tasks waiting, CPU 5 %, memory 40 %: 0.4 × 0.07 + 0.2 × 0.5 + 0.2 × 2.5 + 0.2 × 1 = 0.83, which is
 * "hold", and with a queue just at its target it even says "fewer". A worker never has more than its one task, so the last
 * part cannot make up for it. Therefore the trigger which the same section lists beside the algorithm applies as well:
 * queue depth above its target → scale up, by one, and like the section's triggers without a duration it looks at the
 * newest sample. It needs a CPU and a memory at or below their targets; there waiting tasks, however few, also keep the
 * signal from taking a worker away. On a busier machine the signal alone decides.
 */
export function demandOf(samples: readonly Sample[], workers: number, targets: ScaleTargets): Demand {
  const parts = partsOf(samples, workers, targets);
  const newest = samples.at(-1);
  if (!newest || !isKnown(parts)) return { signal: undefined, parts, wants: workers, basis: 'nothing' };
  const signal = signalOf(parts);
  const wants = workersFor(signal, workers);
  const backlog = workersForBacklog(newest.waitingTasks, workers, targets);
  const hasRoom = parts.cpu <= 1 && parts.memory <= 1;
  if (!hasRoom || backlog === undefined || backlog <= wants) return { signal, parts, wants, basis: 'signal' };
  return { signal, parts, wants: backlog, basis: 'backlog' };
}

function partsOf(samples: readonly Sample[], workers: number, targets: ScaleTargets): DemandParts {
  const relative = (read: (sample: Sample) => number | undefined, target: number): number | undefined => {
    const mean = meanOf(samples.map(read));
    return mean === undefined ? undefined : mean / target;
  };
  return {
    cpu: relative(({ cpuRatio }) => cpuRatio, targets.cpu),
    memory: relative(({ memoryRatio }) => memoryRatio, targets.memory),
    queue: relative(({ waitingTasks }) => waitingTasks, targets.queue),
    tasks: relative(({ activeTasks }) => activeTasks / workers, targets.tasksPerWorker),
  };
}

type KnownParts = Record<keyof DemandParts, number>;

function isKnown(parts: DemandParts): parts is KnownParts {
  return Object.values(parts).every((part) => part !== undefined);
}

function signalOf({ cpu, memory, queue, tasks }: KnownParts): number {
  return WEIGHTS.cpu * cpu + WEIGHTS.memory * memory + WEIGHTS.queue * queue + WEIGHTS.tasks * tasks;
}

function workersFor(signal: number, workers: number): number {
  if (signal > 1.3) return Math.max(workers + 1, Math.ceil((workers * 3) / 2));
  if (signal > 1.1) return workers + 1;
  if (signal < 0.5) return fewerWorkers(workers);
  if (signal < 0.7) return workers - 1;
  return workers;
}

function workersForBacklog(waitingTasks: number, workers: number, targets: ScaleTargets): number | undefined {
  if (waitingTasks > targets.queue) return workers + 1;
  return waitingTasks > 0 ? workers : undefined;
}

/** The guide's step down, × 0.7, and at least one fewer. */
export function fewerWorkers(workers: number): number {
  return Math.min(workers - 1, Math.floor((workers * 7) / 10));
}
