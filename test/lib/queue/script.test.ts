import { expect, test } from 'vitest';
import { createScript, createStep, readAs, runSteps } from '../../../lib/queue/script.ts';
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

const COUNT = createStep("return redis.call('INCRBY', KEYS[1], ARGV[1])", Number);
const UNLESS = createStep("return redis.call('EXISTS', KEYS[1]) == 0 and 'free'", String);

test('steps are done at once, each with its own keys and arguments, and each has its own answer', async () => {
  const { client } = await startRedis(tempDir());
  const twice = readAs(COUNT(['a'], [2]), (count) => count * 10);
  expect(await runSteps(client, COUNT(['a'], [1]), COUNT(['b'], [5]), twice)).toEqual([1, 5, 30]);
  const [first, second] = await Promise.all([
    runSteps(client, COUNT(['c'], [1]), COUNT(['c'], [1])),
    runSteps(client, COUNT(['c'], [1]), COUNT(['c'], [1])),
  ]);
  expect([first, second]).toEqual([
    [1, 2],
    [3, 4],
  ]);
});

test('a step that returns false is the last: what comes after it is not done and has no answer', async () => {
  const { client } = await startRedis(tempDir());
  await client.set('taken', '1');
  const steps = (key: string) => [COUNT(['before'], [1]), UNLESS([key], []), COUNT(['after'], [1])] as const;
  expect(await runSteps(client, ...steps('taken'))).toEqual([1, undefined, undefined]);
  expect(await runSteps(client, ...steps('other'))).toEqual([2, 'free', 1]);
  expect(await client.mget('before', 'after')).toEqual(['2', '1']);
});
