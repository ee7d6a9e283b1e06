import { describe, expect, test } from 'vitest';
import {
  CGROUP_VERSIONS,
  cgroupFolders,
  parseCgroupMemory,
  parseStat,
} from '../../../orchestrator/autoscaler/cgroup.ts';
import {
  cpuRatioBetween,
  parseCpuTimes,
  parseMachineMemory,
  parsePressure,
} from '../../../orchestrator/autoscaler/proc.ts';

const GARBAGE = ['', '\0\0\0', 'max', 'cpu', 'cpu  a b c d', 'cpu0 1 2 3 4 5', '<html>', '-1', 'NaN', '9'.repeat(400)];

describe('/proc/stat', () => {
  test.each([
    ['of today, guests not counted twice', 'cpu  100 10 50 800 40 0 5 3 90 9\ncpu0 1 2 3 4\n', 1_008, 840],
    ['of an old kernel without iowait', 'cpu 1 2 3 4', 10, 4],
  ])('%s', (_, text, total, idle) => {
    expect(parseCpuTimes(text)).toEqual({ total, idle });
  });

  test.each(GARBAGE)('garbage gives nothing: %j', (text) => {
    expect(parseCpuTimes(text)).toBeUndefined();
  });

  test.each([
    ['a quarter used', { total: 1_100, idle: 875 }, 0.25],
    ['all used', { total: 1_100, idle: 800 }, 1],
    ['idle counted backwards, as iowait may be', { total: 1_100, idle: 790 }, 1],
    ['more idle than time', { total: 1_010, idle: 900 }, 0],
    ['no time passed', { total: 1_000, idle: 800 }, undefined],
    ['the machine started anew', { total: 10, idle: 5 }, undefined],
  ])('between two readings: %s', (_, after, ratio) => {
    expect(cpuRatioBetween({ total: 1_000, idle: 800 }, after)).toBe(ratio);
  });
});

describe('/proc/meminfo', () => {
  test('says what there is and what is available, in bytes', () => {
    const text = 'MemTotal:        4028440 kB\nMemFree:          100000 kB\nMemAvailable:    1000000 kB\n';
    expect(parseMachineMemory(text)).toEqual({ totalBytes: 4_028_440 * 1_024, availableBytes: 1_024_000_000 });
  });

  test.each([
    ...GARBAGE,
    'MemTotal: 4028440 kB\nMemFree: 100000 kB\n',
    'MemAvailable: 1000000 kB\n',
    'MemTotal: 0 kB\nMemAvailable: 0 kB\n',
    'MemTotal: -5 kB\nMemAvailable: 3 kB\n',
  ])('without one of them there is nothing: %j', (text) => {
    expect(parseMachineMemory(text)).toBeUndefined();
  });
});

describe('pressure', () => {
  const TEXT =
    'some avg10=1.50 avg60=2.25 avg300=0.75 total=1474230214\nfull avg10=0.50 avg60=0.00 avg300=0.00 total=87082859\n';

  test('is one average of one line', () => {
    expect([parsePressure(TEXT, 'some', 'avg60'), parsePressure(TEXT, 'full', 'avg10')]).toEqual([2.25, 0.5]);
    expect(parsePressure(TEXT, 'full', 'avg60')).toBe(0);
    expect(parsePressure('full avg10=100.00 avg60=9.00', 'full', 'avg10')).toBe(100);
  });

  test.each([
    ...GARBAGE,
    'full avg10=0.00 avg60=0.00',
    'some avg10=0.00 avg60=',
    'some avg10=0.00 avg60=-3.00 avg300=0',
    'some avg10=0.00 avg60=101.00 avg300=0',
    'some avg10=0.00 avg600=3.00',
  ])('garbage gives nothing: %j', (text) => {
    expect(parsePressure(text, 'some', 'avg60')).toBeUndefined();
  });
});

describe('cgroups', () => {
  const [V2, V1] = CGROUP_VERSIONS;
  const TWO = 'sys/fs/cgroup';
  const ONE = 'sys/fs/cgroup/memory';

  test.each([
    [
      'version 2',
      V2,
      '0::/system.slice/swarm.service\n',
      [TWO, `${TWO}/system.slice`, `${TWO}/system.slice/swarm.service`],
    ],
    ['version 2 in a namespace of its own', V2, '0::/\n', [TWO]],
    ['version 1', V1, '9:name=systemd:/\n4:memory:/docker/ab\n0::/\n', [ONE, `${ONE}/docker`, `${ONE}/docker/ab`]],
    ['version 1 with controllers together', V1, '4:cpuset,memory,pids:/a\n', [ONE, `${ONE}/a`]],
    ['version 1, another controller whose name is alike', V1, '4:memory2:/a\n3:xmemory:/b\n', [ONE]],
    ['a path that climbs', V2, '0::/../../etc\n', [TWO]],
    [
      'a path just deep enough',
      V2,
      `0::${'/a'.repeat(32)}\n`,
      Array.from({ length: 33 }, (_, n) => TWO + '/a'.repeat(n)),
    ],
    ['a path too deep', V2, `0::${'/a'.repeat(33)}\n`, [TWO]],
    ['garbage', V2, '\0::no\n', [TWO]],
    ['no text', V1, '', [ONE]],
  ])('%s: the folders from the outermost in', (_, version, text, folders) => {
    expect(cgroupFolders(version, text)).toEqual(folders);
  });

  test.each([
    ['what is not used is left', '1000\n', '600\n', undefined, { totalBytes: 1_000, availableBytes: 400 }],
    ['cache that nobody uses is left too', '1000\n', '600\n', 100, { totalBytes: 1_000, availableBytes: 500 }],
    ['more cache than usage, read a moment later', '1000', '600', 700, { totalBytes: 1_000, availableBytes: 1_000 }],
    ['more used than allowed', '1000\n', '1200\n', 0, { totalBytes: 1_000, availableBytes: 0 }],
    ['no limit', 'max\n', '600\n', 0, undefined],
    ['a limit of 0', '0\n', '600\n', 0, undefined],
    ['no usage', '1000\n', undefined, 0, undefined],
    ['a garbled usage', '1000\n', '12 34\n', 0, undefined],
    ['a negative limit', '-1\n', '600\n', 0, undefined],
    ['a limit that is too long', `${'9'.repeat(400)}\n`, '600\n', 0, undefined],
  ])('memory: %s', (_, limit, usage, cache, expected) => {
    expect(parseCgroupMemory({ limit, usage, cache })).toEqual(expected);
  });

  test('memory.stat: one figure by its whole name', () => {
    const text = 'inactive_file 5\ntotal_inactive_file 7\nactive_file x\n';
    const names = ['inactive_file', 'total_inactive_file', 'active_file', 'file'];
    expect(names.map((name) => parseStat(text, name))).toEqual([5, 7, undefined, undefined]);
    expect(parseStat(undefined, 'inactive_file')).toBeUndefined();
  });
});
