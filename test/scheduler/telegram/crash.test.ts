import { expect, test, vi } from 'vitest';
import { makePhone } from '../../support/phone-scene.ts';
import { startScheduler } from '../../support/running-scheduler.ts';

const PATIENTLY = { timeout: 30_000, interval: 50 };

const facts = {
  id: 'task-1',
  round: 0,
  agent: 'a',
  project: 'acme',
  source: 'cli',
  costUsd: 0,
  durationMs: 1,
  attempts: 1,
};
const end = (number: number) =>
  ({
    kind: 'task-ended',
    key: `ended-task-${number}-0`,
    facts: { ...facts, id: `task-${number}`, outcome: 'stuck' },
  }) as const;

test('killed between sending and noting it, it tells it again and says that it may have come before', async () => {
  const { api, notify, folder, env, rows } = await makePhone({ isStarted: false });
  const first = await startScheduler(folder, { ...env, LOG_LEVEL: 'info' });
  // Telegram has delivered it and says nothing: the process dies waiting for the answer.
  api.failNext('silence');
  await notify(end(1));
  await vi.waitFor(() => expect(api.messages).toHaveLength(1), PATIENTLY);
  expect(rows('SELECT state FROM telegram_outbox')).toEqual([{ state: 'sending' }]);
  await first.end('SIGKILL');
  const second = await startScheduler(folder, { ...env, LOG_LEVEL: 'info' });
  await vi.waitFor(() => expect(api.messages).toHaveLength(2), PATIENTLY);
  expect(api.messages.map(({ text }) => text.includes('forse lo hai già ricevuto'))).toEqual([false, true]);
  await vi.waitFor(() => expect(rows('SELECT state FROM telegram_outbox')).toEqual([{ state: 'sent' }]), PATIENTLY);
  await second.end('SIGKILL');

  // What was noted as sent is not told again.
  await startScheduler(folder, { ...env, LOG_LEVEL: 'info' });
  await notify(end(2));
  await vi.waitFor(() => expect(api.messages).toHaveLength(3), PATIENTLY);
  expect(api.messages[2].text).toContain('/task_task_2');
  expect(api.messages[2].text).not.toContain('forse');
});

test('killed again and again while notifications come, it loses none', async () => {
  const { api, notify, folder, env, rows } = await makePhone({ isStarted: false });
  const numbers = Array.from({ length: 8 }, (_, index) => index + 10);
  for (const number of numbers) {
    await notify(end(number));
    if (number % 2 === 1) continue;
    const child = await startScheduler(folder, { ...env, LOG_LEVEL: 'info' });
    await vi.waitFor(
      () => expect(rows('SELECT 1 FROM telegram_outbox').length).toBeGreaterThan(number - 10),
      PATIENTLY,
    );
    await child.end('SIGKILL');
  }
  await startScheduler(folder, { ...env, LOG_LEVEL: 'info' });
  await vi.waitFor(() => {
    const told = api.messages.map(({ text }) => text).join('\n');
    for (const number of numbers) expect(told).toContain(`/task_task_${number}`);
  }, PATIENTLY);
});
