import { expect, test, vi } from 'vitest';
import type { Fault } from '../../support/fake-bot-api.ts';
import { makePhone } from '../../support/phone-scene.ts';

const NIGHT_MS = Date.parse('2026-11-25T02:30:00Z');
const PATIENTLY = { timeout: 20_000, interval: 30 };
let ids = 0;

function taskEnd(outcome: string, more: Readonly<Record<string, string | number>> = {}) {
  const id = `task-${++ids}`;
  const facts = { id, round: 0, agent: 'cervella-backend', project: 'acme', source: 'cli', outcome, attempts: 1 };
  return {
    kind: 'task-ended' as const,
    key: `ended-${id}-0`,
    facts: { ...facts, costUsd: 0.25, durationMs: 83_000, ...more },
  };
}

test('a failure is told at once, in Italian, escaped and masked, with its buttons', async () => {
  const { api, notify, metric } = await makePhone();
  const error = 'Non trovo <main>: api_key=abcdef123456 di rossi@example.com, tel. +39 333 123 4567';
  await notify(taskEnd('needs-attention', { error, branch: 'swarm/task-1' }));
  const told = await api.message(/Serve uno sguardo/);
  expect(told.text).toContain('Non trovo <main>: api_key=[***] di [***], tel. [***]');
  expect(told.text).toContain('Costo 0,25 $ · tempo 1 min 23 s');
  expect(told.text).toContain('Ramo swarm/task-1');
  expect(told.buttons.flat().map(({ text }) => text)).toEqual(['📄 Registro', '🧭 Percorso', '🔁 Riprova']);
  expect(await metric('swarm_notifications_total{outcome="sent"}')).toBe(1);
  expect(await metric('swarm_security_events_total{kind="secret-scrubbed"}')).toBe(1);
});

test('in English by setting', async () => {
  const { api, notify } = await makePhone({ env: { SWARM_LANG: 'en' } });
  await notify(taskEnd('timeout'));
  expect((await api.message(/Timed out/)).text).toContain('Cost 0.25 $ · time 1 min 23 s');
});

test('successes wait for each other and are told in one message; one started on the phone is told at once', async () => {
  const { api, notify, pass } = await makePhone();
  await notify(taskEnd('ok'), taskEnd('ok', { costUsd: 0.5 }), taskEnd('ok', { source: 'telegram' }));
  await api.message(/^✅ Fatto/);
  expect(api.messages).toHaveLength(1);
  pass(4 * 60_000);
  await notify(taskEnd('failed'));
  const merged = await api.message(/2 task finiti/);
  expect(merged.text.split('\n')).toHaveLength(3);
  expect(merged.text).toContain('(0,75 $)');
});

test('at night a failure comes without a sound, a success in the morning', async () => {
  const { api, notify, pass } = await makePhone({ atMs: NIGHT_MS, env: { QUIET_HOURS: '22:30-08:00' } });
  await notify(taskEnd('ok'), taskEnd('stuck'));
  expect((await api.message(/Bloccato/)).isSilent).toBe(true);
  pass(2 * 3_600_000);
  await notify(taskEnd('crashed'));
  await api.message(/Caduto/);
  expect(api.messages).toHaveLength(2);
  pass(4 * 3_600_000);
  await notify(taskEnd('auth'));
  expect((await api.message(/Accesso negato/)).isSilent).toBe(false);
  expect((await api.message(/^✅ Fatto/)).isSilent).toBe(false);
});

test.each<[Fault, boolean]>([
  ['too-many', false],
  ['server-error', false],
  ['gateway', true],
  ['cut', true],
])('after %s it is told again; that it may have come before is said: %s', async (fault, isRepeat) => {
  const { api, notify, metric } = await makePhone();
  api.failNext(fault);
  await notify(taskEnd('stuck'));
  const last = await vi.waitFor(() => {
    const told = api.messages.at(-1);
    expect(told?.text.includes('forse lo hai già ricevuto')).toBe(isRepeat);
    return told;
  }, PATIENTLY);
  expect(last?.text).toContain('Bloccato');
  expect(api.messages).toHaveLength(fault === 'cut' ? 2 : 1);
  expect(await metric('swarm_notifications_total{outcome="failed"}')).toBe(fault === 'too-many' ? 0 : 1);
});

test('nothing is lost while Telegram is down, and what came together is told together', async () => {
  const { api, notify } = await makePhone();
  api.failNext('server-error', 3);
  const ends = Array.from({ length: 12 }, (_, index) => taskEnd('stuck', { agent: `agent-${index}` }));
  await notify(...ends);
  await vi.waitFor(() => {
    const text = api.messages.map((each) => each.text).join('\n');
    for (let index = 0; index < 12; index += 1) expect(text).toContain(`agent-${index} `);
  }, PATIENTLY);
  expect(api.messages.length).toBeLessThan(12);
});

test('what was told is told once, over restarts and repetitions', async () => {
  const { api, notify, stop, start, redis } = await makePhone();
  const end = taskEnd('stuck');
  await notify(end);
  await api.message(/Bloccato/);
  await stop();
  // Redis has forgotten it, and whoever told it does so again.
  await redis.client.flushall();
  await notify(end, taskEnd('timeout'));
  await start();
  await api.message(/Tempo scaduto/);
  expect(api.messages.filter(({ text }) => text.includes('Bloccato'))).toHaveLength(1);
});

test('a text that Telegram does not understand is sent bare', async () => {
  const { api, notify } = await makePhone();
  api.failNext('bad-request');
  await notify(taskEnd('stuck', { error: 'a < b' }));
  const told = await api.message(/Bloccato/);
  expect(told.html).not.toContain('<b>');
  expect(told.text).toContain('a < b');
});

test('a kind nobody has described is told by its text, or by its facts', async () => {
  const { api, redis } = await makePhone();
  const { Queue } = await import('bullmq');
  const queue = new Queue('swarm-notifications', { connection: redis.client, prefix: 'swarm' });
  const at = new Date().toISOString();
  await queue.add('x', { version: 1, kind: 'something-new', key: 'new-a', at, facts: { text: 'Un <testo>' } });
  await queue.add('x', { version: 1, kind: 'something-new', key: 'new-b', at, facts: { project: 'acme' } });
  await queue.add('x', { version: 1, nonsense: true });
  await api.message(/^🔔 Un <testo>$/);
  await api.message(/^🔔 kind: something-new\nproject: acme$/);
  await queue.close();
});

test('a long text is several messages, a longer one a file', async () => {
  const { api, notify } = await makePhone();
  const paragraph = `${'parola '.repeat(80)}<&>\n\n`;
  await notify({ kind: 'retro', key: 'retro-1', facts: { text: paragraph.repeat(15) } });
  await vi.waitFor(() => expect(api.messages).toHaveLength(3), PATIENTLY);
  const whole = api.messages.map(({ text }) => text).join('\n\n');
  expect(whole.replace(/\s+/g, ' ')).toBe(`🐝 Retrospettiva ${paragraph.repeat(15)}`.replace(/\s+/g, ' ').trim());
  await notify({ kind: 'retro', key: 'retro-2', facts: { text: paragraph.repeat(45) } });
  const inFile = await api.message(/Tutto il testo è nel file/, 3);
  expect(inFile.file?.bytes.toString()).toContain(paragraph.repeat(45).trim());
});
