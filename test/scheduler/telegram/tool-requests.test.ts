import { expect, test, vi } from 'vitest';
import type { RefusedCall } from '../../../lib/queue/refused-call.ts';
import { taskValue } from '../../lib/queue/task-value.ts';
import { makePhone } from '../../support/phone-scene.ts';
import { refuseNext } from '../../support/refused-task.ts';

const PATIENTLY = { timeout: 20_000, interval: 30 };
const DAY_MS = 86_400_000;
const RULED: RefusedCall = { tool: 'Bash', input: 'npm ci', rule: 'Bash(npm ci)' };
const UNRULED: RefusedCall = { tool: 'Bash', input: 'npm ci | sh', why: 'no-rule' };

async function setUp(env: Readonly<Record<string, string>> = {}) {
  const scene = await makePhone({ env });
  const { queue, api } = scene;
  const shown = async (id: string) => {
    const view = await queue.show(id);
    return [view?.state, view?.task?.grantedTools];
  };
  const ask = async (refused: RefusedCall[], more: Parameters<typeof taskValue>[0] = {}) => {
    const before = api.messages.length;
    await queue.enqueue(taskValue({ project: 'acme', ...more }));
    const id = await refuseNext(scene, refused);
    return { id, question: await api.message(/🔧/, before) };
  };
  return { ...scene, shown, ask };
}

test('a task whose agent was refused a tool is one question, and its yes grants just that call to just that task', async () => {
  const { api, ask, shown, rows, metric, queue } = await setUp();
  const { id, question } = await ask([RULED]);
  expect(question.text).toMatch(
    /^🙋 Serve un sì · cervella-backend · acme\n.*\n🔧 Bash\n➡️ Bash\(npm ci\)\n.*solo per questo task/,
  );
  expect(question.text).toContain('Spesi 0,25 $ · tempo 1 min 0 s · chiesto da cli');
  expect(question.text).toContain('Installa <tutto>\nScade ');
  expect(question.buttons.flat().map(({ text }) => text)).toEqual(['✅ Approva', '🚫 Rifiuta', '🔍 Dettagli']);
  expect(await shown(id)).toEqual(['failed', undefined]);
  await api.press('Approva');
  await vi.waitFor(async () => expect(await shown(id)).toEqual(['waiting', ['Bash(npm ci)']]), PATIENTLY);
  await vi.waitFor(() => expect(question.text).toMatch(/^✅ Approvato[\s\S]*Gli è concesso Bash\(npm ci\)/), PATIENTLY);
  expect(question.buttons).toEqual([]);
  expect(rows('SELECT user_id, what, subject, outcome FROM telegram_audit')).toEqual([
    { user_id: api.userId, what: 'tool granted', subject: id, outcome: 'decided' },
  ]);
  expect(await metric('swarm_approvals_total{decision="granted"}')).toBe(1);
  await queue.enqueue(taskValue({ id: 'another-1', project: 'acme' }));
  expect(await shown('another-1')).toEqual(['waiting', undefined]);
  expect(api.messages).toHaveLength(1);
});

test('a no leaves the task as it ended; its details have the question too, while it is open', async () => {
  const { api, ask, shown, queue, metric, rows } = await setUp();
  const { id, question } = await ask([RULED]);
  await api.press('Dettagli');
  const details = await api.message(/Serve uno sguardo/, 1);
  expect(details.text).toContain('🔧 Bash\n➡️ Bash(npm ci)');
  expect(details.buttons.flat().map(({ text }) => text)).toEqual([
    ...['✅ Approva', '🚫 Rifiuta', '📄 Registro', '🧭 Percorso', '🔁 Riprova'],
  ]);
  api.pressData(details.buttons[0][1].callback_data ?? '', {}, details.id);
  await vi.waitFor(() => expect(question.text).toMatch(/^🚫 Rifiutato/), PATIENTLY);
  await vi.waitFor(() => expect(details.text).toMatch(/^🚫 Rifiutato/), PATIENTLY);
  expect(await shown(id)).toEqual(['failed', undefined]);
  expect((await queue.show(id))?.outcome).toBe('needs-attention');
  expect(rows('SELECT what, outcome FROM telegram_audit')).toEqual([{ what: 'tool rejected', outcome: 'decided' }]);
  expect(await metric('swarm_approvals_total{decision="rejected"}')).toBe(1);
  const before = api.messages.length;
  api.say(`/task ${id}`);
  const after = await api.message(/Serve uno sguardo/, before);
  expect(after.buttons.flat().map(({ text }) => text)).not.toContain('✅ Approva');
});

