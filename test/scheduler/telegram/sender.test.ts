import { describe, expect, test, vi } from 'vitest';
import { openMonitorDb } from '../../../scheduler/monitor-db.ts';
import { taskValue } from '../../lib/queue/task-value.ts';
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

const WEEK = JSON.stringify({ from: '2026-11-20', days: Array(8).fill([3, 1, 1, 4]) });
const retro = (key: string, week = WEEK, text = '20–27 novembre 2026\n191 task <in tutto>') =>
  ({ kind: 'retro', key, facts: { text, week } }) as const;

test('a retrospective comes with the picture of its week, and says what is in it', async () => {
  const { api, notify } = await makePhone();
  await notify(retro('retro-1'));
  const { text, file } = await api.message(/Retrospettiva/);
  expect(text).toMatch(/^🐝 Retrospettiva\n20–27 novembre 2026\n191 task <in tutto>\n\n📊 Task al giorno: 🟩 riusciti/);
  expect(file).toMatchObject({ kind: 'photo', name: 'retro.png' });
  expect(file?.bytes.subarray(0, 8)).toEqual(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'));
});

test.each([
  ['a week in which nothing was done', undefined],
  ['a week that is none', '{"from":"<b>","days":[[1]]}'],
])('%s has no picture, and nothing is said of one', async (_, week) => {
  const { api, notify } = await makePhone();
  const { facts, ...rest } = retro('retro-1');
  await notify({ ...rest, facts: week === undefined ? { text: facts.text } : { ...facts, week } });
  const { text, file } = await api.message(/Retrospettiva/);
  expect(text).toBe('🐝 Retrospettiva\n20–27 novembre 2026\n191 task <in tutto>');
  expect(file).toBeUndefined();
});

test.each<[Fault, RegExp]>([
  ['bad-picture', /in tutto>$/],
  ['gateway', /in tutto>\n\(forse lo hai già ricevuto\)$/],
])('a picture that does not get through (%s) hides no text, and holds nothing up', async (fault, end) => {
  const { api, notify } = await makePhone();
  api.failNext(fault);
  await notify(retro('retro-1'));
  const { text, file } = await api.message(/Retrospettiva/);
  expect(text).toMatch(end);
  expect(file).toBeUndefined();
  await notify(taskEnd('stuck'));
  await api.message(/Bloccato/);
  expect(api.messages).toHaveLength(2);
});

test('a text too long for a picture is sent before it, once', async () => {
  const { api, notify } = await makePhone();
  await notify(retro('retro-1', WEEK, 'parola '.repeat(200)));
  await vi.waitFor(() => expect(api.messages).toHaveLength(2), PATIENTLY);
  const [words, picture] = api.messages;
  expect([words.file, words.text.length > 1_024]).toEqual([undefined, true]);
  expect([picture.file?.kind, picture.text]).toEqual(['photo', expect.stringMatching(/^📊 Task al giorno/)]);
});

test('a process that died with a picture in its hands tells the text without it', async () => {
  const { api, notify, stop, start, rows, env } = await makePhone({ isStarted: false });
  await notify(retro('retro-1'));
  // Its own death would take this test with it: what it leaves behind is put there.
  await start({ QUIET_HOURS: '00:00-23:59' });
  await vi.waitFor(() => expect(rows('SELECT key FROM telegram_outbox')).toHaveLength(1), PATIENTLY);
  await stop();
  const db = openMonitorDb(env.MONITOR_DB_PATH);
  db.exec("UPDATE telegram_outbox SET state = 'sending'");
  db.close();
  await start();
  const { text, file } = await api.message(/Retrospettiva/);
  expect([file, text]).toEqual([undefined, expect.stringMatching(/forse lo hai già ricevuto/)]);
});

describe('the end of a review', () => {
  const API = 'https://github.example/api/v3';
  const LINK = 'https://github.example/acme/app/pull/7#pullrequestreview-3333333333';

  /** A phone whose monitor.db knows of a review, and the end of its task. */
  async function reviewed(url: string | null, more: Readonly<Record<string, string>> = {}) {
    const scene = await makePhone({ env: { GITHUB_API_URL: API } });
    const end = taskEnd('ok', { source: 'telegram', ...more });
    const db = openMonitorDb(scene.env.MONITOR_DB_PATH);
    db.prepare(
      `INSERT INTO pull_request_reviews (repository, number, head_sha, state, noticed_at, begin_at, next_try_at, changed_at,
         task_id, review_url) VALUES ('acme/app', 7, 'a', 'posted', '', '', '', '', ?, ?)`,
    ).run(end.facts.id, url);
    db.close();
    return { ...scene, end };
  }

  test('leads to the review, whose number is not taken for that of a phone', async () => {
    const { api, notify, end } = await reviewed(LINK);
    await notify(end);
    const { html } = await api.message(/^✅ Fatto/);
    expect(html).toContain(`\n🔎 <a href="${LINK}">La revisione su GitHub</a>\n`);
  });

  test('leads to it among several as well', async () => {
    const { api, notify, end, pass, rows } = await reviewed(LINK, { source: 'github' });
    await notify(end, taskEnd('ok'));
    await vi.waitFor(() => expect(rows('SELECT key FROM telegram_outbox')).toHaveLength(2), PATIENTLY);
    pass(4 * 60_000);
    await notify(taskEnd('stuck'));
    const { html, text } = await api.message(/2 task finiti/);
    expect(html).toContain(` · <a href="${LINK}">revisione</a> /task_`);
    expect(text.match(/revisione/g)).toHaveLength(1);
  });

  test('and the task itself, when it is asked for, lead to it', async () => {
    const { api, queue, end } = await reviewed(LINK);
    await queue.enqueue(taskValue({ id: String(end.facts.id), project: 'acme' }));
    api.say(`/task ${end.facts.id}`);
    const { html } = await api.message(/in attesa/);
    expect(html).toContain(`\n🔎 <a href="${LINK}">La revisione su GitHub</a>\n`);
  });

  test('leads nowhere while none is posted, and never where the message itself says', async () => {
    const { api, notify, end } = await reviewed(null, { link: 'https://evil.example' });
    await notify(end);
    const { html, text } = await api.message(/^✅ Fatto/);
    expect(html).not.toMatch(/<a |evil/);
    expect(text).not.toContain('🔎');
  });
});
