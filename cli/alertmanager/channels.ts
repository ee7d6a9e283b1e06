import type { ChannelConfig } from '../../lib/config.ts';
import { UsageError } from '../../lib/errors.ts';

/** The texts of the messages, by channel, ready for Alertmanager. */
export interface MessageTemplates {
  readonly telegram: string;
  readonly slack: string;
  readonly email: string;
}

/** A part of an Alertmanager receiver, such as `telegram_configs` with one entry; empty if the channel is off. */
export type ReceiverPart = Readonly<Record<string, readonly object[]>>;

/** How each channel that a receiver of the template may name is written in Alertmanager's terms. */
export const CHANNELS: Readonly<Record<string, (config: ChannelConfig, messages: MessageTemplates) => ReceiverPart>> = {
  telegram: (config, messages) => telegram(config, messages, {}),
  'telegram-silent': (config, messages) => telegram(config, messages, { disable_notifications: true }),
  'telegram-once': (config, messages) => telegram(config, messages, { send_resolved: false }),
  slack: ({ slackWebhookUrl }, messages) =>
    slackWebhookUrl === undefined
      ? {}
      : {
          slack_configs: [
            {
              api_url: slackWebhookUrl,
              send_resolved: true,
              title: '',
              fallback: messages.slack,
              text: messages.slack,
            },
          ],
        },
  email: (config, messages) => email(config, messages),
  'dead-mans-switch': ({ healthchecksUrl }) =>
    healthchecksUrl === undefined ? {} : { webhook_configs: [{ url: healthchecksUrl, send_resolved: false }] },
};

/**
 * Checks what no single setting shows.
 * @throws UsageError if a channel is half set.
 */
export function checkChannels({ telegramBotToken, telegramChatId, alertEmailTo, smtpUrl }: ChannelConfig): void {
  requireBoth('TELEGRAM_BOT_TOKEN', telegramBotToken, 'TELEGRAM_CHAT_ID', telegramChatId);
  requireBoth('ALERT_EMAIL_TO', alertEmailTo, 'SMTP_URL', smtpUrl);
}

function requireBoth(one: string, oneValue: unknown, other: string, otherValue: unknown): void {
  if ((oneValue === undefined) === (otherValue === undefined)) return;
  const [given, missing] = oneValue === undefined ? [other, one] : [one, other];
  throw new UsageError(
    `${given} is set but ${missing} is not: no message could be sent.`,
    `Set ${missing}, or neither.`,
  );
}

function telegram(config: ChannelConfig, messages: MessageTemplates, differing: object): ReceiverPart {
  const { telegramBotToken, telegramChatId, telegramApiUrl } = config;
  if (telegramBotToken === undefined || telegramChatId === undefined) return {};
  return {
    telegram_configs: [
      {
        bot_token: telegramBotToken,
        chat_id: telegramChatId,
        api_url: telegramApiUrl,
        parse_mode: 'HTML',
        disable_notifications: false,
        send_resolved: true,
        message: messages.telegram,
        ...differing,
      },
    ],
  };
}

function email({ alertEmailTo, smtpUrl }: ChannelConfig, messages: MessageTemplates): ReceiverPart {
  if (alertEmailTo === undefined || smtpUrl === undefined) return {};
  const { hostname, port, username, password, protocol } = new URL(smtpUrl);
  const user = decodeURIComponent(username);
  const isEncryptedFromTheStart = protocol === 'smtps:';
  return {
    email_configs: [
      {
        to: alertEmailTo,
        from: user.includes('@') ? user : alertEmailTo,
        smarthost: `${hostname}:${port || (isEncryptedFromTheStart ? '465' : '587')}`,
        ...(user === '' ? {} : { auth_username: user, auth_password: decodeURIComponent(password) }),
        require_tls: !isEncryptedFromTheStart,
        send_resolved: true,
        headers: { Subject: '{{ .CommonLabels.alertname }} ({{ .Status }})' },
        html: '',
        text: messages.email,
      },
    ],
  };
}
