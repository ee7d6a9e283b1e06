import { setTimeout as sleep } from 'node:timers/promises';
import type { MonitorDb } from '../monitor-db.ts';
import { type BotApi, type Request, TelegramError } from './api.ts';
import { type Keyboard, noteButton } from './buttons.ts';
import { cut, type Html, join, split, toPlainText } from './html.ts';
import type { Speaker } from './speaker.ts';
import type { Message } from './update.ts';
import { REPLIES } from './words/replies.ts';

/** A file that goes with a text. */
export interface Attachment {
  readonly kind: 'document' | 'photo';
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What is said of it, if it is sent: of a picture that is not there nothing is said. */
  readonly caption?: Html;
}

/** Something to send: a text, and what goes with it. */
export interface Reply {
  readonly text: Html;
  readonly buttons?: Keyboard;
  readonly files?: readonly Attachment[];
}

/** How a reply is sent. */
export interface SendOptions {
  readonly isSilent?: boolean;
  /** Messages of it that were sent before. */
  readonly skip?: number;
  /** Told right before each request. */
  readonly onAsk?: () => void;
  /** Told after each message of it, before the next. */
  readonly onSent?: (messageId: number) => void;
}

/** The one chat the bot talks in, at the pace Telegram asks for. */
export interface Chat {
  /** @throws TelegramError; a 429 is waited for instead. */
  readonly send: (reply: Reply, options?: SendOptions) => Promise<void>;
  /** Puts another text, and other buttons, in the place of a message. @throws TelegramError likewise. */
  readonly edit: (messageId: number, reply: Reply) => Promise<void>;
}

/** What a chat is made of. */
export interface ChatOptions {
  readonly api: BotApi;
  readonly chatId: number;
  readonly db: MonitorDb;
  readonly speaker: Speaker;
  readonly clock: () => number;
  /** Told when Telegram does not take a picture; its text is sent all the same. */
  readonly onRefusedPicture?: (reason: string) => void;
  /** The least time from one message to the next. */
  readonly paceMs?: number;
  /** Ends every wait. */
  readonly signal: AbortSignal;
}

const PACE_MS = 1_000;
/** A text of more messages than that is a file. */
const MOST_MESSAGES = 4;
const LONGEST_CAPTION = 1_000;
const LONGEST_LABEL = 60;
const FILE_TIMEOUT_MS = 60_000;
/** A request that will never be taken as it is. */
const [BAD_REQUEST, TOO_LARGE] = [400, 413];

/** A chat; everything that is sent through it waits for its turn. */
export function createChat(options: ChatOptions): Chat {
  const { api, chatId, db, speaker, clock, onRefusedPicture = () => undefined, paceMs = PACE_MS, signal } = options;
  let turn: Promise<unknown> = Promise.resolve();
  let freeAtMs = 0;

  /** One after another, a second apart, and as long as Telegram asks after it said that it is too much. */
  const paced = <Answer>(ask: () => Promise<Answer>, onAsk: () => void = () => undefined): Promise<Answer> => {
    const work = turn.then(async () => {
      for (;;) {
        const waitMs = freeAtMs - performance.now();
        if (waitMs > 0) await sleep(waitMs, undefined, { signal });
        signal.throwIfAborted();
        freeAtMs = performance.now() + paceMs;
        onAsk();
        try {
          return await ask();
        } catch (error) {
          if (!(error instanceof TelegramError) || error.code !== 429) throw error;
          freeAtMs = performance.now() + (error.retryAfterMs ?? paceMs);
        }
      }
    });
    turn = work.catch(() => undefined);
    return work;
  };

  const markup = (buttons: Keyboard = []) => ({
    inline_keyboard: buttons.map((row) =>
      row.map((button) => ({
        text: cut(typeof button.label === 'string' ? button.label : speaker.plain(button.label), LONGEST_LABEL),
        callback_data: noteButton(db, button, clock()),
      })),
    ),
  });
  const common = { chat_id: chatId, parse_mode: 'HTML', link_preview_options: { is_disabled: true } };

  const request = ({ text, buttons, file }: Part, isSilent: boolean): Request => {
    const params = {
      ...common,
      disable_notification: isSilent,
      ...(buttons ? { reply_markup: markup(buttons) } : {}),
    };
    if (!file) return { method: 'sendMessage', params: { ...params, text: text.html }, signal };
    return {
      method: file.kind === 'photo' ? 'sendPhoto' : 'sendDocument',
      params: { ...params, caption: text.html },
      file: { param: file.kind, name: file.name, bytes: file.bytes },
      timeoutMs: FILE_TIMEOUT_MS,
      signal,
    };
  };

  return {
    send: async (reply, { isSilent = false, skip = 0, onAsk, onSent = () => undefined } = {}) => {
      const ask = (part: Part): Promise<Message> => paced(() => api<Message>(request(part, isSilent)), onAsk);
      for (const part of asMessages(reply, speaker).slice(skip)) {
        const sent = await ask(part).catch(async (error: unknown) => {
          if (part.file?.kind !== 'photo' || !isRefused(error)) throw error;
          onRefusedPicture(error.message);
          const { file: _, withoutFile: text, ...rest } = part;
          return text === undefined ? undefined : await ask({ ...rest, text });
        });
        if (sent) onSent(sent.message_id);
      }
    },
    edit: async (messageId, { text, buttons }) => {
      const [first] = split(text);
      const params = { ...common, message_id: messageId, text: first.html, reply_markup: markup(buttons) };
      try {
        await paced(() => api({ method: 'editMessageText', params, signal }));
      } catch (error) {
        // It says what it is to say.
        if (!(error instanceof TelegramError && /not modified/.test(error.message))) throw error;
      }
    },
  };
}

/** One message of a reply. */
interface Part {
  readonly text: Html;
  readonly buttons?: Keyboard;
  readonly file?: Attachment;
  /** What is left to say without the file. */
  readonly withoutFile?: Html;
}

/** The messages a reply takes: one as a rule, a few if it is long, and a file with its beginning if it is longer. */
function asMessages({ text, buttons, files = [] }: Reply, speaker: Speaker): readonly Part[] {
  const withButtons = buttons ? { buttons } : {};
  const [first, ...others] = files;
  if (first) {
    const caption = join([text, first.caption], '\n\n');
    if (caption.html.length <= LONGEST_CAPTION) {
      return [{ text: caption, withoutFile: text, file: first, ...withButtons }, ...others.map(alone)];
    }
    return [...asTexts(split(text), withButtons), ...files.map(alone)];
  }
  const parts = split(text);
  if (parts.length <= MOST_MESSAGES) return asTexts(parts, withButtons);
  const bytes = Buffer.from(`${toPlainText(text)}\n`);
  const beginning = speaker.say(REPLIES.wholeInFile, { beginning: split(text, LONGEST_CAPTION - 200)[0] });
  return [{ text: beginning, file: { kind: 'document', name: 'swarm.txt', bytes }, ...withButtons }];
}

/** Texts below each other, with the buttons under the last. */
function asTexts(texts: readonly Html[], withButtons: Pick<Part, 'buttons'>): readonly Part[] {
  return texts.map((text, index) => ({ text, ...(index === texts.length - 1 ? withButtons : {}) }));
}

/** A file with nothing but what is said of it. */
function alone(file: Attachment): Part {
  return { text: file.caption ?? { html: '' }, file };
}

function isRefused(error: unknown): error is TelegramError {
  return error instanceof TelegramError && (error.code === BAD_REQUEST || error.code === TOO_LARGE);
}
