import { expect, test, vi } from 'vitest';
import { taskValue } from '../../lib/queue/task-value.ts';
import { makePhone } from '../../support/phone-scene.ts';

const PATIENTLY = { timeout: 20_000, interval: 30 };
const DAY_MS = 86_400_000;

function pending(more: Parameters<typeof taskValue>[0] = {}) {
  return taskValue({ project: 'acme', approval: 'pending', source: 'github', budgetUsd: 3, ...more });
}

async function setUp() {
  const scene = await makePhone();
  const { queue, api } = scene;
  const states = async (id: string) => (await queue.show(id))?.state;
  const enqueue = async (more: Parameters<typeof taskValue>[0] = {}) => {
    const task = pending(more);
    const before = api.messages.length;
    await queue.enqueue(task);
    return { id: task.id, question: await api.message(/Serve un sì/, before) };
  };
  return { ...scene, states, enqueue };
}

test('a task that needs a yes is asked about once, and approved by a button', async () => {
  const { api, enqueue, states, rows, metric, queue } = await setUp();
  const { id, question } = await enqueue({ prompt: 'Cancella <tutto>' });
  expect(question.text).toContain('Può costare fino a 3,00 $ · chiesto da github\nCancella <tutto>');
  expect(await states(id)).toBe('needs-approval');
  await api.press('Approva');
  await vi.waitFor(async () => expect(await states(id)).toBe('waiting'), PATIENTLY);
  await vi.waitFor(() => expect(question.text).toMatch(/^✅ Approvato/), PATIENTLY);
  expect(question.buttons).toEqual([]);
  expect((await queue.show(id))?.task?.approval).toBe('granted');
  expect(rows('SELECT user_id, what, subject, outcome FROM telegram_audit')).toEqual([
    { user_id: api.userId, what: 'granted', subject: id, outcome: 'decided' },
  ]);
  expect(rows('SELECT state, decided_by FROM telegram_approvals')).toEqual([
    { state: 'granted', decided_by: api.userId },
  ]);
  expect(await metric('swarm_approvals_total{decision="granted"}')).toBe(1);
  expect(api.messages).toHaveLength(1);
});

test('a rejected task is cancelled; its details can be asked for as often as one likes', async () => {
  const { api, enqueue, states, metric } = await setUp();
  const { id, question } = await enqueue();
  await api.press('Dettagli');
  await api.message(/serve un sì · cervella-backend · acme/);
  api.pressData(question.buttons.flat()[2].callback_data ?? '', {}, question.id);
  await vi.waitFor(() => expect(api.messages).toHaveLength(3), PATIENTLY);
  api.pressData(question.buttons.flat()[1].callback_data ?? '', {}, question.id);
  await vi.waitFor(async () => expect(await states(id)).toBe('cancelled'), PATIENTLY);
  await vi.waitFor(() => expect(question.text).toMatch(/^🚫 Rifiutato/), PATIENTLY);
  expect(await metric('swarm_approvals_total{decision="rejected"}')).toBe(1);
});

test('an approval counts once: replayed, forged, or by a stranger it does nothing', async () => {
  const { api, enqueue, states, metric } = await setUp();
  const { id, question } = await enqueue();
  const [approve, reject] = question.buttons.flat().map(({ callback_data: data = '' }) => data);
  for (const data of [approve, reject]) expect(Buffer.byteLength(data)).toBeLessThanOrEqual(64);
  api.pressData(approve, { userId: 666 }, question.id);
  api.pressData(approve, { chatId: 999 }, question.id);
  for (const forged of ['approve', `approve:${id}`, `${approve}x`, '', '../..', 'x'.repeat(64)]) {
    api.pressData(forged, {}, question.id);
  }
  await vi.waitFor(() => expect(api.toasts).toHaveLength(6), PATIENTLY);
  expect(api.toasts).toEqual(Array(6).fill('Questo pulsante non è valido.'));
  expect(await states(id)).toBe('needs-approval');
  api.pressData(reject, {}, question.id);
  await vi.waitFor(async () => expect(await states(id)).toBe('cancelled'), PATIENTLY);
  // The same again, and the other button of the same question.
  api.pressData(reject, {}, question.id);
  api.pressData(approve, {}, question.id);
  await vi.waitFor(() => expect(api.toasts).toHaveLength(9), PATIENTLY);
  expect(api.toasts.slice(6)).toEqual(['', 'Già fatto.', '']);
  await vi.waitFor(() => expect(question.text).toContain('Non aspetta più una risposta'), PATIENTLY);
  expect(await states(id)).toBe('cancelled');
  expect(await metric('swarm_security_events_total{kind="forged-callback"}')).toBe(6);
  expect(await metric('swarm_security_events_total{kind="stranger"}')).toBe(2);
  expect(await metric('swarm_approvals_total{decision="refused"}')).toBe(2);
  expect(await metric('swarm_approvals_total{decision="granted"}')).toBe(0);
});

test('a question nobody answers expires, and its buttons with it', async () => {
  const { api, enqueue, states, pass, metric } = await setUp();
  const { id, question } = await enqueue();
  const [approve] = question.buttons.flat();
  pass(7 * DAY_MS);
  await vi.waitFor(() => expect(question.text).toMatch(/Scaduto: nessuno ha risposto/), PATIENTLY);
  expect(await states(id)).toBe('cancelled');
  api.pressData(approve.callback_data ?? '', {}, question.id);
  await vi.waitFor(() => expect(api.toasts).toEqual(['Questo pulsante è scaduto.']), PATIENTLY);
  expect(await metric('swarm_approvals_total{decision="expired"}')).toBe(1);
  expect(await states(id)).toBe('cancelled');
});

test('a task that is cancelled elsewhere is asked about no more; tried again, it is asked about again', async () => {
  const { api, enqueue, states, queue } = await setUp();
  const { id, question } = await enqueue();
  await queue.cancel(id, 'Cancelled at the desk.');
  await vi.waitFor(() => expect(question.text).toBe('Non aspetta più una risposta.'), PATIENTLY);
  await queue.retry(id);
  const again = await api.message(/Serve un sì/, 1);
  expect(again.id).toBe(2);
  await api.press('Approva');
  await vi.waitFor(async () => expect(await states(id)).toBe('waiting'), PATIENTLY);
});

test('a decision stands over a restart of every room, and over a Redis that is away when it is made', async () => {
  const { api, redis, enqueue, states, stop, start } = await setUp();
  const { id, question } = await enqueue();
  await stop();
  await redis.kill();
  await redis.start();
  await start();
  expect(await states(id)).toBe('needs-approval');
  await redis.kill();
  await api.press('Approva');
  await vi.waitFor(() => expect(question.text).toMatch(/^✅ Approvato/), PATIENTLY);
  await stop();
  await redis.start();
  expect(await states(id)).toBe('needs-approval');
  await start();
  await vi.waitFor(async () => expect(await states(id)).toBe('waiting'), PATIENTLY);
  expect(api.messages).toHaveLength(1);
});

test('a crash between the yes and the call heals', async () => {
  const { queue, redis } = await makePhone({ isStarted: false });
  const task = pending();
  await queue.enqueue(task);
  // What a crash right after the first of the two steps leaves.
  await redis.client.hset(`swarm:swarm-tasks:${task.id}`, 'data', JSON.stringify({ ...task, approval: 'granted' }));
  expect(await queue.pending()).toEqual([]);
  expect((await queue.show(task.id))?.state).toBe('delayed');
  expect(await queue.approve(task.id)).toBe('waiting');
  expect(await queue.approve(task.id)).toBe('waiting');
});
