import { expect, test, vi } from 'vitest';
import { type FakeBotApi, startBotApi } from '../support/fake-bot-api.ts';
import { makeMemory, taskRow } from '../support/memory-builder.ts';
import { startAlertmanager, telegramEnvironment } from '../support/running-alertmanager.ts';
import { startExporter } from '../support/running-exporter.ts';
import { startPrometheusWithRules } from '../support/running-prometheus.ts';

const PATIENTLY = { timeout: 40_000, interval: 200 };
const MINUTE_MS = 60_000;

/** Waits for a message whose text matches, and gives it. */
async function message(api: FakeBotApi, text: RegExp) {
  return await vi.waitFor(() => {
    const found = api.messages.find((each) => text.test(each.text));
    expect(found, `${text} in:\n${api.messages.map((each) => each.text).join('\n\n')}`).toBeDefined();
    return found;
  }, PATIENTLY);
}

test('failures in the memory reach the phone, and so does the end of the exporter, which mutes the rest', async () => {
  const nowMs = Date.now();
  const memory = makeMemory();
  const tasks = Array.from({ length: 20 }, (_, index) =>
    taskRow(nowMs - (index + 1) * MINUTE_MS, { session_id: null }),
  );
  memory.events(...tasks);
  const api = await startBotApi();
  const exporter = await startExporter({ databasePath: memory.path });
  const alertmanager = await startAlertmanager(telegramEnvironment(api));
  const prometheus = await startPrometheusWithRules(new URL(exporter.url).host, new URL(alertmanager.url).host);
  await vi.waitFor(async () => expect(await prometheus.query('swarm_up')).toEqual({ swarm_up: 1 }), PATIENTLY);
  await vi.waitFor(async () => expect((await alertmanager.alerts()).active).toEqual(['Watchdog']), PATIENTLY);
  expect(api.messages).toEqual([]);

  // 3 of 23: above 10 %, and not below 80 % of successes.
  const failures = [0, 1, 2].map((index) =>
    taskRow(nowMs - index, { session_id: null, event_type: 'task_failed', success: 0, error_message: '<b>&"' }),
  );
  memory.events(...failures);
  const warning = await message(api, /^🟠 ATTENZIONE · HighErrorRate\n/);
  expect(warning).toMatchObject({ chatId: api.chatId, isSilent: false });
  expect(warning?.text).toContain('Error rate alto (> 10%): 13.04%');
  expect(warning?.text).toContain("3 task falliti; di 0 task l'esito non è noto.");
  await message(api, /^🔵 INFO · NewErrors\n/);
  await vi.waitFor(
    async () =>
      expect(await alertmanager.alerts()).toEqual({
        active: ['HighErrorRate', 'NewErrors', 'Watchdog'],
        suppressed: ['ElevatedErrorRate', 'SuccessRateBelow90', 'SuccessRateBelow95'],
        unprocessed: [],
      }),
    PATIENTLY,
  );

  const before = api.messages.length;
  await exporter.end('SIGKILL');
  const critical = await message(api, /^🔴 CRITICO · AgentDown\n/);
  expect(critical?.isSilent).toBe(false);
  expect(critical?.text).toContain('Swarm exporter non raggiungibile!');
  expect((await alertmanager.alerts()).active).toEqual(['AgentDown', 'Watchdog']);
  expect(api.messages.slice(before).map(({ text }) => text.split('\n')[0])).toEqual(['🔴 CRITICO · AgentDown']);
  expect(api.refusals).toEqual([]);
});

test('an alert that is over says so on the phone', async () => {
  const api = await startBotApi();
  const exporter = await startExporter({ databasePath: '/nowhere/swarm_memory.db' });
  const alertmanager = await startAlertmanager(telegramEnvironment(api));
  await startPrometheusWithRules(new URL(exporter.url).host, new URL(alertmanager.url).host);
  await message(api, /^🔴 CRITICO · SwarmDatabaseUnreachable\n/);
  await exporter.end();
  await message(api, /^✅ RISOLTO · SwarmDatabaseUnreachable\n/);
});