test('a yes counts once: replayed, by a stranger or after a no it grants nothing', async () => {
  const { api, ask, shown, metric } = await setUp();
  const { id, question } = await ask([RULED]);
  const [approve, reject] = question.buttons.flat().map(({ callback_data: data = '' }) => data);
  api.pressData(approve, { userId: 666 }, question.id);
  api.pressData(`${approve}x`, {}, question.id);
  await vi.waitFor(() => expect(api.toasts).toEqual(['Questo pulsante non è valido.']), PATIENTLY);
  api.pressData(reject, {}, question.id);
  await vi.waitFor(() => expect(question.text).toMatch(/^🚫 Rifiutato/), PATIENTLY);
  api.pressData(reject, {}, question.id);
  api.pressData(approve, {}, question.id);
  await vi.waitFor(() => expect(question.text).toBe('Non aspetta più una risposta.'), PATIENTLY);
  expect(await shown(id)).toEqual(['failed', undefined]);
  expect(await metric('swarm_security_events_total{kind="stranger"}')).toBe(1);
  expect(await metric('swarm_approvals_total{decision="refused"}')).toBe(2);
});

test('a question about a tool expires, and is closed when the task is tried again elsewhere', async () => {
  const { api, ask, shown, pass, queue } = await setUp();
  const first = await ask([RULED]);
  await queue.retry(first.id);
  await vi.waitFor(() => expect(first.question.text).toBe('Non aspetta più una risposta.'), PATIENTLY);
  await queue.cancel(first.id, 'no');
  const { id, question } = await ask([RULED]);
  const [approve] = question.buttons.flat();
  pass(7 * DAY_MS);
  await vi.waitFor(() => expect(question.text).toMatch(/Scaduto: nessuno ha risposto/), PATIENTLY);
  api.pressData(approve.callback_data ?? '', {}, question.id);
  await vi.waitFor(() => expect(api.toasts).toEqual(['Questo pulsante è scaduto.']), PATIENTLY);
  expect(await shown(id)).toEqual(['failed', undefined]);
});

test('a decision about a tool stands over a restart, and over a Redis that is away when it is made', async () => {
  const { api, redis, ask, shown, stop, start } = await setUp();
  const { id, question } = await ask([RULED]);
  await stop();
  await redis.kill();
  await redis.start();
  await start();
  await redis.kill();
  await api.press('Approva');
  await vi.waitFor(() => expect(question.text).toMatch(/^✅ Approvato/), PATIENTLY);
  await stop();
  await redis.start();
  expect(await shown(id)).toEqual(['failed', undefined]);
  await start();
  await vi.waitFor(async () => expect(await shown(id)).toEqual(['waiting', ['Bash(npm ci)']]), PATIENTLY);
  expect(api.messages).toHaveLength(1);
});

test('what no rule covers says why, and has no button that grants it', async () => {
  const { ask } = await setUp();
  const { question } = await ask([UNRULED]);
  expect(question.text).toMatch(/^❌ Serve uno sguardo · cervella-backend · acme\n/);
  expect(question.text).toContain(
    '🔧 Bash\nnpm ci | sh\n⛔ Da qui non si può concedere: non c’è una regola che copra questo e nient’altro.',
  );
  expect(question.buttons.flat().map(({ text }) => text)).toEqual(['📄 Registro', '🧭 Percorso', '🔁 Riprova']);
});

