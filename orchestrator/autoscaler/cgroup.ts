import type { MachineMemory } from './proc.ts';

/** The names by which one version of cgroups speaks of memory. */
export interface CgroupVersion {
  /** Where it is mounted. */
  readonly mount: string;
  /** Picks this process' path from `/proc/self/cgroup`. */
  readonly ownPath: RegExp;
  readonly limit: string;
  readonly usage: string;
  /** The line of `memory.stat` with the cached file contents that nobody has used lately. */
  readonly cache: string;
}

export const CGROUP_VERSIONS: readonly CgroupVersion[] = [
  {
    mount: 'sys/fs/cgroup',
    ownPath: /^0::(\/.*)$/m,
    limit: 'memory.max',
    usage: 'memory.current',
    cache: 'inactive_file',
  },
  {
    mount: 'sys/fs/cgroup/memory',
    ownPath: /^\d+:(?:[^:\n]*,)?memory(?:,[^:\n]*)?:(\/.*)$/m,
    limit: 'memory.limit_in_bytes',
    usage: 'memory.usage_in_bytes',
    cache: 'total_inactive_file',
  },
];

/** Kernels allow far more; a path that deep is none of ours. */
const DEEPEST = 32;

/**
 * The folders, from the outermost in, of the cgroups this process is in: a limit holds for all that is below. In a container
 * the path is often the host's and leads nowhere; then the outermost folder is the container's own.
 */
export function cgroupFolders({ mount, ownPath }: CgroupVersion, selfCgroup: string): readonly string[] {
  const names = (ownPath.exec(selfCgroup)?.[1] ?? '/').split('/').filter((name) => name !== '');
  // A process outside its cgroup namespace is shown a path that climbs: nothing that can be followed.
  if (names.includes('..') || names.length > DEEPEST) return [mount];
  return [mount, ...names.map((_, index) => [mount, ...names.slice(0, index + 1)].join('/'))];
}

/**
 * What one cgroup may take and what of it is left, from the text of its files; `undefined` where there is no limit. Cache
 * that nobody uses is given back under pressure, so it counts as available, as it does in the machine's own figure.
 */
export function parseCgroupMemory(texts: {
  readonly limit: string | undefined;
  readonly usage: string | undefined;
  readonly cache: number | undefined;
}): MachineMemory | undefined {
  const [totalBytes, usageBytes] = [parseBytes(texts.limit), parseBytes(texts.usage)];
  if (!totalBytes || usageBytes === undefined) return undefined;
  const usedBytes = Math.max(0, usageBytes - (texts.cache ?? 0));
  return { totalBytes, availableBytes: Math.max(0, totalBytes - usedBytes) };
}

/** One figure of a `memory.stat`. */
export function parseStat(text: string | undefined, name: string): number | undefined {
  return parseBytes(new RegExp(`^${name} (\\d+)$`, 'm').exec(text ?? '')?.[1]);
}

function parseBytes(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,20}\n?$/.test(text) ? Number(text) : undefined;
}
