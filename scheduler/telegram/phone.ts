import type { ChannelConfig } from '../../lib/config.ts';
import type { Tools } from '../tools.ts';
import { type BotApi, createBotApi } from './api.ts';
import { type Chat, createChat } from './chat.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import { createSpeaker, type Speaker } from './speaker.ts';

/** What sender and bot share: one chat at one pace. */
export interface Phone {
  readonly api: BotApi;
  readonly chatId: number;
  readonly chat: Chat;
  readonly outbox: Outbox;
  readonly speaker: Speaker;
  readonly quietHours: string;
  /** Ends everything that waits for Telegram. */
  readonly hangUp: AbortController;
}

/** What a test may set otherwise. */
export interface Pace {
  readonly paceMs?: number;
  readonly retryMs?: number;
  /** How long the bot leaves the line to another poller. */
  readonly yieldMs?: number;
  /** How often tasks that need a yes are looked for. */
  readonly watchMs?: number;
  /** How long a request for updates waits for one. */
  readonly pollSeconds?: number;
}

/** A phone by the settings; a text says why there is none. */
export function createPhone(tools: Tools, { paceMs }: Pace = {}): Phone | string {
  const { settings, db, clock, log } = tools;
  const { channels } = settings;
  if (typeof channels === 'string') return channels;
  const missing = findMissing(channels);
  if (missing !== undefined) return missing;
  const { telegramBotToken: token = '', telegramChatId: chatId = 0, telegramApiUrl: apiUrl, quietHours } = channels;
  const hangUp = new AbortController();
  const speaker = speakerOf(tools);
  const api = createBotApi({ apiUrl, token });
  const pace = paceMs === undefined ? {} : { paceMs };
  const onRefusedPicture = (reason: string): void =>
    log.warn({ reason }, 'a picture was refused, and its text is sent without it');
  const line = { api, chatId, signal: hangUp.signal, onRefusedPicture, ...pace };
  const chat = createChat({ ...line, db, speaker, clock });
  return { api, chatId, chat, outbox: createOutbox(db, clock), speaker, quietHours, hangUp };
}

/** Says things in the language of the settings, and counts the secrets it was about to say. */
export function speakerOf({ settings, counters }: Pick<Tools, 'settings' | 'counters'>): Speaker {
  const { language, timezone } = settings.config;
  const onSecret = (): void => counters.add('securityEvents', { kind: 'secret-scrubbed' });
  return createSpeaker({ language, timezone, onSecret });
}

function findMissing({ telegramBotToken, telegramChatId }: ChannelConfig): string | undefined {
  if (telegramBotToken === undefined) return 'TELEGRAM_BOT_TOKEN is not set';
  return telegramChatId === undefined ? 'TELEGRAM_CHAT_ID is not set' : undefined;
}
