import { expect, test } from 'vitest';
import { closeGate, GATES, type Gate, openGates, readGates } from '../../../lib/queue/gates.ts';
import { tempDir } from '../../support/memory-builder.ts';
import { startRedis } from '../../support/running-redis.ts';

const NOW = 1_000_000;
const PAUSED: Gate = { reason: 'user', text: 'Lunch.', untilMs: undefined };
const LIMIT: Gate = { reason: 'usage-limit', text: 'The limit is reached.', untilMs: NOW + 10 };

test('a gate stays closed until it is opened, and one with an end until then', async () => {
  const { client } = await startRedis(tempDir());
  await closeGate(client, PAUSED);
  await closeGate(client, LIMIT);
  expect(await readGates(client, NOW)).toEqual([PAUSED, LIMIT]);
  expect(await readGates(client, NOW + 10)).toEqual([PAUSED]);
  await openGates(client, ['user']);
  expect(await readGates(client, NOW)).toEqual([LIMIT]);
});

test('of two gates of one reason the later counts', async () => {
  const { client } = await startRedis(tempDir());
  await closeGate(client, PAUSED);
  await closeGate(client, { ...PAUSED, text: 'Dinner.' });
  expect(await readGates(client, NOW)).toEqual([{ ...PAUSED, text: 'Dinner.' }]);
});

test('all gates can be opened at once, closed or not', async () => {
  const { client } = await startRedis(tempDir());
  await openGates(client);
  for (const reason of GATES) await closeGate(client, { reason, text: 'x', untilMs: undefined });
  expect(await readGates(client, NOW)).toHaveLength(GATES.length);
  await openGates(client);
  expect(await readGates(client, NOW)).toEqual([]);
});

test('a hostile text is one line of a bounded length', async () => {
  const { client } = await startRedis(tempDir());
  await closeGate(client, { ...PAUSED, text: `\u001b[2J two\r\nlines \u202e${'x'.repeat(100_000)}` });
  const [{ text }] = await readGates(client, NOW);
  expect(text).toMatch(/^\[2J two lines x+$/);
  expect(text).toHaveLength(500);
});

test('gates outlive Redis', async () => {
  const { client, kill, start } = await startRedis(tempDir(), ['--appendfsync', 'always']);
  await closeGate(client, PAUSED);
  await kill();
  await start();
  expect(await readGates(client, NOW)).toEqual([PAUSED]);
});
