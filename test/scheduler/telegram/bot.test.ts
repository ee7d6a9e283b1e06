import { expect, test, vi } from 'vitest';
import { writeResults } from '../../../scheduler/health/results.ts';
import { openMonitorDb } from '../../../scheduler/monitor-db.ts';
import { taskValue } from '../../lib/queue/task-value.ts';
import { lessonRow, taskRow, usageRow } from '../../support/memory-builder.ts';
import { makePhone, type PhoneScene } from '../../support/phone-scene.ts';

const PATIENTLY = { timeout: 20_000, interval: 30 };

/** Says something and gives the answer. */
async function ask({ api }: PhoneScene, text: string, answer: RegExp) {
  const before = api.messages.length;
  api.say(text);
  return await api.message(answer, before);
}

test('every command answers by its Italian and its English name', async () => {
  const scene = await makePhone();
  const { memory, queue } = scene;
  const nowMs = Date.now();
  memory.events(taskRow(nowMs - 3_600_000), taskRow(nowMs - 7_200_000, { success: 0, event_type: 'task_failed' }));
  memory.insert('task_usage', usageRow(nowMs - 3_600_000, 't1'));
  memory.insert('lessons_learned', lessonRow({ status: 'ACTIVE', problem: 'Porta <chiusa>', solution: 'Aprirla' }));
  const task = taskValue({ id: 'abc12345', project: 'acme' });
  await queue.enqueue(task);
  const answers: readonly (readonly [it: string, en: string, answer: RegExp])[] = [
    ['/stato', '/status', /Stato\nOrchestratori 0 · memoria leggibile[\s\S]*1 in attesa/],
    ['/kpi', '/kpi@some_bot', /KPI, ultimi 7 giorni[\s\S]*Successo\s+50,0 %/],
    ['/coda', '/queue', /Coda: 1 task[\s\S]*cervella-backend · acme · in attesa \/task_abc12345/],
    ['/task abc12345', '/task_abc', /in attesa · cervella-backend · acme\nabc12345/],
    ['/task', '/task@bot', /Quale task/],
    ['/costi', '/costs', /Costi[\s\S]*Limiti: 5,00 \$ al giorno/],
    ['/lezioni', '/lessons', /Lezioni attive: 1[\s\S]*Porta <chiusa>\n {2}Aprirla/],
    ['/retro', '/retro', /Ancora nessuna retrospettiva/],
    ['/salute', '/health', /Ancora nessun controllo/],
    ['/silenzia', '/silence', /ALERTMANAGER_URL non è impostato/],
    ['/pausa', '/pause', /in pausa/],
    ['/riprendi', '/resume', /La coda è aperta/],
    ['/riprova', '/retry', /niente da riprovare/],
    ['/annulla', '/cancel', /Quale task/],
    ['/nuovo', '/new', /Quale agente/],
    ['/aiuto', '/help', /\/stato – Tutto in uno sguardo/],
    ['/boh', '/start@bot', /comando|Comandi/],
  ];
  for (const [it, en, answer] of answers) {
    await ask(scene, it, answer);
    await ask(scene, en, answer);
  }
  expect(scene.api.refusals).toEqual([]);
});

