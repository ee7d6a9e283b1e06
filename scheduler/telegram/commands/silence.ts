import { Temporal } from 'temporal-polyfill';
import { whereToAskAlertmanager } from '../../../lib/config.ts';
import { type ActiveAlert, readActiveAlerts, silenceAlert } from '../alertmanager.ts';
import type { Args } from '../buttons.ts';
import type { Reply } from '../chat.ts';
import type { BotCommand, Context, Effect } from '../context.ts';
import { LABELS } from '../words/buttons.ts';
import { REPLIES } from '../words/replies.ts';

const HOUR_MS = 3_600_000;
const MORNING_HOUR = 8;
const MOST_OFFERED = 10;
const COMMENT = 'Silenced on the phone.';

/** `/silenzia`: silences an alert that fires, by all its labels, for some time. */
export const silence: BotCommand = {
  names: { it: 'silenzia', en: 'silence' },
  about: { it: 'Fai tacere un allarme', en: 'Silence an alert' },
  run: (context) => offerAlerts(context),
  actions: { 'silence-alert': offerTimes, 'silence-for': silenceFor },
};

async function offerAlerts({ settings, speaker }: Context): Promise<Reply> {
  const address = whereToAskAlertmanager(settings.config);
  if (address === undefined) return { text: speaker.say(REPLIES.noAlertmanager) };
  const alerts = await readActiveAlerts(address);
  if (alerts.length === 0) return { text: speaker.say(REPLIES.noAlerts) };
  return {
    text: speaker.say(REPLIES.whichAlert),
    buttons: alerts.slice(0, MOST_OFFERED).map((alert) => [
      {
        label: speaker.clean(describeLabels(alert, ' '), 60),
        action: 'silence-alert',
        args: { labels: JSON.stringify(alert.labels) },
      },
    ]),
  };
}

async function offerTimes({ speaker }: Context, args: Args): Promise<Effect> {
  const alert = { labels: labelsOf(args) };
  const button = (label: (typeof LABELS)['hour' | 'fourHours' | 'tomorrow'], time: string) =>
    ({ label, action: 'silence-for', args: { ...args, time }, isOnce: true }) as const;
  return {
    edit: {
      text: speaker.say(REPLIES.howLong, { name: alert.labels.alertname ?? '–', labels: describeLabels(alert, '\n') }),
      buttons: [[button(LABELS.hour, '1h'), button(LABELS.fourHours, '4h')], [button(LABELS.tomorrow, 'tomorrow')]],
    },
  };
}

async function silenceFor(context: Context, args: Args): Promise<Effect> {
  const { settings, speaker, clock, userId, audit } = context;
  const { timezone } = settings.config;
  const address = whereToAskAlertmanager(settings.config);
  if (address === undefined) return { edit: { text: speaker.say(REPLIES.noAlertmanager) } };
  const labels = labelsOf(args);
  const fromMs = clock();
  const untilMs = endOf(String(args.time), fromMs, timezone);
  const createdBy = `telegram:${userId}`;
  await silenceAlert(address, { labels, fromMs, untilMs, createdBy, comment: COMMENT });
  const { alertname: name = '–' } = labels;
  audit('silence', name, new Date(untilMs).toISOString());
  return { edit: { text: speaker.say(REPLIES.silenced, { name, until: speaker.moment(untilMs) }) } };
}

function endOf(time: string, nowMs: number, timezone: string): number {
  if (time !== 'tomorrow') return nowMs + Number.parseInt(time, 10) * HOUR_MS;
  const today = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(timezone);
  return today.add({ days: 1 }).withPlainTime({ hour: MORNING_HOUR }).epochMilliseconds;
}

function labelsOf({ labels }: Args): ActiveAlert['labels'] {
  return JSON.parse(String(labels)) as ActiveAlert['labels'];
}

function describeLabels({ labels }: ActiveAlert, separator: string): string {
  const { alertname = '–', severity: _, tier: __, ...rest } = labels;
  const others = Object.entries(rest).map(([name, value]) => `${name}=${value}`);
  return separator === '\n' ? others.join('\n') : [alertname, ...others].join(separator);
}
