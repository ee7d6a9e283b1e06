import { describeError } from '../../lib/errors.ts';
import type { Stop } from '../../lib/lifecycle.ts';
import { utc } from '../ledger.ts';
import type { Tools } from '../tools.ts';
import { LANGUAGES, type Words } from '../words.ts';
import { TelegramError } from './api.ts';
import { watchApprovals } from './approval-watch.ts';
import { forgetButtons, pressButton, releaseButton } from './buttons.ts';
import type { Reply } from './chat.ts';
import { ACTIONS, COMMANDS } from './commands/all.ts';
import { answerInWords } from './commands/new-task.ts';
import { type Context, type Effect, noteOrder } from './context.ts';
import type { Pace, Phone } from './phone.ts';
import { startPoller } from './poller.ts';
import type { CallbackQuery, Message, Update } from './update.ts';
import { REPLIES } from './words/replies.ts';

const WATCH_MS = 4_000;
/** An order that takes longer is answered with that. */
const ANSWER_WITHIN_MS = 30_000;
const MOST_STRANGERS_REMEMBERED = 1_000;
const HOUR_MS = 3_600_000;

/** Starts the bot: it listens, and asks about tasks that need a yes. */
export function startBot(tools: Tools, phone: Phone, pace: Pace = {}): Stop {
  const { log, counters, clock, db } = tools;
  const bot = createBot(tools, phone);
  forgetButtons(db, clock());
  void setMenu(phone).catch((error: unknown) => log.warn({ reason: describeError(error) }, 'the menu was not set'));
  const watch = watchApprovals(tools, phone, pace.watchMs ?? WATCH_MS);
  const poller = startPoller({
    api: phone.api,
    handle: bot,
    log,
    onOther: () => {
      counters.add('securityEvents', { kind: 'second-poller' });
      log.error('another program polls with the token of this bot: the line is left to it');
      const hour = Math.floor(clock() / HOUR_MS);
      phone.outbox.add({ key: `second-poller-${hour}`, kind: 'second-poller', facts: {}, at: utc(clock()) });
    },
    ...(pace.pollSeconds === undefined ? {} : { pollSeconds: pace.pollSeconds }),
    ...(pace.yieldMs === undefined ? {} : { yieldMs: pace.yieldMs }),
  });
  return async () => {
    await Promise.all([poller.stop(), watch.stop()]);
  };
}

/** The menu beside the keyboard, in each language of the phone: in the one of the settings where it has another. */
async function setMenu({ api, speaker, chatId }: Phone): Promise<void> {
  const scope = { type: 'chat', chat_id: chatId };
  const list = (words: (words: Words) => string) =>
    COMMANDS.map(({ names, about }) => ({ command: words(names), description: words(about) }));
  await api({ method: 'setMyCommands', params: { commands: list(speaker.plain), scope } });
  for (const language of LANGUAGES) {
    const commands = list((words) => words[language]);
    await api({ method: 'setMyCommands', params: { commands, scope, language_code: language } });
  }
}

