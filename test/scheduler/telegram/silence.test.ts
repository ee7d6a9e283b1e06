import { expect, test, vi } from 'vitest';
import { startBotApi } from '../../support/fake-bot-api.ts';
import { makePhone } from '../../support/phone-scene.ts';
import { startAlertmanager, telegramEnvironment } from '../../support/running-alertmanager.ts';

const PATIENTLY = { timeout: 30_000, interval: 100 };

test('an alert is silenced by all its labels, and its twin with another label is not', async () => {
  const alertmanager = await startAlertmanager(telegramEnvironment(await startBotApi()));
  const { api, rows } = await makePhone({ env: { ALERTMANAGER_URL: alertmanager.url } });
  api.say('/silenzia');
  await api.message(/Nessun allarme attivo/);
  const alert = (project: string) => ({ labels: { alertname: 'ProjectDown', severity: 'critical', project } });
  await alertmanager.send(alert('acme'), alert('altro'), { labels: { alertname: 'Watchdog', severity: 'info' } });
  await vi.waitFor(async () => expect((await alertmanager.alerts()).active).toHaveLength(3), PATIENTLY);
  api.say('/silenzia');
  const list = await api.message(/Quale allarme/);
  expect(
    list.buttons
      .flat()
      .map(({ text }) => text)
      .toSorted(),
  ).toEqual(['ProjectDown project=acme', 'ProjectDown project=altro']);
  await api.press('project=acme');
  await vi.waitFor(() => expect(list.text).toContain('Per quanto?'), PATIENTLY);
  expect(list.buttons.flat().map(({ text }) => text)).toEqual(['1 ora', '4 ore', 'Fino a domani']);
  await api.press('Fino a domani');
  await vi.waitFor(() => expect(list.text).toMatch(/ProjectDown tace fino a .* 08:00/), PATIENTLY);
  await vi.waitFor(async () => expect((await alertmanager.alerts()).suppressed).toEqual(['ProjectDown']), PATIENTLY);
  expect((await alertmanager.alerts()).active).toEqual(['ProjectDown', 'Watchdog']);
  expect(rows('SELECT what, subject FROM telegram_audit')).toEqual([{ what: 'silence', subject: 'ProjectDown' }]);
  api.say('/stato');
  await api.message(/Allarmi attivi: ProjectDown/);
});

test('it asks where programs reach Alertmanager, whatever the address for people is', async () => {
  const alertmanager = await startAlertmanager(telegramEnvironment(await startBotApi()));
  const addresses = { ALERTMANAGER_URL: 'https://alerts.invalid/am', ALERTMANAGER_API_URL: alertmanager.url };
  const { api } = await makePhone({ env: addresses });
  await alertmanager.send({ labels: { alertname: 'ProjectDown', severity: 'critical' } });
  await vi.waitFor(async () => expect((await alertmanager.alerts()).active).toHaveLength(1), PATIENTLY);
  api.say('/silenzia');
  await api.message(/Quale allarme/);
  await api.press('ProjectDown');
  await api.press('1 ora');
  await vi.waitFor(async () => expect((await alertmanager.alerts()).suppressed).toEqual(['ProjectDown']), PATIENTLY);
});

test('an Alertmanager that does not answer says so', async () => {
  const { api } = await makePhone({ env: { ALERTMANAGER_URL: 'http://127.0.0.1:9' } });
  api.say('/silenzia');
  await api.message(/Non è riuscito: Could not ask Alertmanager: it does not answer/);
});
