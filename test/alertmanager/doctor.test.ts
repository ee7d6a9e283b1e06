import { describe, expect, test } from 'vitest';
import { swarm } from '../support/command-line.ts';
import { startBotApi } from '../support/fake-bot-api.ts';
import { makeMemory, tempDir } from '../support/memory-builder.ts';
import { startAlertmanager, telegramEnvironment } from '../support/running-alertmanager.ts';
import { startPrometheusWithRules } from '../support/running-prometheus.ts';

interface Finding {
  readonly check: string;
  readonly level: string;
  readonly message: string;
}

/** Runs `swarm doctor`; its findings by check, as `level: message`. */
async function doctor(env: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const environment = { SWARM_DB_PATH: makeMemory().path, EXPORTER_PORT: '0', ...env };
  const { code, stdout, stderr } = await swarm(['doctor', '--json', ...args], { cwd: tempDir(), env: environment });
  expect(stderr).toBe('');
  const findings = JSON.parse(stdout) as readonly Finding[];
  return {
    code,
    found: Object.fromEntries(findings.map(({ check, level, message }) => [check, `${level}: ${message}`])),
  };
}

describe('the settings of the alert path', () => {
  test('that are all unset are warnings, not problems', async () => {
    expect(await doctor({})).toMatchObject({
      code: 0,
      found: {
        'links on the phone': 'ok: 0 of 4 are set',
        'Telegram settings': 'warning: off: no alert reaches a phone',
        Alertmanager: 'warning: not asked: ALERTMANAGER_URL is not set',
      },
    });
  });

  test.each([
    ['http://127.0.0.1:3000'],
    ['http://localhost:3000'],
    ['http://[::1]:3000'],
    ['http://0.0.0.0:3000'],
    ['http://127.1:3000'],
  ])('that point a phone at itself are a problem: %s', async (address) => {
    const { code, found } = await doctor({ GRAFANA_URL: address, RUNBOOK_URL: 'https://example.org' });
    expect(code).toBe(1);
    expect(found['links on the phone']).toMatch(/^problem: GRAFANA_URL means the phone itself/);
  });

  test.each([
    [{ TELEGRAM_BOT_TOKEN: 'placeholder-token' }, /^problem: .*TELEGRAM_BOT_TOKEN is set to something else/],
    [{ TELEGRAM_BOT_TOKEN: '1:x' }, /^problem: TELEGRAM_BOT_TOKEN is set but TELEGRAM_CHAT_ID is not/],
    [{ TELEGRAM_BOT_TOKEN: '1:x', TELEGRAM_CHAT_ID: '5' }, /^ok: token and chat id are well-formed/],
  ])('for Telegram are judged: %j', async (env, expected) => {
    const { found } = await doctor(env);
    expect(found['Telegram settings']).toMatch(expected);
    expect(JSON.stringify(found)).not.toContain('placeholder-token');
  });
});

