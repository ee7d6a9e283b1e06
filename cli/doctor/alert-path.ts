import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../lib/config.ts';
import { checkChannels } from '../alertmanager/channels.ts';
import { postTestAlert, readDeliveries } from '../alertmanager/client.ts';
import { isLoopback } from '../alertmanager/message.ts';
import { loadCommandChannels } from '../command.ts';
import type { Check, Finding } from './checks.ts';

type Result = Omit<Finding, 'check'>;

/** What stands between an alert and the phone, in the order an alert passes it. */
export const ALERT_PATH_CHECKS: readonly Check[] = [
  { name: 'links on the phone', run: checkLinks },
  { name: 'Telegram settings', run: checkTelegram },
  { name: 'Alertmanager', run: checkAlertmanager },
  { name: 'last notification', run: checkLastNotification },
];

/** Sends one alert through the whole path; only on request, since it rings. */
export const TEST_ALERT_CHECK: Check = { name: 'test alert', run: sendTestAlert };

const NO_ALERTMANAGER = {
  level: 'warning',
  message: 'not asked: ALERTMANAGER_URL is not set',
  remedy: 'Set it to where Alertmanager answers.',
} as const;
const TEST_ARRIVES_WITHIN_MS = 30_000;
const POLL_EVERY_MS = 250;
const PROMETHEUS_ANSWERS_WITHIN_MS = 5_000;

function checkLinks(config: Config): Result {
  const links = {
    GRAFANA_URL: config.grafanaUrl,
    ALERTMANAGER_URL: config.alertmanagerUrl,
    PROMETHEUS_URL: config.prometheusUrl,
    RUNBOOK_URL: config.runbookUrl,
  };
  const set = Object.entries(links).filter(([, address]) => address !== undefined);
  const bad = set.filter(([, address]) => isLoopback(String(address))).map(([variable]) => variable);
  if (bad.length === 0) return { level: 'ok', message: `${set.length} of ${Object.keys(links).length} are set` };
  return {
    level: 'problem',
    message: `${bad.join(', ')} means the phone itself when it is opened there, so it is left out of messages`,
    remedy: 'Set the address by which the phone reaches this machine.',
  };
}

function checkTelegram(): Result {
  const channels = loadCommandChannels();
  checkChannels(channels);
  if (channels.telegramBotToken !== undefined) return { level: 'ok', message: 'token and chat id are well-formed' };
  return {
    level: 'warning',
    message: 'off: no alert reaches a phone',
    remedy: 'Set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID, then run: swarm alertmanager-config.',
  };
}

async function checkAlertmanager({ alertmanagerUrl }: Config): Promise<Result> {
  if (alertmanagerUrl === undefined) return NO_ALERTMANAGER;
  const channels = [...(await readDeliveries(alertmanagerUrl)).keys()];
  return channels.length > 0
    ? { level: 'ok', message: `answers at ${alertmanagerUrl}, sends by ${channels.join(', ')}` }
    : {
        level: 'problem',
        message: `answers at ${alertmanagerUrl}, but its configuration sends to nobody`,
        remedy: 'Run swarm alertmanager-config, and let Alertmanager read the result (restart it).',
      };
}

async function checkLastNotification({ alertmanagerUrl, prometheusUrl }: Config): Promise<Result> {
  if (alertmanagerUrl === undefined) return NO_ALERTMANAGER;
  const deliveries = [...(await readDeliveries(alertmanagerUrl))].filter(([name]) => name !== 'webhook');
  const figures = deliveries.map(
    ([name, { delivered, failedAttempts }]) => `${name} ${delivered} delivered, ${failedAttempts} attempts failed`,
  );
  const last = prometheusUrl === undefined ? undefined : await findLastNotification(prometheusUrl);
  const when = last === undefined ? '' : `; the last at ${new Date(last).toISOString()}`;
  const message = `since Alertmanager started: ${figures.join('; ') || 'none'}${when}`;
  if (deliveries.some(([, each]) => each.failedAttempts > 0 && each.delivered === 0)) {
    return { level: 'problem', message, remedy: "Alertmanager's log says why: docker-compose logs alertmanager." };
  }
  return deliveries.some(([, { delivered }]) => delivered > 0)
    ? { level: 'ok', message }
    : { level: 'warning', message, remedy: 'Send one: swarm doctor --send-test-alert.' };
}

/** When the count of messages last changed within a week, to the minute; undefined if Prometheus cannot say. */
async function findLastNotification(prometheusUrl: string): Promise<number | undefined> {
  const sent = 'alertmanager_notification_requests_total{integration!="webhook"}';
  const changed = `(timestamp(${sent}) and changes(${sent}[2m]) > 0)`;
  // A subquery looks at whole minutes; what changed since the last of them is asked for beside it.
  const query = `max(max_over_time(${changed}[7d:1m]) or ${changed})`;
  try {
    const response = await fetch(`${prometheusUrl}/api/v1/query?query=${encodeURIComponent(query)}`, {
      signal: AbortSignal.timeout(PROMETHEUS_ANSWERS_WITHIN_MS),
    });
    const { data } = (await response.json()) as { data?: { result?: { value?: [number, string] }[] } };
    const seconds = Number(data?.result?.[0]?.value?.[1]);
    return Number.isFinite(seconds) ? seconds * 1_000 : undefined;
  } catch {
    return undefined;
  }
}

async function sendTestAlert({ alertmanagerUrl }: Config): Promise<Result> {
  if (alertmanagerUrl === undefined) {
    return { level: 'problem', message: 'not sent: ALERTMANAGER_URL is not set', remedy: NO_ALERTMANAGER.remedy };
  }
  const before = (await readDeliveries(alertmanagerUrl)).get('telegram');
  if (!before) {
    return {
      level: 'problem',
      message: "not sent: Alertmanager's configuration has no Telegram",
      remedy: 'Set its two settings, run swarm alertmanager-config, and restart Alertmanager.',
    };
  }
  await postTestAlert(alertmanagerUrl, Date.now());
  const startedMs = performance.now();
  let now = before;
  while (performance.now() - startedMs < TEST_ARRIVES_WITHIN_MS) {
    await sleep(POLL_EVERY_MS);
    now = (await readDeliveries(alertmanagerUrl)).get('telegram') ?? before;
    if (now.delivered > before.delivered) {
      const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
      return { level: 'ok', message: `arrived: Telegram took it after ${seconds} s` };
    }
  }
  const failed = now.failedAttempts - before.failedAttempts;
  return {
    level: 'problem',
    message: `did not arrive within ${TEST_ARRIVES_WITHIN_MS / 1_000} s: ${failed} attempts failed`,
    remedy: "Alertmanager's log says why: docker-compose logs alertmanager.",
  };
}
