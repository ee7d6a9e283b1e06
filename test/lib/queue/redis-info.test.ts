import { expect, test } from 'vitest';
import { findRedisFault, parseRedisInfo } from '../../../lib/queue/redis-info.ts';

const INFO = `# Clients\r
connected_clients:7\r
# Memory\r
used_memory:2330000\r
maxmemory:0\r
maxmemory_policy:noeviction\r
# Persistence\r
aof_enabled:1\r
aof_last_write_status:ok\r
`;

test('what matters of INFO is read', () => {
  expect(parseRedisInfo(INFO)).toEqual({
    usedMemoryBytes: 2_330_000,
    maxMemoryBytes: 0,
    clients: 7,
    evictionPolicy: 'noeviction',
    isAofOn: true,
    isPersistent: true,
  });
});

test('what a Redis does not tell is not known, and no fault', () => {
  const nothing = parseRedisInfo('');
  expect(Object.values(nothing).every((value) => value === undefined)).toBe(true);
  expect(findRedisFault(nothing)).toBeUndefined();
});

test.each([
  ['maxmemory_policy:noeviction', 'maxmemory_policy:allkeys-lru', /maxmemory-policy noeviction/],
  ['aof_enabled:1', 'aof_enabled:0', /--appendonly yes/],
])('a Redis with %s turned into %s is not trusted with tasks', (from, to, remedy) => {
  expect(findRedisFault(parseRedisInfo(INFO))).toBeUndefined();
  expect(findRedisFault(parseRedisInfo(INFO.replace(from, to)))).toMatch(remedy);
});

test('an append-only file that cannot be written is not persistent', () => {
  expect(parseRedisInfo(INFO.replace('status:ok', 'status:err')).isPersistent).toBe(false);
});
