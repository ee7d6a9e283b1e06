import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** An imitation of the Messages API, as far as the real command line uses it. */
export interface FakeModelApi {
  readonly url: string;
  /** What was asked, in order: the directive that was followed, or `-` where the request held none. */
  readonly requests: readonly string[];
  /** Every request whole, head and body: what an agent has told the provider. */
  readonly received: readonly string[];
}

/** How the model answers where no directive says so: see `startModelApi`. */
export type Script = readonly string[];

interface Message {
  readonly role: string;
  readonly content: string | readonly { readonly type: string; readonly text?: string }[];
}

interface Request {
  readonly model: string;
  readonly messages: readonly Message[];
}

type Block =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool_use'; readonly name: string; readonly input: object };

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

/**
 * Starts the server; it stops when the test ends. The prompt says how the model answers, one line for each answer in turn:
 * `#api ok [TEXT]`, `#api tool NAME JSON`, `#api refuse STATUS MESSAGE`, `#api limit EPOCH_SECONDS` (a subscription's limit until then),
 * `#api hang` (no answer), `#api hang-midway` (an answer that never ends). After the last line the model says "done".
 * Words such as `output=20000` before the rest of a line set the tokens that the answer says it took. With a script its lines,
 * without `#api`, are followed instead, whatever the prompt says: a model that has been talked round.
 */
export async function startModelApi(script?: Script): Promise<FakeModelApi> {
  const requests: string[] = [];
  const received: string[] = [];
  const server = createServer((request, response) => {
    void answer(request, response, { requests, received, script });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, received };
}

interface Conversation {
  readonly requests: string[];
  readonly received: string[];
  readonly script: Script | undefined;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { requests, received, script }: Conversation,
): Promise<void> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  received.push(`${request.method} ${request.url}\n${request.rawHeaders.join('\n')}\n\n${body}`);
  if (request.method !== 'POST' || !request.url?.startsWith('/v1/messages?')) {
    response.writeHead(200).end();
    return;
  }
  const { model, messages } = JSON.parse(body) as Request;
  const directive = script ? (script[requests.length] ?? '') : directiveOf(messages);
  requests.push(directive || '-');
  const { kind, rest, tokens } = parse(directive);
  if (kind === 'hang') return;
  if (kind === 'refuse') {
    const [, status, message] = /^(\d+) ?(.*)$/.exec(rest)!;
    refuse(response, Number(status), message);
  } else if (kind === 'limit' && Number(rest) > Date.now() / 1_000) {
    const reset = rest.trim();
    refuse(response, 429, 'This request would exceed your account’s rate limit.', {
      'anthropic-ratelimit-unified-status': 'rejected',
      'anthropic-ratelimit-unified-representative-claim': 'five_hour',
      'anthropic-ratelimit-unified-reset': reset,
      'retry-after': '1',
    });
  } else {
    stream(response, { model, block: blockOf(kind, rest), tokens, isEndless: kind === 'hang-midway' });
  }
}

/** The line that is due: as many further as the model has answered since the prompt. */
function directiveOf(messages: readonly Message[]): string {
  const at = messages.findLastIndex((message) => message.role === 'user' && textOf(message).includes('#api '));
  if (at === -1) return '';
  const lines = [...textOf(messages[at]).matchAll(/^#api (.*)$/gm)].map(([, line]) => line);
  const answered = messages.slice(at).filter(({ role }) => role === 'assistant').length;
  return lines[answered] ?? '';
}

function textOf({ content }: Message): string {
  if (typeof content === 'string') return content;
  return content.map(({ text }) => text ?? '').join('\n');
}

function parse(directive: string): { kind: string; rest: string; tokens: Readonly<Record<string, number>> } {
  const [, kind, options, rest] = /^(\S*) ?((?:(?:input|output)=\d+ ?)*)(.*)$/.exec(directive)!;
  const tokens = [...options.matchAll(/(\w+)=(\d+)/g)].map(([, name, count]) => [`${name}_tokens`, Number(count)]);
  return { kind, rest, tokens: Object.fromEntries(tokens) };
}

function blockOf(kind: string, rest: string): Block {
  if (kind !== 'tool') return { type: 'text', text: rest || 'done' };
  const [, name, input] = /^(\S+) (.*)$/.exec(rest)!;
  return { type: 'tool_use', name, input: JSON.parse(input) as object };
}

function refuse(response: ServerResponse, status: number, message: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  const error = { type: ERROR_TYPES[status] ?? 'api_error', message };
  response.end(JSON.stringify({ type: 'error', error, request_id: 'req_fake' }));
}

interface Reply {
  readonly model: string;
  readonly block: Block;
  readonly tokens: Readonly<Record<string, number>>;
  readonly isEndless: boolean;
}

let sent = 0;

/** One message of one block, as server-sent events. */
function stream(response: ServerResponse, { model, block, tokens, isEndless }: Reply): void {
  sent += 1;
  const usage = {
    input_tokens: 1_000,
    output_tokens: 100,
    cache_read_input_tokens: 0,
    cache_creation_input_tokens: 0,
    ...tokens,
  };
  const send = (event: { readonly type: string; readonly [field: string]: unknown }): void => {
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  };
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  const message = {
    id: `msg_${sent}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
  };
  send({ type: 'message_start', message: { ...message, usage: { ...usage, output_tokens: 1 } } });
  if (block.type === 'text') {
    send({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } });
    send({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: block.text } });
  } else {
    send({
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'tool_use', id: `toolu_${sent}`, name: block.name, input: {} },
    });
    const json = JSON.stringify(block.input);
    send({ type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: json } });
  }
  if (isEndless) return;
  send({ type: 'content_block_stop', index: 0 });
  const reason = block.type === 'text' ? 'end_turn' : 'tool_use';
  send({ type: 'message_delta', delta: { stop_reason: reason, stop_sequence: null }, usage });
  send({ type: 'message_stop' });
  response.end();
}
