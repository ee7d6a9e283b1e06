import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { swarm } from './command-line.ts';
import type { FakeBotApi } from './fake-bot-api.ts';
import { freePort } from './free-port.ts';
import { tempDir } from './memory-builder.ts';
import { findProgram } from './programs.ts';
import { startProgram, untilReady } from './running-program.ts';

/** One alert as Prometheus hands it over; without `endsAt` it is firing. */
export interface AlertValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly startsAt?: string;
  readonly endsAt?: string;
}

/** A real Alertmanager with the configuration that our command made for it. */
export interface RunningAlertmanager {
  readonly url: string;
  readonly send: (...alerts: readonly AlertValue[]) => Promise<void>;
  readonly silence: (alertname: string) => Promise<void>;
  /** Names of the alerts it holds, by state: active, suppressed, unprocessed. */
  readonly alerts: () => Promise<Readonly<Record<string, readonly string[]>>>;
}

/** The environment that makes our command write to a fake Bot API. */
export function telegramEnvironment(api: FakeBotApi): Record<string, string> {
  return { TELEGRAM_BOT_TOKEN: api.token, TELEGRAM_CHAT_ID: String(api.chatId), TELEGRAM_API_URL: api.url };
}

/** Runs `swarm alertmanager-config`, which must succeed; the file it wrote. */
export async function writeAlertmanagerConfig(env: Readonly<Record<string, string>>): Promise<string> {
  const folder = tempDir();
  const file = join(folder, 'alertmanager.yml');
  const { code, stderr } = await swarm(['alertmanager-config', '--output', file], { cwd: folder, env });
  expect(code, stderr).toBe(0);
  return file;
}

/**
 * Starts Alertmanager and waits until it is ready. Only its waiting times are changed: groups are sent after a second, and
 * nothing is muted by the hour at which the tests happen to run.
 */
export async function startAlertmanager(env: Readonly<Record<string, string>>): Promise<RunningAlertmanager> {
  const file = await writeAlertmanagerConfig({ QUIET_HOURS: '00:00-00:00', ...env });
  const hurried = readFileSync(file, 'utf8')
    .replace(/group_wait: \S+/g, 'group_wait: 1s')
    .replace(/group_interval: \S+/g, 'group_interval: 1s')
    .replace(/- weekdays:\n.*\n.*\n/, '- years: ["1970"]\n');
  writeFileSync(file, hurried);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const log = startProgram(findProgram('prometheus-alertmanager'), [
    `--config.file=${file}`,
    `--storage.path=${join(tempDir(), 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--cluster.listen-address=',
  ]);
  await untilReady(url, log);
  return {
    url,
    send: async (...alerts) => {
      const response = await fetch(`${url}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(alerts),
      });
      expect(response.status, await response.text()).toBe(200);
    },
    silence: async (alertname) => {
      const response = await fetch(`${url}/api/v2/silences`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({
          matchers: [{ name: 'alertname', value: alertname, isRegex: false, isEqual: true }],
          startsAt: new Date().toISOString(),
          endsAt: new Date(Date.now() + 3_600_000).toISOString(),
          createdBy: 'test',
          comment: 'test',
        }),
      });
      expect(response.status, await response.text()).toBe(200);
    },
    alerts: async () => {
      const response = await fetch(`${url}/api/v2/alerts`);
      const alerts = (await response.json()) as { labels: { alertname: string }; status: { state: string } }[];
      const names: Record<string, string[]> = { active: [], suppressed: [], unprocessed: [] };
      for (const { labels, status } of alerts) names[status.state].push(labels.alertname);
      return Object.fromEntries(Object.entries(names).map(([state, each]) => [state, each.toSorted()]));
    },
  };
}
