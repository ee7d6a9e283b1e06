import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, vi } from 'vitest';
import { plainText } from './telegram-html.ts';

/** A message as Telegram would have delivered it. */
export interface SentMessage {
  readonly id: number;
  readonly chatId: number;
  /** The HTML as it was sent, or edited last. */
  html: string;
  /** What a person reads. */
  text: string;
  readonly isSilent: boolean;
  /** The rows of its buttons as they are now. */
  buttons: readonly (readonly FakeButton[])[];
  /** What was attached to it. */
  readonly file?: { readonly kind: 'photo' | 'document'; readonly name: string; readonly bytes: Buffer };
}

/** A button under a message. */
export interface FakeButton {
  readonly text: string;
  readonly callback_data?: string;
  readonly url?: string;
}

/** Who writes to the bot, and where; the owner in the bot's chat unless told otherwise. */
export interface Person {
  readonly userId?: number;
  readonly chatId?: number;
}

/** What becomes of a request: `cut` and `silence` have delivered it before they say nothing. */
export type Fault = 'too-many' | 'server-error' | 'gateway' | 'cut' | 'silence' | 'bad-request' | 'bad-picture';

/** A server that answers as Telegram's Bot API does. */
export interface FakeBotApi {
  readonly url: string;
  readonly token: string;
  readonly chatId: number;
  /** The one who may give orders. */
  readonly userId: number;
  readonly messages: readonly SentMessage[];
  /** What was refused and why, in order. */
  readonly refusals: readonly string[];
  /** Texts shown for a moment after a button was pressed. */
  readonly toasts: readonly string[];
  /** The commands in the menu, by language. */
  readonly menu: ReadonlyMap<string, readonly { readonly command: string; readonly description: string }[]>;
  /** The next requests are answered with 429. */
  readonly refuseNext: (requests: number) => void;
  /** What becomes of the next messages. */
  readonly failNext: (fault: Fault, requests?: number) => void;
  /** How often somebody asked for updates. */
  readonly polls: () => number;
  /** Somebody writes to the bot; gives the number of the update. */
  readonly say: (text: string, person?: Person) => number;
  /** Somebody presses the button with this label under the latest message that has it. */
  readonly press: (label: string, person?: Person) => Promise<void>;
  /** Somebody sends what a button would send. */
  readonly pressData: (data: string, person?: Person, messageId?: number) => number;
  /** Updates as they are, in this order, duplicates and all. */
  readonly push: (...updates: readonly object[]) => void;
  /** Another program polls with the same token from now on, or no more. */
  readonly setOtherPoller: (polls: boolean) => void;
  /** Waits for a message whose text matches, among those after the first `after`. */
  readonly message: (text: RegExp, after?: number) => Promise<SentMessage>;
}

type Answer = Readonly<Record<string, unknown>>;
type Params = Readonly<Record<string, unknown>>;
interface Poll {
  readonly response: ServerResponse;
  readonly timer: NodeJS.Timeout;
}

const TOKEN = '123456789:AA-fake_token';
const CHAT_ID = -1_001_234_567_890;
const USER_ID = 4_242;
const MAX_CHARACTERS = 4_096;
const MAX_CAPTION = 1_024;
const MAX_CALLBACK_BYTES = 64;
const REFUSALS: Partial<Record<Fault, [status: number, description: string, rest?: Answer]>> = {
  'too-many': [429, 'Too Many Requests: retry after 1', { parameters: { retry_after: 1 } }],
  'server-error': [500, 'Internal Server Error'],
  'bad-request': [400, "Bad Request: can't parse entities"],
  'bad-picture': [400, 'Bad Request: IMAGE_PROCESS_FAILED'],
};

