import { expect, test } from 'vitest';
import { createBotApi, type TelegramError } from '../../../scheduler/telegram/api.ts';
import { type Fault, startBotApi } from '../../support/fake-bot-api.ts';
import { freePort } from '../../support/free-port.ts';

const send = { method: 'sendMessage', timeoutMs: 500 };

async function setUp() {
  const fake = await startBotApi();
  const api = createBotApi({ apiUrl: fake.url, token: fake.token });
  const message = { chat_id: fake.chatId, text: 'Ciao', parse_mode: 'HTML' };
  const attempt = async (request: object = { ...send, params: message }): Promise<TelegramError> =>
    (await api(request as never).then(
      () => undefined,
      (error: unknown) => error,
    )) as TelegramError;
  return { fake, api, message, attempt };
}

test('a message arrives, and its number comes back', async () => {
  const { fake, api, message } = await setUp();
  expect(await api({ ...send, params: message })).toMatchObject({ message_id: 1 });
  expect(fake.messages.map(({ text }) => text)).toEqual(['Ciao']);
});

test('a file travels with its caption and its buttons', async () => {
  const { fake, api } = await setUp();
  const reply_markup = { inline_keyboard: [[{ text: 'Sì', callback_data: 'x' }]] };
  const params = { chat_id: fake.chatId, caption: 'Registro', reply_markup };
  const file = { param: 'document', name: 'registro.txt', bytes: Buffer.from('tutto') };
  await api({ method: 'sendDocument', params, file });
  expect(fake.messages[0]).toMatchObject({ text: 'Registro', buttons: [[{ text: 'Sì' }]] });
  expect(fake.messages[0].file).toEqual({ kind: 'document', name: 'registro.txt', bytes: Buffer.from('tutto') });
});

test.each<[Fault, TelegramError['kind'], number | undefined, number]>([
  ['too-many', 'refused', 429, 0],
  ['server-error', 'refused', 500, 0],
  ['gateway', 'unsure', 502, 0],
  ['cut', 'unsure', undefined, 1],
  ['silence', 'unsure', undefined, 1],
])('after %s the message is %s', async (fault, kind, code, delivered) => {
  const { fake, attempt } = await setUp();
  fake.failNext(fault);
  const error = await attempt();
  expect({ kind: error.kind, code: error.code }).toEqual({ kind, code });
  expect(error.retryAfterMs).toBe(fault === 'too-many' ? 1_000 : undefined);
  expect(fake.messages).toHaveLength(delivered);
});

test('where nothing listens nothing was sent, and the token is in no error', async () => {
  const { fake, message } = await setUp();
  const api = createBotApi({ apiUrl: `http://127.0.0.1:${await freePort()}`, token: fake.token });
  const error = (await api({ ...send, params: message }).catch((thrown: unknown) => thrown)) as TelegramError;
  expect(error.kind).toBe('unreachable');
  for (const text of [error.message, error.stack, JSON.stringify(error)]) expect(text).not.toContain(fake.token);
});

test('who is told to stop does not wait for the answer of a long poll', async () => {
  const { api } = await setUp();
  const stop = new AbortController();
  const polling = api({ method: 'getUpdates', params: { timeout: 30 }, timeoutMs: 40_000, signal: stop.signal });
  stop.abort(new Error('stopped'));
  await expect(polling).rejects.toThrow('stopped');
});
