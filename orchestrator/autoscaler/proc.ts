// Readers of the kernel's text files. What is missing or garbled is `undefined`.

/** Time the CPUs have spent since the machine started, in ticks. */
export interface CpuTimes {
  readonly total: number;
  /** Waiting for a disk included. */
  readonly idle: number;
}

/** The machine's memory. */
export interface MachineMemory {
  readonly totalBytes: number;
  readonly availableBytes: number;
}

const IDLE = 3;
const IOWAIT = 4;
/** user, nice, system, idle, iowait, irq, softirq, steal; what follows, guests, is part of user and nice already. */
const CPU_FIELDS = 8;

/** The first line of `/proc/stat`. */
export function parseCpuTimes(text: string): CpuTimes | undefined {
  const fields = /^cpu((?: +\d+){4,})/.exec(text)?.[1].trim().split(/ +/).slice(0, CPU_FIELDS).map(Number);
  if (!fields) return undefined;
  return { total: fields.reduce((sum, field) => sum + field, 0), idle: fields[IDLE] + (fields[IOWAIT] ?? 0) };
}

/** The share of time between two readings in which the CPUs were used, 0 to 1; `undefined` if no time has passed. */
export function cpuRatioBetween(before: CpuTimes, after: CpuTimes): number | undefined {
  const total = after.total - before.total;
  if (!(total > 0)) return undefined;
  // The kernel admits that its count of iowait may go down.
  return Math.min(1, Math.max(0, 1 - (after.idle - before.idle) / total));
}

/** `/proc/meminfo`; kernels older than 3.14 do not say what is available. */
export function parseMachineMemory(text: string): MachineMemory | undefined {
  const bytes = (field: string): number | undefined => {
    const kibibytes = new RegExp(`^${field}: +(\\d+) kB$`, 'm').exec(text)?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1_024;
  };
  const [totalBytes, availableBytes] = [bytes('MemTotal'), bytes('MemAvailable')];
  if (!totalBytes || availableBytes === undefined) return undefined;
  return { totalBytes, availableBytes: Math.min(availableBytes, totalBytes) };
}

/** One average of a pressure file (`/proc/pressure/memory`, a cgroup's `memory.pressure`), in percent. */
export function parsePressure(text: string, line: 'some' | 'full', average: 'avg10' | 'avg60'): number | undefined {
  const found = new RegExp(`^${line} .*\\b${average}=(\\d+(?:\\.\\d+)?)(?: |$)`, 'm').exec(text)?.[1];
  if (found === undefined) return undefined;
  const percent = Number(found);
  return percent <= 100 ? percent : undefined;
}
