import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createSignalReader } from '../../../orchestrator/autoscaler/signals.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'swarm-signals-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Tree = Readonly<Record<string, string>>;

function writeTree(root: string, tree: Tree): void {
  for (const [path, text] of Object.entries(tree)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

/** What a machine with these files shows. */
async function signalsOf(tree: Tree) {
  const root = mkdtempSync(join(folder, 'root-'));
  writeTree(root, tree);
  return createSignalReader({ root, diskPath: folder })();
}

const pressure = (some: number, full: number): string =>
  `some avg10=0.00 avg60=${some.toFixed(2)} avg300=0.00 total=1\nfull avg10=${full.toFixed(2)} avg60=0.00 avg300=0.00 total=1\n`;

/** 4,000 kB of which 1,000 are available, as on a machine without cgroups. */
const MACHINE: Tree = {
  'proc/stat': 'cpu  10 0 0 90 0 0 0 0 0 0\n',
  'proc/meminfo': 'MemTotal: 4000 kB\nMemFree: 50 kB\nMemAvailable: 1000 kB\n',
  'proc/pressure/memory': pressure(2, 0.5),
  'proc/pressure/cpu': pressure(20, 0),
};
const CONTAINER_V2: Tree = {
  'proc/self/cgroup': '0::/\n',
  'sys/fs/cgroup/memory.max': '2048000\n',
  'sys/fs/cgroup/memory.current': '1945600\n',
  'sys/fs/cgroup/memory.stat': 'anon 1\nfile 2\ninactive_file 102400\nactive_file 3\n',
  'sys/fs/cgroup/memory.pressure': pressure(9, 3),
  'sys/fs/cgroup/cpu.pressure': pressure(55, 1),
};

describe('what a machine shows', () => {
  test('without cgroups it is its own figures', async () => {
    expect(await signalsOf(MACHINE)).toMatchObject({
      cpuRatio: undefined,
      memoryRatio: 0.75,
      availableBytes: 1_024_000,
      memorySomeAvg60: 2,
      memoryFullAvg10: 0.5,
      cpuSomeAvg60: 20,
    });
  });

  test.each([
    ['of version 2 is tighter', CONTAINER_V2, 0.9, 204_800],
    ['of version 2 has no limit', { ...CONTAINER_V2, 'sys/fs/cgroup/memory.max': 'max\n' }, 0.75, 1_024_000],
    [
      'of version 2 has more to spare',
      { ...CONTAINER_V2, 'sys/fs/cgroup/memory.current': '102401\n' },
      0.75,
      1_024_000,
    ],
    [
      'of version 2 lies above our own',
      {
        'proc/self/cgroup': '0::/work.slice/swarm.service\n',
        'sys/fs/cgroup/work.slice/memory.max': '2048000\n',
        'sys/fs/cgroup/work.slice/memory.current': '1843200\n',
        'sys/fs/cgroup/work.slice/swarm.service/memory.max': 'max\n',
        'sys/fs/cgroup/work.slice/swarm.service/memory.current': '1000\n',
      },
      0.9,
      204_800,
    ],
    [
      'of version 1 is tighter, and its path is the host’s',
      {
        'proc/self/cgroup': '4:memory:/docker/0123abc\n0::/\n',
        'sys/fs/cgroup/memory/memory.limit_in_bytes': '2048000\n',
        'sys/fs/cgroup/memory/memory.usage_in_bytes': '1945600\n',
        'sys/fs/cgroup/memory/memory.stat': 'inactive_file 7\ntotal_inactive_file 102400\n',
      },
      0.9,
      204_800,
    ],
    [
      'of version 1 has no limit, which it writes as a number',
      {
        'proc/self/cgroup': '4:memory:/a\n',
        'sys/fs/cgroup/memory/a/memory.limit_in_bytes': '9223372036854771712\n',
        'sys/fs/cgroup/memory/a/memory.usage_in_bytes': '1945600\n',
      },
      0.75,
      1_024_000,
    ],
  ])('what is tighter counts: a cgroup %s', async (_, cgroup: Tree, memoryRatio, availableBytes) => {
    const signals = await signalsOf({ ...MACHINE, ...cgroup });
    expect(signals.memoryRatio).toBeCloseTo(memoryRatio, 6);
    expect(signals.availableBytes).toBe(availableBytes);
  });

  test('the greater pressure counts, the machine’s or the cgroup’s', async () => {
    const here = { memorySomeAvg60: 9, memoryFullAvg10: 3, cpuSomeAvg60: 55 };
    expect(await signalsOf({ ...MACHINE, ...CONTAINER_V2 })).toMatchObject(here);
    const there = { ...MACHINE, ...CONTAINER_V2, 'proc/pressure/memory': pressure(70, 60) };
    expect(await signalsOf(there)).toMatchObject({ ...here, memorySomeAvg60: 70, memoryFullAvg10: 60 });
  });

  test.each([
    ['is missing', {}],
    ['is garbled', Object.fromEntries(Object.keys({ ...MACHINE, ...CONTAINER_V2 }).map((path) => [path, '\0\xff<&;']))],
    ['is empty', Object.fromEntries(Object.keys({ ...MACHINE, ...CONTAINER_V2 }).map((path) => [path, '']))],
    ['is a folder', Object.fromEntries(Object.keys(MACHINE).map((path) => [`${path}/inside`, '']))],
  ])('what %s is undefined, never 0', async (_, tree: Tree) => {
    const { diskFreeBytes, ...rest } = await signalsOf(tree);
    expect(rest).toEqual({
      cpuRatio: undefined,
      memoryRatio: undefined,
      availableBytes: undefined,
      memorySomeAvg60: undefined,
      memoryFullAvg10: undefined,
      cpuSomeAvg60: undefined,
    });
    expect(diskFreeBytes).toBeGreaterThan(0);
  });

  test('a disk that is not there has no free space, known or unknown', async () => {
    const read = createSignalReader({ root: folder, diskPath: join(folder, 'nowhere') });
    expect((await read()).diskFreeBytes).toBeUndefined();
  });
});

describe('the share of the CPUs', () => {
  const stat = (used: number, idle: number): Tree => ({ 'proc/stat': `cpu  ${used} 0 0 ${idle} 0 0 0 0 0 0\n` });

  test('is that since the reading before, so the first has none', async () => {
    const root = mkdtempSync(join(folder, 'root-'));
    const read = createSignalReader({ root, diskPath: folder });
    const ratios: (number | undefined)[] = [];
    for (const tree of [stat(100, 100), stat(190, 110), stat(190, 210), { 'proc/stat': 'gone' }, stat(500, 500)]) {
      writeTree(root, tree);
      ratios.push((await read()).cpuRatio);
    }
    expect(ratios).toEqual([undefined, 0.9, 0, undefined, undefined]);
  });
});

describe.runIf(existsSync('/proc/meminfo'))('this machine', () => {
  test('shows memory and disk within what it has', async () => {
    const signals = await createSignalReader({ diskPath: folder })();
    expect(signals.memoryRatio).toBeGreaterThan(0);
    expect(signals.memoryRatio).toBeLessThan(1);
    expect(signals.availableBytes).toBeGreaterThan(0);
    expect(signals.availableBytes).toBeLessThan(totalmem());
    // Others write to the disk meanwhile.
    const { bavail, bsize } = statfsSync(folder);
    expect((signals.diskFreeBytes ?? 0) / (bavail * bsize)).toBeCloseTo(1, 0);
  });

  test('shows pressure where its kernel measures it', async () => {
    const { memoryFullAvg10, memorySomeAvg60, cpuSomeAvg60 } = await createSignalReader({ diskPath: folder })();
    const kind = existsSync('/proc/pressure/memory') ? 'number' : 'undefined';
    expect([memoryFullAvg10, memorySomeAvg60, cpuSomeAvg60].map((each) => typeof each)).toEqual([kind, kind, kind]);
  });

  test('shows the share of its CPUs once time has passed', async () => {
    const read = createSignalReader({ diskPath: folder });
    const ratio = await vi.waitUntil(async () => (await read()).cpuRatio, { timeout: 10_000 });
    expect(ratio).toBeGreaterThanOrEqual(0);
    expect(ratio).toBeLessThanOrEqual(1);
  });
});