/** Starts the server; it stops when the test ends. */
export async function startBotApi(host = '127.0.0.1'): Promise<FakeBotApi> {
  const messages: SentMessage[] = [];
  const refusals: string[] = [];
  const toasts: string[] = [];
  const menu = new Map<string, { command: string; description: string }[]>();
  const faults: Fault[] = [];
  let updates: { readonly update_id: number }[] = [];
  let nextUpdate = 1_000;
  let polls = 0;
  let hasOtherPoller = false;
  let waiting: Poll | undefined;

  const server = createServer((request, response) => {
    void readBody(request).then(async (body) => await handle(request, response, body));
  }).listen(0, host);
  await once(server, 'listening');
  onTestFinished(async () => {
    clearTimeout(waiting?.timer);
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const reply = (response: ServerResponse, status: number, answer: Answer): void => {
    if (status !== 200) refusals.push(`${status} ${answer.description}`);
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer));
  };
  const refusal = (status: number, description: string, rest: Answer = {}): [number, Answer] => [
    status,
    { ok: false, error_code: status, description, ...rest },
  ];

  async function handle(request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> {
    const path = request.url ?? '';
    if (!path.startsWith(`/bot${TOKEN}/`)) {
      reply(response, ...refusal(404, 'Not Found'));
      return;
    }
    const method = path.slice(TOKEN.length + 5);
    const { params, file } = await readParams(request, body);
    if (method === 'getUpdates') {
      poll(params, response);
      return;
    }
    const fault = method.startsWith('send') || method === 'editMessageText' ? faults.shift() : undefined;
    const refused = fault && REFUSALS[fault];
    if (refused) {
      reply(response, ...refusal(...refused));
      return;
    }
    if (fault === 'gateway') {
      response.writeHead(502, { 'Content-Type': 'text/html' }).end('<html>502 Bad Gateway</html>');
      return;
    }
    const [status, answer] = respond(method, params, file);
    if (fault === 'cut') response.destroy();
    else if (fault !== 'silence') reply(response, status, answer);
  }

  function respond(method: string, params: Params, file?: SentMessage['file']): [status: number, answer: Answer] {
    switch (method) {
      case 'sendMessage':
        return deliver(params.text, params);
      case 'sendDocument':
      case 'sendPhoto':
        return file ? deliver(params.caption ?? '', params, file) : refusal(400, 'Bad Request: there is no file');
      case 'editMessageText':
        return edit(params);
      case 'answerCallbackQuery':
        toasts.push(String(params.text ?? ''));
        return [200, { ok: true, result: true }];
      case 'setMyCommands':
        menu.set(String(params.language_code ?? ''), params.commands as { command: string; description: string }[]);
        return [200, { ok: true, result: true }];
      default:
        return refusal(404, 'Not Found');
    }
  }

  /** What of a message Telegram refuses; undefined if nothing. */
  function findFault(text: unknown, params: Params, file?: SentMessage['file']): [number, Answer] | undefined {
    // Alertmanager sends the id as a string, which Telegram takes.
    if (Number(params.chat_id) !== CHAT_ID) return refusal(400, 'Bad Request: chat not found');
    if (typeof text !== 'string' || (text.trim() === '' && !file)) {
      return refusal(400, 'Bad Request: message text is empty');
    }
    if (params.parse_mode !== undefined && params.parse_mode !== 'HTML') {
      return refusal(400, 'This fake knows HTML only');
    }
    const plain = plainText(text);
    if (params.parse_mode && plain instanceof Error) {
      return refusal(400, `Bad Request: can't parse entities: ${plain.message}`);
    }
    if (String(plain).length > (file ? MAX_CAPTION : MAX_CHARACTERS)) {
      return refusal(400, 'Bad Request: message is too long');
    }
    const isTooLong = ({ callback_data: data = '' }: FakeButton): boolean =>
      Buffer.byteLength(data) > MAX_CALLBACK_BYTES;
    if (keyboard(params).flat().some(isTooLong)) return refusal(400, 'Bad Request: BUTTON_DATA_INVALID');
    return undefined;
  }

  function deliver(text: unknown, params: Params, file?: SentMessage['file']): [number, Answer] {
    const fault = findFault(text, params, file);
    if (fault) return fault;
    const html = String(text);
    const plain = params.parse_mode ? String(plainText(html)) : html;
    const id = messages.length + 1;
    messages.push({
      id,
      chatId: Number(params.chat_id),
      html,
      text: plain,
      isSilent: String(params.disable_notification) === 'true',
      buttons: keyboard(params),
      ...(file ? { file } : {}),
    });
    const chat = { id: CHAT_ID, type: 'supergroup' };
    return [200, { ok: true, result: { message_id: id, chat, date: 0, text: plain } }];
  }

  function edit(params: Params): [number, Answer] {
    const message = messages.find(({ id }) => id === Number(params.message_id));
    if (!message) return refusal(400, 'Bad Request: message to edit not found');
    const fault = findFault(params.text, params);
    if (fault) return fault;
    const buttons = keyboard(params);
    if (params.text === message.html && JSON.stringify(buttons) === JSON.stringify(message.buttons)) {
      return refusal(400, 'Bad Request: message is not modified');
    }
    Object.assign(message, { html: params.text, text: plainText(String(params.text)), buttons });
    return [200, { ok: true, result: { message_id: message.id, chat: { id: CHAT_ID }, date: 0 } }];
  }

  function poll({ offset = 0, timeout = 0 }: Params, response: ServerResponse): void {
    polls += 1;
    if (waiting) {
      clearTimeout(waiting.timer);
      reply(waiting.response, ...refusal(409, 'Conflict: terminated by other getUpdates request'));
      waiting = undefined;
    }
    if (hasOtherPoller) {
      reply(response, ...refusal(409, 'Conflict: terminated by other getUpdates request'));
      return;
    }
    updates = Number(offset) < 0 ? updates.slice(Number(offset)) : forget(updates, Number(offset));
    if (updates.length > 0 || timeout === 0) {
      reply(response, 200, { ok: true, result: updates });
      return;
    }
    const timer = setTimeout(() => {
      waiting = undefined;
      reply(response, 200, { ok: true, result: [] });
    }, Number(timeout) * 1_000);
    waiting = { response, timer };
    response.once('close', () => {
      if (waiting?.response === response) {
        clearTimeout(timer);
        waiting = undefined;
      }
    });
  }

  function push(...added: readonly object[]): void {
    updates = [...updates, ...(added as { update_id: number }[])];
    if (!waiting) return;
    const { response, timer } = waiting;
    clearTimeout(timer);
    waiting = undefined;
    reply(response, 200, { ok: true, result: updates });
  }

  const say: FakeBotApi['say'] = (text, { userId = USER_ID, chatId = CHAT_ID } = {}) => {
    const id = nextUpdate++;
    const from = { id: userId, is_bot: false, first_name: 'Prova' };
    push({ update_id: id, message: { message_id: id, chat: { id: chatId }, from, date: 0, text } });
    return id;
  };
  const pressData: FakeBotApi['pressData'] = (data, { userId = USER_ID, chatId = CHAT_ID } = {}, messageId = 1) => {
    const id = nextUpdate++;
    const from = { id: userId, is_bot: false, first_name: 'Prova' };
    const message = { message_id: messageId, chat: { id: chatId }, date: 0, text: '' };
    push({ update_id: id, callback_query: { id: String(id), from, message, data } });
    return id;
  };

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: TOKEN,
    chatId: CHAT_ID,
    userId: USER_ID,
    messages,
    refusals,
    toasts,
    menu,
    push,
    say,
    pressData,
    polls: () => polls,
    refuseNext: (requests) => faults.push(...Array<Fault>(requests).fill('too-many')),
    failNext: (fault, requests = 1) => faults.push(...Array<Fault>(requests).fill(fault)),
    press: async (label, person) => {
      const { message, data } = await vi.waitFor(() => findButton(messages, label), { timeout: 15_000, interval: 20 });
      pressData(data, person, message.id);
    },
    setOtherPoller: (polls_) => {
      hasOtherPoller = polls_;
      if (!polls_ || !waiting) return;
      clearTimeout(waiting.timer);
      reply(waiting.response, ...refusal(409, 'Conflict: terminated by other getUpdates request'));
      waiting = undefined;
    },
    message: (text, after = 0) =>
      vi.waitFor(
        () => {
          const found = messages.slice(after).find((each) => text.test(each.text));
          if (found) return found;
          const said = messages.map((each) => each.text).join('\n\n');
          throw new Error(`${text} is not in:\n${said}\n${refusals.join('\n')}`);
        },
        { timeout: 15_000, interval: 20 },
      ),
  };
}