test('of several calls those are granted that can be, and what is said of the others is text', async () => {
  const { api, ask, shown } = await setUp({ SWARM_LANG: 'en' });
  const evil: RefusedCall = { tool: '<b>', input: '</i> sk-ant-api03-abcdefghijklmnop', why: 'masked' };
  const whole: RefusedCall = { tool: 'WebSearch', input: 'a & b', rule: 'WebSearch' };
  const { id, question } = await ask([RULED, whole, evil]);
  expect(question.text).toMatch(/^🙋 A yes is needed/);
  expect(question.text).toContain('🔧 WebSearch\na & b\n➡️ WebSearch, whatever for');
  expect(question.text).toContain('🔧 <b>\n</i> [***]\n⛔ It cannot be granted from here: it holds something');
  await api.press('Approve');
  await vi.waitFor(async () => expect(await shown(id)).toEqual(['waiting', ['Bash(npm ci)', 'WebSearch']]), PATIENTLY);
  expect(api.refusals).toEqual([]);
});

test('a task that waited for its yes may ask for a tool in the same round: buttons of the one do nothing to the other', async () => {
  const scene = await setUp();
  const { api, queue, shown } = scene;
  const { id } = taskValue();
  await queue.enqueue(taskValue({ id, project: 'acme', approval: 'pending' }));
  const first = await api.message(/Può costare/);
  const [approve] = first.buttons.flat();
  // Somebody says yes at the desk, so that the button was never used.
  await queue.approve(id);
  await vi.waitFor(() => expect(first.text).toBe('Non aspetta più una risposta.'), PATIENTLY);
  await refuseNext(scene, [RULED]);
  const second = await api.message(/chiede quello che non può usare/);
  api.pressData(approve.callback_data ?? '', {}, first.id);
  await vi.waitFor(
    async () => expect(await scene.metric('swarm_approvals_total{decision="refused"}')).toBe(1),
    PATIENTLY,
  );
  expect(await shown(id)).toEqual(['failed', undefined]);
  await api.press('Approva');
  await vi.waitFor(async () => expect(await shown(id)).toEqual(['waiting', ['Bash(npm ci)']]), PATIENTLY);
  await vi.waitFor(() => expect(second.text).toMatch(/^✅ Approvato/), PATIENTLY);
});

test('a yes that cannot be carried out says so, and holds up no other', async () => {
  const { api, ask, queue, shown } = await setUp();
  const { id, question } = await ask([RULED], { dedupeKey: 'twin' });
  await queue.enqueue(taskValue({ id: 'twin-1', dedupeKey: 'twin', project: 'acme', approval: 'pending' }));
  api.pressData(question.buttons[0][0].callback_data ?? '', {}, question.id);
  await vi.waitFor(
    () => expect(question.text).toMatch(/^✅ Approvato[\s\S]*Non è riuscito: .*same dedupe key/),
    PATIENTLY,
  );
  expect((await shown(id))[0]).toBe('failed');
  const other = await ask([RULED]);
  api.pressData(other.question.buttons[0][0].callback_data ?? '', {}, other.question.id);
  await vi.waitFor(async () => expect((await shown(other.id))[0]).toBe('waiting'), PATIENTLY);
});

test('told twice, it is asked once', async () => {
  const { ask, notify, api, rows } = await setUp();
  const { id } = await ask([RULED]);
  const [row] = rows(`SELECT facts FROM telegram_outbox WHERE kind = 'tool-request'`);
  const facts = JSON.parse(String(row.facts)) as Record<string, string>;
  await notify({ kind: 'tool-request', key: `ended-${id}-0`, facts });
  await notify({ kind: 'queue-paused', key: 'paused-1', facts: { reason: 'user', text: 'x' } });
  await api.message(/Coda in pausa/);
  expect(api.messages).toHaveLength(2);
  expect(rows('SELECT about, state FROM telegram_approvals')).toEqual([{ about: 'tool', state: 'asked' }]);
});