describe('Alertmanager', () => {
  test('that does not answer is a problem that names it', async () => {
    const { code, found } = await doctor({ ALERTMANAGER_URL: 'http://127.0.0.1:9' }, '--send-test-alert');
    expect(code).toBe(1);
    expect(found.Alertmanager).toMatch(/^problem: Could not ask Alertmanager at http:\/\/127\.0\.0\.1:9: /);
    expect(found['test alert']).toMatch(/^problem: Could not ask Alertmanager/);
  });

  test('that sends to nobody is a problem, and no test alert is sent', async () => {
    const alertmanager = await startAlertmanager({});
    const { code, found } = await doctor({ ALERTMANAGER_URL: alertmanager.url }, '--send-test-alert');
    expect(code).toBe(1);
    expect(found.Alertmanager).toContain('its configuration sends to nobody');
    expect(found['test alert']).toBe("problem: not sent: Alertmanager's configuration has no Telegram");
    expect((await alertmanager.alerts()).active).toEqual([]);
  });

  test('brings a test alert to the phone, and doctor says so and remembers it', async () => {
    const api = await startBotApi();
    const alertmanager = await startAlertmanager(telegramEnvironment(api));
    const env = { ALERTMANAGER_URL: alertmanager.url };
    expect((await doctor(env)).found['last notification']).toBe(
      'warning: since Alertmanager started: telegram 0 delivered, 0 attempts failed',
    );
    const { found } = await doctor(env, '--send-test-alert');
    expect(found['test alert']).toMatch(/^ok: arrived: Telegram took it after \d+\.\d s$/);
    expect(api.messages.map(({ text }) => text.split('\n')[2])).toEqual([
      'Prova: se leggi questo, gli allarmi arrivano',
    ]);
    expect((await doctor(env)).found['last notification']).toBe(
      'ok: since Alertmanager started: telegram 1 delivered, 0 attempts failed',
    );
  });

  test('that has loaded another chat than the settings name is a problem, and no test alert is sent', async () => {
    const api = await startBotApi();
    const alertmanager = await startAlertmanager(telegramEnvironment(api));
    const env = { ...telegramEnvironment(api), TELEGRAM_CHAT_ID: '42', ALERTMANAGER_URL: alertmanager.url };
    const { found } = await doctor(env, '--send-test-alert');
    expect(found.Alertmanager).toContain('it has not loaded the chat of TELEGRAM_CHAT_ID');
    expect(found['test alert']).toBe('problem: not sent: it has not loaded the chat of TELEGRAM_CHAT_ID');
    expect(api.messages).toEqual([]);
  });

  test('in which the test alert is silenced is a problem, whatever else arrives', async () => {
    const api = await startBotApi();
    const alertmanager = await startAlertmanager(telegramEnvironment(api));
    await alertmanager.silence('SwarmTestAlert');
    const { found } = await doctor({ ALERTMANAGER_URL: alertmanager.url }, '--send-test-alert');
    expect(found['test alert']).toBe('problem: not sent: Alertmanager has it silenced');
  });

  test('is asked where programs reach it, if that is not where people do', async () => {
    const alertmanager = await startAlertmanager(telegramEnvironment(await startBotApi()));
    const addresses = { ALERTMANAGER_URL: 'https://alerts.invalid', ALERTMANAGER_API_URL: alertmanager.url };
    const { found } = await doctor(addresses);
    expect(found.Alertmanager).toBe(`ok: answers at ${alertmanager.url}, sends by telegram`);
    expect(found['links on the phone']).toBe('ok: 1 of 4 are set');
  });

  test('of a web server that is no Alertmanager doctor says so', async () => {
    const api = await startBotApi();
    const { found } = await doctor({ ALERTMANAGER_URL: api.url });
    expect(found.Alertmanager).toMatch(/^problem: Could not ask Alertmanager at /);
  });

  test('that Telegram refuses again and again is a problem', async () => {
    const api = await startBotApi();
    api.refuseNext(1_000);
    const alertmanager = await startAlertmanager(telegramEnvironment(api));
    const { code, found } = await doctor({ ALERTMANAGER_URL: alertmanager.url }, '--send-test-alert');
    expect(code).toBe(1);
    expect(found['test alert']).toMatch(/^problem: did not arrive within 30 s: [1-9]\d* attempts failed$/);
    expect(api.messages).toEqual([]);
  });

  test('whose history Prometheus knows: doctor says when it sent last', async () => {
    const api = await startBotApi();
    const alertmanager = await startAlertmanager(telegramEnvironment(api));
    const prometheus = await startPrometheusWithRules('127.0.0.1:9', new URL(alertmanager.url).host);
    const env = { ALERTMANAGER_URL: alertmanager.url, PROMETHEUS_URL: prometheus.url };
    await expect
      .poll(async () => (await doctor(env)).found['last notification'], { timeout: 45_000, interval: 1_000 })
      .toMatch(/^ok: .* delivered, 0 attempts failed; the last at 20\d\d-/);
  });
});
