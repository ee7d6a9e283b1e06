import { Queue } from 'bullmq';
import { expect, onTestFinished, test } from 'vitest';
import { createNotifier, type Notification, notificationSchema } from '../../../lib/queue/notification.ts';
import { tempDir } from '../../support/memory-builder.ts';
import { startRedis } from '../../support/running-redis.ts';

async function open() {
  const { client } = await startRedis(tempDir());
  const notifier = createNotifier(client);
  const queue = new Queue<Notification>('swarm-notifications', { connection: client, prefix: 'swarm' });
  onTestFinished(async () => {
    await Promise.all([notifier.close(), queue.close()]);
  });
  return { ...notifier, told: async () => (await queue.getJobs()).map(({ data }) => data) };
}

test('two notifications of one key are one, the first', async () => {
  const { notify, told } = await open();
  const key = 'budget-day-2026-11-22';
  const about = (spentUsd: number) => notify({ kind: 'budget-notice', key, facts: { spentUsd } });
  await Promise.all([about(4), about(5), about(6)]);
  expect(await told()).toEqual([
    expect.objectContaining({ kind: 'budget-notice', key, version: 1, facts: { spentUsd: 4 } }),
  ]);
  await notify({ kind: 'budget-notice', key: 'budget-day-2026-11-23', facts: {} });
  expect(await told()).toHaveLength(2);
});

test('a long fact is cut, rather than nobody being told', async () => {
  const { notify, told } = await open();
  await notify({ kind: 'task-ended', key: 'task-1-end-0', facts: { error: 'x'.repeat(5_000), attempts: 3 } });
  const [notification] = await told();
  expect(notificationSchema.parse(notification).facts).toEqual({ error: `${'x'.repeat(999)}…`, attempts: 3 });
});

test.each(['', 'has:colon', 'two words', '12345', 'k'.repeat(121)])('the key "%s" is refused', async (key) => {
  const { notify, told } = await open();
  await expect(notify({ kind: 'queue-paused', key, facts: {} })).rejects.toThrow('key');
  expect(await told()).toEqual([]);
});

test('where nobody takes them, the oldest are dropped before they fill Redis', async () => {
  const { notify, told } = await open();
  const about = (number: number) => ({ kind: 'queue-paused', key: `n-${number}`, facts: { number } }) as const;
  await notify(...Array.from({ length: 2_000 }, (_, index) => about(index)));
  expect(await told()).toHaveLength(2_000);
  await notify(about(2_000));
  const numbers = (await told()).map(({ facts }) => facts.number);
  expect(numbers).toHaveLength(1_801);
  expect(Math.min(...numbers.map(Number))).toBe(200);
});

test('a ready text may be long', async () => {
  const { notify, told } = await open();
  await notify({ kind: 'retro', key: 'retro-1', facts: { text: 'x'.repeat(40_000) } });
  expect((await told())[0].facts.text).toBe(`${'x'.repeat(29_999)}…`);
});
