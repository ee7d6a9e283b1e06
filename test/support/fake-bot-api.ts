import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A message as Telegram would have delivered it. */
export interface SentMessage {
  readonly chatId: number;
  /** The HTML as it was sent. */
  readonly html: string;
  /** What a person reads. */
  readonly text: string;
  readonly isSilent: boolean;
}

/** A server that answers as Telegram's Bot API does, as far as sending goes. */
export interface FakeBotApi {
  readonly url: string;
  readonly token: string;
  readonly chatId: number;
  readonly messages: readonly SentMessage[];
  /** What was refused and why, in order. */
  readonly refusals: readonly string[];
  /** The next requests are answered with 429. */
  readonly refuseNext: (requests: number) => void;
}

type Answer = Readonly<Record<string, unknown>>;

interface SendMessage {
  readonly chat_id: unknown;
  readonly text: unknown;
  readonly parse_mode: unknown;
  /** Alertmanager writes it as a text. */
  readonly disable_notification?: boolean | string;
}

const TOKEN = '123456789:AA-fake_token';
const CHAT_ID = -1_001_234_567_890;
const MAX_CHARACTERS = 4_096;
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"' };

/** Starts the server; it stops when the test ends. */
export async function startBotApi(host = '127.0.0.1'): Promise<FakeBotApi> {
  const messages: SentMessage[] = [];
  const refusals: string[] = [];
  let toRefuse = 0;
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const [status, answer] = respond(request.url ?? '', body);
      if (status !== 200) refusals.push(`${status} ${answer.description}`);
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer));
    });
  }).listen(0, host);
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  function respond(path: string, body: string): [status: number, answer: Answer] {
    const refuse = (status: number, description: string, rest: Answer = {}): [number, Answer] => [
      status,
      { ok: false, error_code: status, description, ...rest },
    ];
    if (path !== `/bot${TOKEN}/sendMessage`) return refuse(404, 'Not Found');
    if (toRefuse > 0) {
      toRefuse -= 1;
      return refuse(429, 'Too Many Requests: retry after 1', { parameters: { retry_after: 1 } });
    }
    const { chat_id, text, parse_mode, disable_notification: silent } = JSON.parse(body) as SendMessage;
    // Alertmanager sends the id as a string, which Telegram takes.
    if (Number(chat_id) !== CHAT_ID) return refuse(400, 'Bad Request: chat not found');
    if (typeof text !== 'string' || text.trim() === '') return refuse(400, 'Bad Request: message text is empty');
    if (parse_mode !== 'HTML') return refuse(400, 'This fake knows HTML only');
    const plain = plainText(text);
    if (plain instanceof Error) return refuse(400, `Bad Request: can't parse entities: ${plain.message}`);
    if (plain.length > MAX_CHARACTERS) return refuse(400, 'Bad Request: message is too long');
    messages.push({ chatId: Number(chat_id), html: text, text: plain, isSilent: String(silent) === 'true' });
    const chat = { id: CHAT_ID, type: 'supergroup' };
    return [200, { ok: true, result: { message_id: messages.length, chat, date: 0, text: plain } }];
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: TOKEN,
    chatId: CHAT_ID,
    messages,
    refusals,
    refuseNext: (requests) => {
      toRefuse = requests;
    },
  };
}

/** Telegram's HTML, as strict as Telegram: known tags, closed in order, known entities. */
function plainText(html: string): string | Error {
  const open: string[] = [];
  let text = '';
  for (const [part] of html.matchAll(/<[^>]*>?|&[^;\s]*;?|[^<&]+/g)) {
    const tag = /^<(\/?)(b|i|u|s|code|pre|a)(?: href="[^"<>]*")?>$/.exec(part);
    if (tag?.[1] === '/') {
      if (open.pop() !== tag[2]) return new Error(`unexpected end tag ${part}`);
    } else if (tag) {
      open.push(tag[2]);
    } else if (part.startsWith('<')) {
      return new Error(`unsupported start tag ${part.slice(0, 20)}`);
    } else if (part.startsWith('&')) {
      const character = entity(part);
      if (character === undefined) return new Error(`unknown entity ${part}`);
      text += character;
    } else {
      text += part;
    }
  }
  return open.length === 0 ? text : new Error(`unclosed tag ${open.at(-1)}`);
}

function entity(text: string): string | undefined {
  const match = /^&(?:#(\d+)|#x([\da-f]+)|(\w+));$/i.exec(text);
  if (!match) return undefined;
  const [, decimal, hexadecimal, name] = match;
  if (name) return ENTITIES[name];
  return String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hexadecimal, 16));
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}
