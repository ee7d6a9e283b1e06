import { setTimeout as sleep } from 'node:timers/promises';
import { describeError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { Counters } from '../counters.ts';
import { TelegramError } from './api.ts';
import { render } from './chart/render.ts';
import type { Chat, Reply } from './chat.ts';
import { compose } from './compose.ts';
import { escapeText, toPlainText } from './html.ts';
import type { Outbox, OutboxItem } from './outbox.ts';
import { type Delivery, planNext } from './plan.ts';
import type { Speaker } from './speaker.ts';

/** Sends what is in the outbox. */
export interface MessageSender {
  readonly stop: () => Promise<void>;
}

/** What a sender works with. */
export interface SenderOptions {
  readonly outbox: Outbox;
  readonly chat: Chat;
  readonly speaker: Speaker;
  readonly clock: () => number;
  /** One with what is known of it by now. */
  readonly complete: (item: OutboxItem) => OutboxItem;
  /** Whether only what cannot wait is told, at a moment. */
  readonly isQuiet: (nowMs: number) => boolean;
  readonly counters: Counters;
  readonly log: Log;
  /** The first wait after a failure; each is twice as long as the one before. */
  readonly retryMs?: number;
}

const LOOK_EVERY_MS = 5_000;
const RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 5 * 60_000;
/** The text itself was refused; anything else may be mended, and the message waits for that. */
const IS_BAD_TEXT = /can't parse entities|message is too long|text is empty|BUTTON_DATA_INVALID|caption/i;

/** Starts to send. One message is under way at a time; it is noted before and after, so that a crash neither loses nor hides it. */
export function startSender(options: SenderOptions): MessageSender {
  const { outbox, clock, isQuiet, counters, log, retryMs = RETRY_MS } = options;
  const stopping = new AbortController();
  let awake = new AbortController();
  let failures = 0;
  outbox.recover();

  const rest = async (ms: number): Promise<void> => {
    const signal = AbortSignal.any([stopping.signal, awake.signal]);
    await sleep(ms, undefined, { signal }).catch(() => undefined);
    if (awake.signal.aborted) awake = new AbortController();
  };

  const turn = async (): Promise<number> => {
    const nowMs = clock();
    const delivery = planNext(outbox.waiting(), { nowMs, isQuiet: isQuiet(nowMs) });
    if (!delivery) return LOOK_EVERY_MS;
    const error = await deliver(delivery, options);
    if (error === undefined) {
      if (failures > 0) log.info('messages reach the phone again');
      failures = 0;
      return 0;
    }
    if (stopping.signal.aborted) return 0;
    failures += 1;
    counters.add('notifications', { outcome: 'failed' });
    if (failures === 1) log.warn({ reason: describeError(error) }, 'a message did not reach the phone, and waits');
    return Math.min(LONGEST_RETRY_MS, retryMs * 2 ** (failures - 1));
  };

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const restMs = await turn().catch((error: unknown) => {
        log.error({ reason: describeError(error) }, 'the outbox could not be used');
        return LOOK_EVERY_MS;
      });
      if (restMs > 0) await rest(restMs);
    }
  };
  const running = run();
  // After a failure it waits for its time: what is new is no reason to ask sooner.
  outbox.whenAdded(() => {
    if (failures === 0) awake.abort();
  });

  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

/** Sends one message; the error if it has to be tried again. */
async function deliver({ items, isSilent }: Delivery, options: SenderOptions): Promise<unknown> {
  const { outbox, chat, speaker, counters, log } = options;
  const { reply: words, told, picture } = compose(items.map(options.complete), speaker);
  const reply = picture ? { ...words, files: await render(picture, log) } : words;
  let isBegun = false;
  const send = (what: Reply): Promise<void> =>
    chat.send(what, {
      isSilent,
      skip: told.length === 1 ? told[0].partsSent : 0,
      onAsk: () => {
        isBegun = true;
        outbox.begin(told);
      },
      onSent: (messageId) => outbox.partSent(told, messageId),
    });
  try {
    await send(reply).catch((error: unknown) => {
      if (!isBadText(error)) throw error;
      log.error({ keys: told.map(({ key }) => key), reason: error.message }, 'a text was refused, and is sent bare');
      return send({ text: escapeText(toPlainText(reply.text)) });
    });
  } catch (error) {
    if (isBadText(error)) {
      outbox.fail(told, error.message);
      log.error({ keys: told.map(({ key }) => key), reason: error.message }, 'a message is given up');
    } else {
      const isKnown = error instanceof TelegramError && error.kind !== 'unsure';
      outbox.giveBack(told, isBegun && !isKnown);
    }
    return error;
  }
  outbox.sent(told);
  counters.add('notifications', { outcome: 'sent' });
  for (let merged = 1; merged < told.length; merged += 1) counters.add('notifications', { outcome: 'merged' });
  return undefined;
}

function isBadText(error: unknown): error is TelegramError {
  return error instanceof TelegramError && error.kind === 'refused' && IS_BAD_TEXT.test(error.message);
}