/** What handles an update. Whoever may not give orders is not answered. */
function createBot(tools: Tools, phone: Phone): (update: Update) => Promise<void> {
  const { counters, log } = tools;
  const { chatId, speaker, chat, api } = phone;
  const allowed = new Set(tools.settings.scheduler.telegramAllowedUserIds.map(Number));
  const strangers = new Set<string>();

  const isAllowed = (userId: number | undefined, inChat: number | undefined): boolean => {
    if (userId !== undefined && allowed.has(userId) && inChat === chatId) return true;
    counters.add('securityEvents', { kind: 'stranger' });
    const who = `${userId} ${inChat}`;
    if (!strangers.has(who) && strangers.size < MOST_STRANGERS_REMEMBERED) {
      strangers.add(who);
      log.warn({ userId, chatId: inChat }, 'a stranger writes to the bot, and is not answered');
    }
    return false;
  };

  const contextOf = (userId: number, messageId?: number): Context => ({
    ...tools,
    phone,
    speaker,
    userId,
    messageId,
    commands: COMMANDS,
    audit: (what, subject, outcome) => noteOrder({ ...tools, phone }, { userId, what, subject, outcome }),
  });

  const handleMessage = async ({ from, chat: place, text }: Message): Promise<void> => {
    if (!isAllowed(from?.id, place.id) || from === undefined || text === undefined) return;
    const context = contextOf(from.id);
    const reply = await within(
      () => answer(context, text),
      context,
      (sorry) => sorry,
    );
    if (reply) await chat.send(reply);
  };

  /** A message that cannot be edited any more is followed by what it was to say. */
  const replace = async (messageId: number, reply: Reply): Promise<void> => {
    await chat.edit(messageId, reply).catch(async (error: unknown) => {
      if (!(error instanceof TelegramError) || error.kind !== 'refused') throw error;
      await chat.send(reply);
    });
  };

  const handlePress = async ({ id, from, message, data = '' }: CallbackQuery): Promise<void> => {
    if (!isAllowed(from.id, message?.chat.id) || message === undefined) return;
    const context = contextOf(from.id, message.message_id);
    const { toast, effect } = press(context, data);
    // At once, and whatever becomes of it: until then the button turns.
    const params = { callback_query_id: id, ...(toast ? { text: speaker.plain(toast) } : {}) };
    void api({ method: 'answerCallbackQuery', params }).catch(() => undefined);
    const { edit, reply } =
      (await within(
        async () => await effect,
        context,
        (sorry) => ({ reply: sorry }),
      )) ?? {};
    if (edit) await replace(message.message_id, edit);
    if (reply) await chat.send(reply);
  };

  return async ({ message, callback_query: query }) => {
    try {
      if (message) await handleMessage(message);
      else if (query) await handlePress(query);
    } catch (error) {
      // The answer did not reach the phone; what was ordered is done.
      log.warn({ reason: describeError(error) }, 'an answer did not reach the phone');
    }
  };
}

/** What is answered to a text; undefined if it is none of our business. */
async function answer(context: Context, text: string): Promise<Reply | undefined> {
  const { speaker } = context;
  const [, name, argument] = /^\/(\w+)(?:@\w+)?\s*([\s\S]*)$/.exec(text.trim()) ?? [];
  if (name === undefined) {
    return (await answerInWords(context, text)) ?? { text: speaker.say(REPLIES.idle) };
  }
  const [, taskId] = /^task_(\w+)$/.exec(name) ?? [];
  const wanted = taskId === undefined ? name.toLowerCase() : 'task';
  const command = COMMANDS.find(({ names }) => Object.values(names).includes(ALIASES[wanted] ?? wanted));
  if (!command) return { text: speaker.say(REPLIES.unknownCommand) };
  return await command.run(context, taskId ?? argument.trim());
}

/** What Telegram itself sends, and what people write out of habit. */
const ALIASES: Readonly<Record<string, string>> = { start: 'help' };

/** What a button does, begun in the same moment in which it is used; what to say at once if it does nothing. */
function press(context: Context, data: string): { readonly toast?: Words; readonly effect?: Promise<Effect> } {
  const { db, clock, counters, log, audit } = context;
  const pressed = pressButton(db, data.slice(0, 64), clock());
  if (pressed.state === 'forged') {
    counters.add('securityEvents', { kind: 'forged-callback' });
    log.warn({ userId: context.userId }, 'a button that was never given out was pressed');
    audit('button', 'forged', 'refused');
    return { toast: REPLIES.badButton };
  }
  const action = ACTIONS.get(pressed.action);
  if (pressed.state !== 'valid' || action === undefined) {
    if (pressed.action === 'approve' || pressed.action === 'reject') counters.add('approvals', { decision: 'refused' });
    audit(pressed.action, String(pressed.args.id ?? ''), pressed.state);
    return { toast: pressed.state === 'used' ? REPLIES.usedButton : REPLIES.expiredButton };
  }
  const effect = action(context, pressed.args).catch((error: unknown) => {
    // What did not work may be tried again.
    releaseButton(db, data);
    throw error;
  });
  return { effect };
}

/** Does what was ordered; an error is the answer, and so is that it takes too long. */
async function within<T>(work: () => Promise<T>, { speaker, log }: Context, sorry: (reply: Reply) => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(sorry({ text: speaker.say(REPLIES.slow) })), ANSWER_WITHIN_MS);
  });
  try {
    return await Promise.race([work(), late]);
  } catch (error) {
    log.warn({ reason: describeError(error) }, 'an order failed');
    return sorry({ text: speaker.say(REPLIES.failed, { reason: describeError(error) }) });
  } finally {
    clearTimeout(timer);
  }
}
