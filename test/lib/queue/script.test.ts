import { expect, test } from 'vitest';
import { createScript } from '../../../lib/queue/script.ts';
import { tempDir } from '../../support/memory-builder.ts';
import { startRedis } from '../../support/running-redis.ts';

const APPEND = createScript("return redis.call('APPEND', KEYS[1], ARGV[1])");

test('a script is sent as text once, and by its name from then on', async () => {
  const { client } = await startRedis(tempDir());
  for (const letter of ['a', 'b', 'c']) await APPEND(client, ['key'], [letter]);
  expect(await client.get('key')).toBe('abc');
  const stats = await client.info('commandstats');
  expect(stats).toMatch(/cmdstat_eval:calls=1,/);
  expect(stats).toMatch(/cmdstat_evalsha:calls=3,/);
});

test('a script runs after Redis forgot it, and after Redis was started anew', async () => {
  const { client, kill, start } = await startRedis(tempDir(), ['--appendfsync', 'always']);
  await APPEND(client, ['key'], ['a']);
  await client.script('FLUSH');
  await APPEND(client, ['key'], ['b']);
  await kill();
  await start();
  expect(await APPEND(client, ['key'], ['c'])).toBe(3);
  expect(await client.get('key')).toBe('abc');
});

test('many callers of a forgotten script each have their answer', async () => {
  const { client } = await startRedis(tempDir());
  const lengths = await Promise.all(Array.from({ length: 50 }, () => APPEND(client, ['key'], ['x'])));
  expect([...lengths].sort((one, other) => Number(one) - Number(other))).toEqual(
    Array.from({ length: 50 }, (_, index) => index + 1),
  );
});

test('an error of a script is the caller’s to see, and is not tried again', async () => {
  const { client } = await startRedis(tempDir());
  const failing = createScript("redis.call('INCR', KEYS[1]) return redis.error_reply('NO GOOD')");
  for (let calls = 1; calls <= 3; calls += 1) {
    await expect(failing(client, ['key'], [])).rejects.toThrow('NO GOOD');
    expect(await client.get('key')).toBe(String(calls));
  }
});
