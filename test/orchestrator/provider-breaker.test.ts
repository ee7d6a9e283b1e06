import { join } from 'node:path';
import { expect, test } from 'vitest';
import { closeGate, type Gate, readGates } from '../../lib/queue/gates.ts';
import { createProviderBreaker, pauseMs, providerOf } from '../../orchestrator/provider-breaker.ts';
import { tempDir } from '../support/memory-builder.ts';
import { startRedis } from '../support/running-redis.ts';

async function makeBreaker() {
  const { client } = await startRedis(join(tempDir(), 'redis'));
  const breaker = createProviderBreaker(client, (gate: Gate) => closeGate(client, gate));
  const gates = async () => (await readGates(client, Date.now())).map(({ reason }) => reason);
  return { client, breaker, gates };
}

const MINUTE_MS = 60_000;

test.each([
  [1, undefined],
  [4, undefined],
  [5, 5 * MINUTE_MS],
  [6, 10 * MINUTE_MS],
  [8, 40 * MINUTE_MS],
  [9, 60 * MINUTE_MS],
  [40, 60 * MINUTE_MS],
])('after %i failures in a row the pause is %s ms', (failures, pause) => {
  expect(pauseMs(failures)).toBe(pause);
});

test.each([
  [undefined, 'anthropic'],
  ['claude-opus-4-5', 'anthropic'],
  ['bedrock/claude', 'bedrock'],
  ['/odd', 'anthropic'],
])('the provider of %s is %s', (model, provider) => {
  expect(providerOf(model)).toBe(provider);
});

test("five failures in a row that are the provider's pause the queue, and the first answer opens it", async () => {
  const { breaker, gates } = await makeBreaker();
  for (let failure = 0; failure < 4; failure += 1) await breaker.note('opus', 'overloaded');
  expect(await gates()).toEqual([]);
  await breaker.note('sonnet', 'auth');
  expect(await gates()).toEqual(['provider']);
  await breaker.note('opus', 'ok');
  expect(await gates()).toEqual([]);
  await breaker.note('opus', 'overloaded');
  expect(await gates()).toEqual([]);
});

test("an answer in between begins the count anew, and what is the agent's fault does not count", async () => {
  const { breaker, gates } = await makeBreaker();
  for (const outcome of [
    'overloaded',
    'overloaded',
    'needs-attention',
    'overloaded',
    'overloaded',
    'overloaded',
  ] as const) {
    await breaker.note('opus', outcome);
  }
  for (let failure = 0; failure < 10; failure += 1) await breaker.note('opus', 'crashed');
  expect(await gates()).toEqual([]);
});

test('providers are counted apart', async () => {
  const { breaker, gates } = await makeBreaker();
  for (let failure = 0; failure < 4; failure += 1) {
    await breaker.note('opus', 'overloaded');
    await breaker.note('bedrock/opus', 'overloaded');
  }
  expect(await gates()).toEqual([]);
});
