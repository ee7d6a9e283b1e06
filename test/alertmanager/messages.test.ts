import { describe, expect, test, vi } from 'vitest';
import { type FakeBotApi, type SentMessage, startBotApi } from '../support/fake-bot-api.ts';
import {
  type AlertValue,
  type RunningAlertmanager,
  startAlertmanager,
  telegramEnvironment,
} from '../support/running-alertmanager.ts';

const STARTED = '2026-06-15T12:00:00Z';
const MAX_CHARACTERS = 4_096;
const LINKS = {
  RUNBOOK_URL: 'https://example.org/runbook',
  // As a browser shows it.
  GRAFANA_URL: 'https://grafana.example.org/?orgId=1#top',
  ALERTMANAGER_URL: 'https://alerts.example.org',
};

/** A firing alert: a warning of tier medium named HighErrorRate, unless told otherwise. */
function alertValue(labels: Readonly<Record<string, string>>, annotations: Readonly<Record<string, string>> = {}) {
  return {
    labels: { alertname: 'HighErrorRate', severity: 'warning', tier: 'medium', ...labels },
    annotations: {
      summary: 'Error rate alto',
      description: 'Nelle ultime 24 ore.',
      summary_en: 'Error rate high',
      description_en: 'In the last 24 hours.',
      ...annotations,
    },
    startsAt: STARTED,
  };
}

const CRITICAL = { alertname: 'AgentDown', severity: 'critical', tier: 'critical' };
const INFO = { alertname: 'NewErrors', severity: 'info', tier: 'low' };
/** Alertmanager waits for others of the group only while an alert is fresh. */
const fresh = (alert: AlertValue): AlertValue => ({ ...alert, startsAt: new Date().toISOString() });
const resolved = (alert: AlertValue): AlertValue => ({ ...alert, endsAt: new Date().toISOString() });

async function start(
  env: Readonly<Record<string, string>> = LINKS,
): Promise<{ readonly api: FakeBotApi; readonly alertmanager: RunningAlertmanager }> {
  const api = await startBotApi();
  return { api, alertmanager: await startAlertmanager({ ...telegramEnvironment(api), ...env }) };
}

/** Waits for so many messages, none of them refused, and gives the last. */
async function delivered(api: FakeBotApi, count = 1): Promise<SentMessage> {
  await vi.waitFor(() => expect(api.messages, api.refusals.join()).toHaveLength(count), {
    timeout: 20_000,
    interval: 50,
  });
  expect(api.refusals).toEqual([]);
  return api.messages[count - 1];
}

describe('a message', () => {
  test('says first the verdict, then what, since when, how many, how soon and what to do', async () => {
    const { api, alertmanager } = await start();
    await alertmanager.send(alertValue({}));
    const { html, chatId, isSilent } = await delivered(api);
    expect(html).toBe(
      [
        '🟠 <b>ATTENZIONE</b> · HighErrorRate',
        '',
        'Error rate alto',
        'Nelle ultime 24 ore.',
        '',
        'Da: 15/06 12:00 UTC',
        'Quanti: 1',
        'Rispondere entro: 2 h',
        'Cosa fare: <a href="https://example.org/runbook#higherrorrate">Runbook</a>',
        '<a href="https://grafana.example.org/d/swarm-executive?from=1781521200000&amp;to=now">Dashboard</a> · ' +
          '<a href="https://alerts.example.org/#/silences/new?filter=%7Balertname%3D%22HighErrorRate%22%7D">Silenzia</a>',
      ].join('\n'),
    );
    expect({ chatId, isSilent }).toEqual({ chatId: api.chatId, isSilent: false });
  });

  test('is in English where SWARM_LANG says so', async () => {
    const { api, alertmanager } = await start({ SWARM_LANG: 'en' });
    await alertmanager.send(alertValue(CRITICAL));
    expect((await delivered(api)).text).toBe(
      [
        '🔴 CRITICAL · AgentDown',
        '',
        'Error rate high',
        'In the last 24 hours.',
        '',
        'Since: 15/06 12:00 UTC',
        'How many: 1',
        'Respond within: 5 min',
        'What to do: docs/runbook.md',
      ].join('\n'),
    );
  });

  test('has no link where the address is not set, or means the phone itself', async () => {
    const { api, alertmanager } = await start({
      GRAFANA_URL: 'http://127.0.0.1:3000',
      ALERTMANAGER_URL: 'http://localhost:9093',
    });
    await alertmanager.send(alertValue({}));
    const { html } = await delivered(api);
    expect(html).not.toContain('href');
    expect(html).toMatch(/Cosa fare: docs\/runbook\.md$/);
  });

  test('says when everything is over', async () => {
    const { api, alertmanager } = await start();
    await alertmanager.send(alertValue({}));
    await delivered(api);
    await alertmanager.send({ ...alertValue({}), endsAt: '2026-06-15T12:30:00Z' });
    expect((await delivered(api, 2)).text).toBe(
      '✅ RISOLTO · HighErrorRate\n\nError rate alto\n\nDa: 15/06 12:00 UTC\nFino a: 15/06 12:30 UTC',
    );
  });

  test('makes no sound for what can wait, and gathers it', async () => {
    const { api, alertmanager } = await start();
    await alertmanager.send(
      fresh(alertValue(INFO, { summary: 'Errori nuovi' })),
      fresh(alertValue({ ...INFO, alertname: 'NoTasksIn6Hours' }, { summary: 'Nessun task' })),
    );
    const { text, isSilent } = await delivered(api);
    expect(isSilent).toBe(true);
    expect(text).toMatch(/^🔵 INFO ×2\n\n• Errori nuovi\n• Nessun task\n/);
  });
});