test('the KPIs come with a picture of four weeks, without a font', async () => {
  const scene = await makePhone();
  scene.memory.events(taskRow(Date.now() - 3_600_000));
  const { file } = await ask(scene, '/kpi', /Sopra: 28 giorni/);
  expect(file).toMatchObject({ kind: 'photo', name: 'kpi.png' });
  expect(file?.bytes.subarray(0, 8)).toEqual(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'));
});

test('the menu is registered, in the language of the settings and in that of the phone', async () => {
  const { api } = await makePhone();
  await vi.waitFor(() => expect([...api.menu.keys()]).toEqual(['', 'it', 'en']), PATIENTLY);
  expect(api.menu.get('')?.map(({ command }) => command)).toEqual([
    ...['stato', 'nuovo', 'coda', 'task', 'kpi', 'costi', 'salute', 'retro', 'lezioni'],
    ...['annulla', 'riprova', 'pausa', 'riprendi', 'silenzia', 'aiuto'],
  ]);
  expect(api.menu.get('en')?.map(({ command }) => command)).toContain('queue');
});

test('strangers are not answered: neither another person, nor the right one elsewhere', async () => {
  const scene = await makePhone();
  const { api, metric } = scene;
  api.say('/stato', { userId: 666 });
  api.say('/stato', { chatId: 999 });
  api.pressData('anything', { userId: 666 });
  await ask(scene, '/aiuto', /Comandi/);
  expect(api.messages).toHaveLength(1);
  expect(api.toasts).toEqual([]);
  expect(await metric('swarm_security_events_total{kind="stranger"}')).toBe(3);
});

test('what was said before it listened is dropped, and an update that comes twice counts once', async () => {
  const { api, start, rows } = await makePhone({ isStarted: false });
  api.say('/pausa');
  await start();
  const update = (id: number, text: string) => {
    const from = { id: api.userId, first_name: 'Prova' };
    return { update_id: id, message: { message_id: id, chat: { id: api.chatId }, from, text } };
  };
  // Out of order, and the first of them again.
  api.push(update(5_001, '/riprendi'), update(5_000, '/pausa due'), update(5_001, '/riprendi'));
  await api.message(/in pausa/);
  api.push(update(5_002, '/aiuto'));
  await api.message(/Comandi/);
  expect(rows('SELECT what, subject, outcome FROM telegram_audit ORDER BY id')).toEqual([
    { what: 'resume', subject: 'queue', outcome: 'open' },
    { what: 'pause', subject: 'queue', outcome: 'due' },
  ]);
});

test('a second poller is noticed, told and left alone', async () => {
  const scene = await makePhone();
  const { api, metric } = scene;
  api.setOtherPoller(true);
  api.say('/aiuto');
  await api.message(/Un altro programma legge i messaggi di questo bot/);
  const polls = api.polls();
  await vi.waitFor(() => expect(api.polls()).toBeGreaterThan(polls), PATIENTLY);
  expect(await metric('swarm_security_events_total{kind="second-poller"}')).toBe(1);
  api.setOtherPoller(false);
  await ask(scene, '/aiuto', /Comandi/);
  expect(api.messages.filter(({ text }) => text.includes('Un altro programma'))).toHaveLength(1);
});

test('a task is cancelled and tried again by buttons', async () => {
  const scene = await makePhone();
  const { api, queue, rows } = scene;
  const { id } = await queue.enqueue(taskValue({ project: 'acme' }));
  await ask(scene, '/annulla', /Quale task/);
  await api.press('cervella-backend · acme');
  await api.message(/Annullato: ora è annullato/);
  expect((await queue.show(id))?.state).toBe('cancelled');
  await ask(scene, `/task ${id}`, /annullato/);
  await api.press('Riprova');
  await api.message(/Riprova: ora è in attesa/);
  expect((await queue.show(id))?.state).toBe('waiting');
  expect(rows('SELECT user_id, what, subject FROM telegram_audit ORDER BY id')).toEqual([
    { user_id: api.userId, what: 'cancel', subject: id },
    { user_id: api.userId, what: 'retry', subject: id },
  ]);
});

test('the trace of a task, its log without secrets, and a fix', async () => {
  const scene = await makePhone();
  const { api, queue, folder, redis } = scene;
  const { id } = await queue.enqueue(taskValue({ project: 'acme' }));
  const { mkdirSync, writeFileSync } = await import('node:fs');
  mkdirSync(`${folder}/work/logs`, { recursive: true });
  await ask(scene, `/task ${id}`, /in attesa/);
  await api.press('Percorso');
  await api.message(/Percorso[\s\S]*requested: by cli/);
  await api.press('Registro');
  await api.message(/Qui il registro dell’agente non c’è/);
  writeFileSync(`${folder}/work/logs/${id}.jsonl`, '{"text":"sk-ant-api03-abcdefghijklmnop di rossi@example.com"}\n');
  await api.press('Registro');
  const log = await api.message(/Registro dell’agente/);
  expect(log.file?.bytes.toString()).toBe('{"text":"[***] di [***]"}');
  await queue.cancel(id, 'x');
  const end = {
    id,
    round: 0,
    agent: 'a',
    project: 'acme',
    source: 'cli',
    outcome: 'ok',
    costUsd: 0,
    durationMs: 1_000,
  };
  await scene.notify({ kind: 'task-ended', key: `ended-${id}-0`, facts: { ...end, source: 'telegram' } });
  await api.message(/^✅ Fatto/);
  await api.press('Ho dovuto correggere');
  await api.message(/ha avuto bisogno di una correzione/);
  const results = await redis.client.xrange('swarm:swarm-results', '-', '+');
  expect(results.map(([, [, result]]) => (JSON.parse(result) as { kind: string }).kind)).toEqual(['end', 'fix']);
});

test('an order that fails says why, and its button works again', async () => {
  const scene = await makePhone();
  const { api, queue, redis } = scene;
  const { id } = await queue.enqueue(taskValue({ project: 'acme' }));
  await ask(scene, `/task ${id}`, /in attesa/);
  await redis.kill();
  await api.press('Annulla');
  await api.message(/Non è riuscito: Could not reach Redis/);
  await redis.start();
  await api.press('Annulla');
  await api.message(/Annullato: ora è annullato/);
});

test('the health of the projects, as the last run found it', async () => {
  const scene = await makePhone();
  const db = openMonitorDb(scene.env.MONITOR_DB_PATH);
  const outcome = { project: 'acme', type: 'http', seconds: 0.1, text: { it: '', en: '' } } as const;
  const found = [
    { ...outcome, check: 'http', state: 'down' },
    { ...outcome, check: 'tls', state: 'up' },
  ] as const;
  const nowMs = Date.parse('2026-11-25T11:00:00Z');
  writeResults(db, found, { runUtc: new Date(nowMs).toISOString(), nowMs });
  db.close();
  const { text } = await ask(scene, '/salute', /Salute dei progetti/);
  expect(text).toMatch(
    /^🩺 Salute dei progetti · mer 25\/11 12:00\n🔴 acme · http da mer 25\/11 12:00\n🟢 acme · tls$/,
  );
});

/** A monitor.db with the retrospectives of two weeks, the later with these figures. */
function addRetros({ env }: PhoneScene, figures: object): void {
  const db = openMonitorDb(env.MONITOR_DB_PATH);
  const add = db.prepare(
    `INSERT INTO retros (slot_utc, from_utc, until_utc, file, markdown, short_text, figures, made_at)
     VALUES (?, '', '', '', ?, ?, ?, '')`,
  );
  add.run('2026-11-13T17:00:00.000Z', '# Prima', 'Prima', '{}');
  add.run('2026-11-20T17:00:00.000Z', '# Seconda', 'Seconda <settimana>', JSON.stringify(figures));
  db.close();
}

const PAGE = { kind: 'document', name: 'retro.md', bytes: Buffer.from('# Seconda') };

test('the last retrospective with the picture of its week, and the whole of it as a file', async () => {
  const scene = await makePhone();
  const daily = [{ date: '2026-11-20', success: 3, failed: 1, unknown: 0 }];
  addRetros(scene, { daily, dailyBefore: [] });
  const { text, file } = await ask(scene, '/retro', /Retrospettiva/);
  expect(text).toMatch(/^🐝 Retrospettiva\nSeconda <settimana>\n\n📊 Task al giorno/);
  expect(file).toMatchObject({ kind: 'photo', name: 'retro.png' });
  await vi.waitFor(() => expect(scene.api.messages[1]?.file).toEqual(PAGE), PATIENTLY);
});

test('of a week without tasks, or one an older version looked back on, there are the words and the file', async () => {
  const scene = await makePhone();
  addRetros(scene, {});
  const { text, file } = await ask(scene, '/retro', /Retrospettiva/);
  expect([text, file]).toEqual(['🐝 Retrospettiva\nSeconda <settimana>', PAGE]);
});

test('what reviews have to say is told', async () => {
  const { api, notify } = await makePhone();
  const facts = { repository: 'owner/<name>', number: 7, reason: 'Vietato' };
  await notify({ kind: 'reviews-capped', key: 'reviews-capped-1', facts: { limit: 5 } });
  await notify({ kind: 'review-refused', key: 'review-1', facts });
  await api.message(/per oggi sono finite \(5\)/);
  await api.message(/Revisione non pubblicata · owner\/<name> 7\nVietato/);
});

test('a checklist has a button for each line, and shows what is done', async () => {
  const { api, notify, rows } = await makePhone();
  const facts = { text: 'Ogni lunedì', 'item-disk': 'Guarda il disco', 'item-keys': 'Ruota le <chiavi>' };
  await notify({ kind: 'checklist', key: 'weekly-1', facts });
  const list = await api.message(/Manutenzione\nOgni lunedì\n▫️ Guarda il disco\n▫️ Ruota le <chiavi>/);
  await api.press('Guarda il disco');
  await vi.waitFor(() => expect(list.text).toContain('✅ Guarda il disco\n▫️ Ruota le <chiavi>'), PATIENTLY);
  expect(list.buttons.flat().map(({ text }) => text)).toEqual(['▫️ Ruota le <chiavi>']);
  await api.press('Ruota le');
  await vi.waitFor(() => expect(list.buttons).toEqual([]), PATIENTLY);
  expect(rows('SELECT list, item, user_id FROM telegram_ticks ORDER BY item')).toEqual([
    { list: 'weekly-1', item: 'disk', user_id: api.userId },
    { list: 'weekly-1', item: 'keys', user_id: api.userId },
  ]);
});
