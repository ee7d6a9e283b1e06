import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { makePhone } from '../../support/phone-scene.ts';

const MAIN = fileURLToPath(new URL('../../../dist/scheduler/main.js', import.meta.url));
const PATIENTLY = { timeout: 30_000, interval: 50 };

/** The real program; it is killed when the test ends at the latest. */
function startProcess(env: Readonly<Record<string, string>>): { readonly kill: () => Promise<void> } {
  const { PATH, SWARM_TEST_RUN } = process.env;
  const child: ChildProcess = spawn(process.execPath, [MAIN], {
    env: { PATH, ...(SWARM_TEST_RUN ? { SWARM_TEST_RUN } : {}), ...env },
    stdio: 'ignore',
  });
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  onTestFinished(kill);
  return { kill };
}

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
  const { api, notify, env, rows } = await makePhone({ isStarted: false });
  const first = startProcess(env);
  // Telegram has delivered it and says nothing: the process dies waiting for the answer.
  api.failNext('silence');
  await notify(end(1));
  await vi.waitFor(() => expect(api.messages).toHaveLength(1), PATIENTLY);
  expect(rows('SELECT state FROM telegram_outbox')).toEqual([{ state: 'sending' }]);
  await first.kill();
  const second = startProcess(env);
  await vi.waitFor(() => expect(api.messages).toHaveLength(2), PATIENTLY);
  expect(api.messages.map(({ text }) => text.includes('forse lo hai già ricevuto'))).toEqual([false, true]);
  await vi.waitFor(() => expect(rows('SELECT state FROM telegram_outbox')).toEqual([{ state: 'sent' }]), PATIENTLY);
  await second.kill();

  // What was noted as sent is not told again.
  startProcess(env);
  await notify(end(2));
  await vi.waitFor(() => expect(api.messages).toHaveLength(3), PATIENTLY);
  expect(api.messages[2].text).toContain('/task_task_2');
  expect(api.messages[2].text).not.toContain('forse');
});

test('killed again and again while notifications come, it loses none', async () => {
  const { api, notify, env, rows } = await makePhone({ isStarted: false });
  const numbers = Array.from({ length: 8 }, (_, index) => index + 10);
  for (const number of numbers) {
    await notify(end(number));
    if (number % 2 === 1) continue;
    const child = startProcess(env);
    await vi.waitFor(
      () => expect(rows('SELECT 1 FROM telegram_outbox').length).toBeGreaterThan(number - 10),
      PATIENTLY,
    );
    await child.kill();
  }
  startProcess(env);
  await vi.waitFor(() => {
    const told = api.messages.map(({ text }) => text).join('\n');
    for (const number of numbers) expect(told).toContain(`/task_task_${number}`);
  }, PATIENTLY);
});