describe('whatever the alerts hold', () => {
  test('text from outside is escaped and arrives as it was', async () => {
    const { api, alertmanager } = await start();
    const hostile = `<b>&"'</b> +`;
    await alertmanager.send(alertValue({}, { summary: hostile, description: hostile }));
    const { html, text } = await delivered(api);
    expect(html).toContain('&lt;b&gt;&amp;&#34;&#39;&lt;/b&gt;');
    expect(text.split('\n').slice(2, 4)).toEqual([hostile, hostile]);
  });

  test('200 agents at once are one message that counts them and lists ten', async () => {
    const { api, alertmanager } = await start();
    const alerts = Array.from({ length: 200 }, (_, index) =>
      alertValue({ agent: `agent-${index}` }, { summary: `Agente ${index} fermo` }),
    );
    await alertmanager.send(...alerts.map(fresh));
    const { text } = await delivered(api);
    expect(text).toMatch(/^🟠 ATTENZIONE · HighErrorRate ×200\n/);
    expect(text.match(/^• /gm)).toHaveLength(10);
    expect(text).toContain('… altri: 190\n');
    expect(text).toContain('Quanti: 200\n');
  });

  test.each([
    ['ampersands', '&'],
    ['plus signs', '+'],
    ['quotation marks', '"'],
    ['tags', '<a href="x">'],
    ['emoji', '🐝'],
    ['line breaks', '\n'],
    ['template actions', '{{ . }}'],
  ])('%s without end make a message that fits', async (_, text) => {
    const { api, alertmanager } = await start({
      RUNBOOK_URL: `https://example.org/${'r'.repeat(160)}`,
      GRAFANA_URL: `https://example.org/${'g'.repeat(160)}`,
      ALERTMANAGER_URL: `https://example.org/${'a'.repeat(160)}`,
    });
    const flood = text.repeat(500);
    const name = 'N'.repeat(60);
    const alerts = Array.from({ length: 40 }, (_, index) =>
      alertValue({ alertname: name, agent: String(index) }, { summary: `${index} ${flood}`, description: flood }),
    );
    await alertmanager.send(...alerts.map(fresh));
    const { html } = await delivered(api);
    expect(html.length).toBeLessThanOrEqual(MAX_CHARACTERS);
    expect(html).toContain('Quanti: 40');
    await alertmanager.send(...alerts.map(resolved));
    expect((await delivered(api, 2)).html.length).toBeLessThanOrEqual(MAX_CHARACTERS);
  });

  test('an alert of somebody else, without severity or texts and with a hostile name, arrives too', async () => {
    const { api, alertmanager } = await start();
    await alertmanager.send({ labels: { alertname: `<b>"${'&'.repeat(1_000)}` }, startsAt: STARTED });
    const { text } = await delivered(api);
    expect(text).toMatch(/^🟠 ATTENZIONE · <b>"&+…\n\n<b>"&+…\n/);
    expect(text).toContain('Cosa fare: docs/runbook.md\n');
  });
});

describe('delivery', () => {
  test('is tried again when Telegram answers 429, until it has arrived', async () => {
    const { api, alertmanager } = await start();
    api.refuseNext(3);
    await alertmanager.send(alertValue(CRITICAL));
    await vi.waitFor(() => expect(api.messages).toHaveLength(1), { timeout: 30_000, interval: 100 });
    expect(api.refusals).toEqual(Array(3).fill('429 Too Many Requests: retry after 1'));
    expect(api.messages[0].text).toContain('AgentDown');
  });
});

describe('inhibition', () => {
  test('the exporter being down mutes what it feeds, and nothing else', async () => {
    const { api, alertmanager } = await start();
    const alerts = [
      alertValue(CRITICAL),
      alertValue({ alertname: 'HighErrorRate', source: 'exporter' }),
      alertValue({ alertname: 'QueuePaused', source: 'orchestrator' }),
    ];
    await alertmanager.send(...alerts.map(fresh));
    await delivered(api, 2);
    expect(await alertmanager.alerts()).toMatchObject({
      active: ['AgentDown', 'QueuePaused'],
      suppressed: ['HighErrorRate'],
    });
  });

  test('of a ladder only the highest rung speaks, in each memory', async () => {
    const { api, alertmanager } = await start();
    const rung = (number: number, swarm: string) =>
      alertValue({ alertname: `Rung${number}${swarm}`, ladder: 'outcome', rung: String(number), swarm });
    const other = alertValue({ alertname: 'Slow', ladder: 'duration', rung: '1', swarm: 'a' });
    const alerts = [rung(7, 'a'), rung(6, 'a'), rung(1, 'a'), rung(3, 'b'), rung(2, 'b'), other];
    await alertmanager.send(...alerts.map(fresh));
    await delivered(api, 3);
    expect(await alertmanager.alerts()).toMatchObject({
      active: ['Rung3b', 'Rung7a', 'Slow'],
      suppressed: ['Rung1a', 'Rung2b', 'Rung6a'],
    });
  });
});