function findButton(messages: readonly SentMessage[], label: string): { message: SentMessage; data: string } {
  for (const message of messages.toReversed()) {
    const button = message.buttons.flat().find(({ text }) => text.includes(label));
    if (button) return { message, data: button.callback_data ?? '' };
  }
  const labels = messages.flatMap(({ buttons }) => buttons.flat().map(({ text }) => text));
  throw new Error(`There is no button "${label}" among: ${labels.join(', ')}`);
}

function keyboard(params: Params): readonly (readonly FakeButton[])[] {
  const markup = params.reply_markup as { inline_keyboard?: FakeButton[][] } | undefined;
  return markup?.inline_keyboard ?? [];
}

function forget<Each extends { readonly update_id: number }>(updates: readonly Each[], offset: number): Each[] {
  // Telegram forgets what is before the offset by its place, whatever order the rest is in.
  const known = updates.filter(({ update_id: id }) => id < offset).length;
  return known === 0 ? [...updates] : updates.filter(({ update_id: id }) => id >= offset);
}

async function readParams(
  request: IncomingMessage,
  body: Buffer,
): Promise<{ readonly params: Params; readonly file?: NonNullable<SentMessage['file']> }> {
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('multipart/')) return { params: JSON.parse(body.toString() || '{}') as Params };
  const form = await new Response(new Uint8Array(body), { headers: { 'Content-Type': type } }).formData();
  const params: Record<string, unknown> = {};
  let file: SentMessage['file'];
  for (const [name, value] of form) {
    // A form ends lines with CR LF; Telegram drops the CR.
    if (typeof value === 'string')
      params[name] = name === 'reply_markup' ? JSON.parse(value) : value.replaceAll('\r', '');
    else {
      const kind = name === 'photo' ? 'photo' : 'document';
      file = { kind, name: value.name, bytes: Buffer.from(await value.arrayBuffer()) };
    }
  }
  expect(file).toBeDefined();
  return file ? { params, file } : { params };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
