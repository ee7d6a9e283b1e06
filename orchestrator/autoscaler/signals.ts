import { readFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { CGROUP_VERSIONS, type CgroupVersion, cgroupFolders, parseCgroupMemory, parseStat } from './cgroup.ts';
import {
  type CpuTimes,
  cpuRatioBetween,
  type MachineMemory,
  parseCpuTimes,
  parseMachineMemory,
  parsePressure,
} from './proc.ts';
import type { Signals } from './samples.ts';

/** Text beyond is not looked at: what counts stands at the beginning of these files, or they are short. */
const MOST_CHARACTERS = 65_536;

/**
 * Reads what the machine shows, and the cgroups this process is in: of both, what is tighter counts. It never fails; what
 * cannot be read is `undefined`. The share of the CPUs is the one since the reading before, so the first has none.
 * `root` is the folder that holds `proc` and `sys`, `diskPath` any path on the disk in question.
 */
export function createSignalReader(options: {
  readonly root?: string;
  readonly diskPath: string;
}): () => Promise<Signals> {
  const root = options.root ?? '/';
  let lastTimes: CpuTimes | undefined;
  return async () => {
    const read = (path: string): Promise<string | undefined> => readText(join(root, path));
    const [stat, meminfo, cgroups, diskFreeBytes] = await Promise.all([
      read('proc/stat'),
      read('proc/meminfo'),
      readCgroups(read),
      freeBytes(options.diskPath),
    ]);
    const times = parseCpuTimes(stat ?? '');
    const cpuRatio = lastTimes && times && cpuRatioBetween(lastTimes, times);
    lastTimes = times;
    const memories = [parseMachineMemory(meminfo ?? ''), ...cgroups.memories].filter((memory) => memory !== undefined);
    return { cpuRatio, ...tightest(memories), ...(await readPressure(read, cgroups.folders)), diskFreeBytes };
  };
}

type Read = (path: string) => Promise<string | undefined>;

function tightest(memories: readonly MachineMemory[]): Pick<Signals, 'memoryRatio' | 'availableBytes'> {
  return {
    memoryRatio: largest(memories.map(({ totalBytes, availableBytes }) => 1 - availableBytes / totalBytes)),
    availableBytes: memories.length === 0 ? undefined : Math.min(...memories.map((memory) => memory.availableBytes)),
  };
}

async function readCgroups(read: Read): Promise<{
  readonly folders: readonly string[];
  readonly memories: readonly (MachineMemory | undefined)[];
}> {
  const selfCgroup = (await read('proc/self/cgroup')) ?? '';
  const places = CGROUP_VERSIONS.flatMap((version) =>
    cgroupFolders(version, selfCgroup).map((folder) => ({ version, folder })),
  );
  return {
    folders: places.map(({ folder }) => folder),
    memories: await Promise.all(places.map(({ version, folder }) => readCgroupMemory(read, version, folder))),
  };
}

async function readCgroupMemory(
  read: Read,
  version: CgroupVersion,
  folder: string,
): Promise<MachineMemory | undefined> {
  const [limit, usage, stat] = await Promise.all(
    [version.limit, version.usage, 'memory.stat'].map((name) => read(`${folder}/${name}`)),
  );
  return parseCgroupMemory({ limit, usage, cache: parseStat(stat, version.cache) });
}

async function readPressure(
  read: Read,
  cgroupFolders: readonly string[],
): Promise<Pick<Signals, 'memoryFullAvg10' | 'memorySomeAvg60' | 'cpuSomeAvg60'>> {
  const readAll = (resource: string): Promise<(string | undefined)[]> =>
    Promise.all(
      [`proc/pressure/${resource}`, ...cgroupFolders.map((each) => `${each}/${resource}.pressure`)].map(read),
    );
  const [memory, cpu] = await Promise.all([readAll('memory'), readAll('cpu')]);
  return {
    memoryFullAvg10: largest(memory.map((text) => parsePressure(text ?? '', 'full', 'avg10'))),
    memorySomeAvg60: largest(memory.map((text) => parsePressure(text ?? '', 'some', 'avg60'))),
    cpuSomeAvg60: largest(cpu.map((text) => parsePressure(text ?? '', 'some', 'avg60'))),
  };
}

function largest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).slice(0, MOST_CHARACTERS);
  } catch {
    return undefined;
  }
}

/** What a program without special rights may still write. */
async function freeBytes(path: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
