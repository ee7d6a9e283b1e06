import type { Sample } from './samples.ts';

/** Why the machine or the model API, and not the demand, decided. The names are label values of `swarm_autoscaler_veto`. */
export const VETO_REASONS = [
  'memory_pressure',
  'memory_available',
  'cpu_pressure',
  'disk',
  'overloaded_answers',
] as const;

export type VetoReason = (typeof VETO_REASONS)[number];

/** Something that is short, and the sentence's end that says so. */
export interface Shortage {
  readonly veto: VetoReason;
  readonly because: string;
}

/** What the machine keeps for everything else, and what a worker costs it. */
export interface Headroom {
  /** Memory that must stay available. */
  readonly reserveBytes: number;
  /** Memory one agent takes. */
  readonly agentBytes: number;
  /** Disk that must stay free: a full one stops the swarm's memory and the queue. */
  readonly diskReserveBytes: number;
}

/** 400 MB is a tenth of the VM, where the alert on its memory begins; an agent was measured at about 700 MB. */
export const DEFAULT_HEADROOM: Headroom = {
  reserveBytes: 400e6,
  agentBytes: 700e6,
  diskReserveBytes: 2e9,
};

/** From here on the machine is losing: percent of 10 s in which all processes waited for memory. */
const MEMORY_FULL_LIMIT = 1;
/** Above these a further worker would only slow the others down: percent of 60 s in which some process waited. */
const MEMORY_SOME_LIMIT = 5;
const CPU_SOME_LIMIT = 40;

/** What is so short that a worker must go at once; `undefined` if nothing is, or nothing is known. */
export function saturationOf(sample: Sample, headroom: Headroom): Shortage | undefined {
  const { memoryFullAvg10, availableBytes } = sample;
  if (memoryFullAvg10 !== undefined && memoryFullAvg10 > MEMORY_FULL_LIMIT) {
    return {
      veto: 'memory_pressure',
      because: `every process waited for memory ${percent(memoryFullAvg10)} of the last 10 s (limit ${MEMORY_FULL_LIMIT} %)`,
    };
  }
  if (availableBytes !== undefined && availableBytes < headroom.reserveBytes) {
    return {
      veto: 'memory_available',
      because: `${megabytes(availableBytes)} of memory are available, fewer than the reserve of ${megabytes(headroom.reserveBytes)}`,
    };
  }
  return undefined;
}

/** What speaks against a further worker; `undefined` if nothing does, or nothing is known. Looks at the newest sample. */
export function vetoOnMore(sample: Sample, headroom: Headroom): Shortage | undefined {
  const { memorySomeAvg60, availableBytes, cpuSomeAvg60, diskFreeBytes } = sample;
  const { reserveBytes, agentBytes, diskReserveBytes } = headroom;
  if (memorySomeAvg60 !== undefined && memorySomeAvg60 >= MEMORY_SOME_LIMIT) {
    return { veto: 'memory_pressure', because: waited('memory', memorySomeAvg60, MEMORY_SOME_LIMIT) };
  }
  if (availableBytes !== undefined && availableBytes < reserveBytes + agentBytes) {
    const needed = `the reserve of ${megabytes(reserveBytes)} and an agent of ${megabytes(agentBytes)}`;
    return {
      veto: 'memory_available',
      because: `${megabytes(availableBytes)} of memory are available, too few for ${needed}`,
    };
  }
  if (cpuSomeAvg60 !== undefined && cpuSomeAvg60 >= CPU_SOME_LIMIT) {
    return { veto: 'cpu_pressure', because: waited('a CPU', cpuSomeAvg60, CPU_SOME_LIMIT) };
  }
  if (diskFreeBytes !== undefined && diskFreeBytes < diskReserveBytes) {
    return {
      veto: 'disk',
      because: `${megabytes(diskFreeBytes)} of disk are free, fewer than the reserve of ${megabytes(diskReserveBytes)}`,
    };
  }
  return undefined;
}

/** How many further agents the available memory holds beside the reserve; Infinity where it is not known. */
export function agentsThatFit({ availableBytes }: Sample, { reserveBytes, agentBytes }: Headroom): number {
  if (availableBytes === undefined) return Number.POSITIVE_INFINITY;
  return Math.floor((availableBytes - reserveBytes) / agentBytes);
}

function waited(what: string, value: number, limit: number): string {
  return `some process waited for ${what} ${percent(value)} of the last 60 s (limit ${limit} %)`;
}

function percent(value: number): string {
  return `${value.toFixed(1)} %`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
