import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, whereToAskAlertmanager } from '../../lib/config.ts';
import { checkChannels } from '../alertmanager/channels.ts';
import { type AlertmanagerState, isMuted, postTestAlert, readAlertmanager } from '../alertmanager/client.ts';
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
const RELOAD = 'Run swarm alertmanager-config, and let Alertmanager read the result (restart it).';
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

async function checkAlertmanager(config: Config): Promise<Result> {
  const alertmanagerUrl = whereToAskAlertmanager(config);
  if (alertmanagerUrl === undefined) return NO_ALERTMANAGER;
  const state = await readAlertmanager(alertmanagerUrl);
  const channels = [...state.deliveries.keys()];
  const fault = channels.length === 0 ? 'its configuration sends to nobody' : findOtherChat(state);
  if (fault === undefined) {
    return { level: 'ok', message: `answers at ${alertmanagerUrl}, sends by ${channels.join(', ')}` };
  }
  return { level: 'problem', message: `answers at ${alertmanagerUrl}, but ${fault}`, remedy: RELOAD };
}

/** What Alertmanager has loaded can be older than the settings. */
function findOtherChat({ chatIds }: AlertmanagerState): string | undefined {
  const { telegramChatId } = loadCommandChannels();
  return telegramChatId === undefined || chatIds.includes(telegramChatId)
    ? undefined
    : 'it has not loaded the chat of TELEGRAM_CHAT_ID';
}

async function checkLastNotification(config: Config): Promise<Result> {
  const alertmanagerUrl = whereToAskAlertmanager(config);
  if (alertmanagerUrl === undefined) return NO_ALERTMANAGER;
  const deliveries = [...(await readAlertmanager(alertmanagerUrl)).deliveries];
  const figures = deliveries.map(
    ([name, { delivered, failedAttempts }]) => `${name} ${delivered} delivered, ${failedAttempts} attempts failed`,
  );
  const last = config.prometheusUrl === undefined ? undefined : await findLastNotification(config.prometheusUrl);
  const when = last === undefined ? '' : `; the last at ${new Date(last).toISOString()}`;
  const message = `since Alertmanager started: ${figures.join('; ') || 'none'}${when}`;
  const failing = deliveries.filter(([, each]) => each.failedAttempts > 0);
  if (failing.length > 0) {
    const level = failing.some(([, { delivered }]) => delivered === 0) ? 'problem' : 'warning';
    return { level, message, remedy: "Alertmanager's log says why: docker-compose logs alertmanager." };
  }
  return deliveries.some(([, { delivered }]) => delivered > 0)
    ? { level: 'ok', message }
    : { level: 'warning', message, remedy: 'Send one: swarm doctor --send-test-alert.' };
}

/** When the count of delivered messages last changed within a week, to the minute; undefined if Prometheus cannot say. */
async function findLastNotification(prometheusUrl: string): Promise<number | undefined> {
  const of = (metric: string): string => `alertmanager_notification_requests_${metric}{integration!="webhook"}`;
  const isDelivered = `changes(${of('total')}[2m]) > changes(${of('failed_total')}[2m])`;
  const changed = `(timestamp(${of('total')}) and (${isDelivered}))`;
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

async function sendTestAlert(config: Config): Promise<Result> {
  const alertmanagerUrl = whereToAskAlertmanager(config);
  if (alertmanagerUrl === undefined) {
    return { level: 'problem', message: 'not sent: ALERTMANAGER_URL is not set', remedy: NO_ALERTMANAGER.remedy };
  }
  const state = await readAlertmanager(alertmanagerUrl);
  const before = state.deliveries.get('telegram');
  const fault = before ? findOtherChat(state) : "Alertmanager's configuration has no Telegram";
  if (!before || fault !== undefined) return { level: 'problem', message: `not sent: ${fault}`, remedy: RELOAD };
  const test = await postTestAlert(alertmanagerUrl, Date.now());
  const startedMs = performance.now();
  let now = before;
  while (performance.now() - startedMs < TEST_ARRIVES_WITHIN_MS) {
    await sleep(POLL_EVERY_MS);
    if (await isMuted(alertmanagerUrl, test)) {
      return { level: 'problem', message: 'not sent: Alertmanager has it silenced', remedy: 'End that silence.' };
    }
    now = (await readAlertmanager(alertmanagerUrl)).deliveries.get('telegram') ?? before;
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
