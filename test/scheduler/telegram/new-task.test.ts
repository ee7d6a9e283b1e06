import { expect, test, vi } from 'vitest';
import { taskRow } from '../../support/memory-builder.ts';
import { makePhone } from '../../support/phone-scene.ts';

const PATIENTLY = { timeout: 20_000, interval: 30 };

async function setUp(env: Readonly<Record<string, string>> = {}) {
  const scene = await makePhone({ env });
  scene.memory.events(taskRow(Date.now() - 3_600_000, { agent_name: 'cervella-backend' }));
  const latest = async (text: RegExp) => {
    await vi.waitFor(() => expect(scene.api.messages.map((each) => each.text).join('\n\n')).toMatch(text), PATIENTLY);
  };
  return { ...scene, latest };
}

test('a task is put together by buttons and words, over a restart, and is on the queue once', async () => {
  const { api, queue, latest, stop, start } = await setUp();
  api.say('/nuovo');
  await latest(/Quale agente/);
  await api.press('cervella-backend');
  await latest(/Quale progetto/);
  await stop();
  await start();
  await api.press('acme');
  await latest(/cervella-backend in acme\.\nScrivi/);
  api.say('Rivedi le <prenotazioni>');
  await latest(/Quanto può costare/);
  await api.press('1,00 $');
  await latest(/fino a 1,00 \$:\nRivedi le <prenotazioni>/);
  await api.press('Avvia');
  await latest(/In coda/);
  const [view, ...others] = await queue.list(10);
  expect(others).toEqual([]);
  expect(view.task).toMatchObject({
    ...{ agent: 'cervella-backend', project: 'acme', prompt: 'Rivedi le <prenotazioni>', budgetUsd: 1 },
    ...{ source: 'telegram', approval: 'not-needed' },
  });
  api.say('altro');
  await latest(/Dimmi un comando/);
});

test('who writes it in one line is asked for the budget alone; a dear task has its yes by the button', async () => {
  const { api, queue, latest } = await setUp();
  api.say('/nuovo cervella-tester acme Prova tutto,\nanche i bordi');
  await latest(/Quanto può costare/);
  api.say('molto');
  await latest(/Scrivi un importo/);
  api.say('3,50 $');
  await latest(/fino a 3,50 \$/);
  await api.press('Avvia');
  await latest(/In coda/);
  const [view] = await queue.list(10);
  expect(view.task).toMatchObject({ budgetUsd: 3.5, approval: 'granted' });
});

test('on a Redis that would lose it nothing is promised, and the same button works once that is mended', async () => {
  const { api, queue, latest, redis } = await setUp();
  await redis.client.config('SET', 'appendonly', 'no');
  api.say('/nuovo cervella-tester acme Prova tutto');
  await latest(/Quanto può costare/);
  await api.press('1,00 $');
  await latest(/fino a 1,00 \$/);
  await api.press('Avvia');
  await latest(/Non è riuscito: Could not entrust a task to Redis\. .*--appendonly yes/);
  expect(await queue.list(10)).toEqual([]);
  await redis.client.config('SET', 'appendonly', 'yes');
  await api.press('Avvia');
  await latest(/In coda/);
  expect(await queue.list(10)).toHaveLength(1);
});

test('wrong answers are asked again, and an old button is no answer to another question', async () => {
  const { api, queue, latest, pass } = await setUp();
  api.say('/nuovo');
  await latest(/Quale agente/);
  const [agents] = api.messages;
  api.say('-rf /');
  await latest(/Questo non è il nome di un agente/);
  api.say('cervella-docs');
  await latest(/Agente cervella-docs/);
  api.say('altrove');
  await latest(/Non conosco questo progetto/);
  const old = agents.buttons.flat().find(({ text }) => text === 'cervella-backend');
  api.pressData(old?.callback_data ?? '');
  await vi.waitFor(() => expect(agents.text).toContain('Questa richiesta non c’è più'), PATIENTLY);
  pass(2 * 3_600_000);
  await api.press('acme');
  await latest(/ricomincia con \/nuovo[\s\S]*ricomincia con \/nuovo/);
  expect(await queue.list(10)).toEqual([]);
});

test('who lets it be has put nothing on the queue', async () => {
  const { api, queue, latest } = await setUp();
  api.say('/new cervella-tester acme Prova');
  await latest(/Quanto può costare/);
  await api.press('Lascia stare');
  await latest(/Lasciato stare/);
  expect(await queue.list(10)).toEqual([]);
});
