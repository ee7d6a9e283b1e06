import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createStreamReader, type Seen } from '../../../orchestrator/runner/stream.ts';

function read(text: string, chunkBytes = 1_000_000): { readonly seen: Seen; readonly lines: readonly string[] } {
  const lines: string[] = [];
  const reader = createStreamReader({ onLine: (line) => lines.push(line) });
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += chunkBytes) reader.push(bytes.subarray(at, at + chunkBytes));
  reader.end();
  return { seen: reader.seen(), lines };
}

const line = (event: object): string => `${JSON.stringify(event)}\n`;

const recorded = (name: string): string =>
  readFileSync(new URL(`recorded/2.1.330/${name}.jsonl`, import.meta.url), 'utf8');

const message = (id: string, text: string, usage: object = {}, rest: object = {}): string =>
  line({
    type: 'assistant',
    message: { id, model: 'claude-opus-4-8[1m]', content: [{ type: 'text', text }], usage },
    parent_tool_use_id: null,
    ...rest,
  });

test('it does not matter where a stream is cut into pieces', () => {
  const text = `${recorded('tool-denied')}${message('m', 'perché — così 🐝')}no line break at the end`;
  const whole = read(text);
  expect(whole.seen).toMatchObject({
    hasStarted: true,
    result: { denials: [{ tool: 'Write', input: { file_path: expect.any(String) } }], turns: 2 },
  });
  expect(whole.seen.plainText).toBe('no line break at the end\n');
  for (const bytes of [1, 7, 4_096]) expect(read(text, bytes)).toEqual(whole);
});

test('a result tells what it took by model, with one name for a model', () => {
  const used = { inputTokens: 3, outputTokens: 4, cacheReadInputTokens: 5, cacheCreationInputTokens: 6, costUSD: 0.25 };
  const { seen } = read(
    line({
      ...{ type: 'result', subtype: 'success', is_error: false, result: 'done', num_turns: 7, total_cost_usd: 0.75 },
      modelUsage: { 'claude-opus-4-8[1m]': used, 'claude-opus-4-8': used, 'claude-haiku-4-5': used },
      structured_output: { a: 1 },
    }),
  );
  const tokens = { input: 3, output: 4, cacheRead: 5, cacheCreation: 6 };
  const twice = { input: 6, output: 8, cacheRead: 10, cacheCreation: 12 };
  expect(seen.result).toMatchObject({ text: 'done', turns: 7, totalCostUsd: 0.75, structuredOutput: { a: 1 } });
  expect(seen.result?.usage).toEqual([
    { model: 'claude-opus-4-8', tokens: twice, costUsd: 0.5 },
    { model: 'claude-haiku-4-5', tokens, costUsd: 0.25 },
  ]);
});

test('without a result, what was used is summed from the messages: each once, its output at least what it wrote', () => {
  const usage = {
    input_tokens: 10,
    output_tokens: 1,
    cache_read_input_tokens: 100,
    cache_creation_input_tokens: 1_000,
  };
  const { seen } = read(
    [
      message('a', 'x'.repeat(40), usage),
      message('a', 'y'.repeat(40), usage),
      message('b', 'short', { ...usage, output_tokens: 500 }),
      message('c', '', usage, { parent_tool_use_id: 'toolu_1' }),
      line({
        type: 'assistant',
        message: { id: 'd', model: '<synthetic>', content: [], usage },
        error: 'server_error',
      }),
    ].join(''),
  );
  const tokens = { input: 30, output: 20 + 500 + 1, cacheRead: 300, cacheCreation: 3_000 };
  expect(seen.usage).toEqual([{ model: 'claude-opus-4-8', tokens }]);
  expect(seen.turns).toBe(2);
  expect(seen.apiError).toBe('server_error');
});

test('thoughts and the input of tools count as output too', () => {
  const content = [
    { type: 'thinking', thinking: 'x'.repeat(400) },
    { type: 'tool_use', name: 'Write', input: { content: 'y'.repeat(386) } },
    null,
  ];
  const { seen } = read(line({ type: 'assistant', message: { id: 'a', model: 'm', content, usage: {} } }));
  expect(seen.usage[0].tokens.output).toBe(201);
});

test('retries are counted, those of an overloaded provider apart', () => {
  const retry = (error_status: unknown): string => line({ type: 'system', subtype: 'api_retry', error_status });
  const { seen } = read([529, 429, 500, null, 'x'].map(retry).join(''));
  expect(seen).toMatchObject({ retries: 5, overloadedRetries: 2 });
});

test('an error of the model is forgotten when it answers after all, and one of a sub-agent is not its own', () => {
  const error = { error: 'overloaded' };
  expect(read(message('a', '', {}, error)).seen.apiError).toBe('overloaded');
  expect(read(message('a', '', {}, error) + message('b', 'well')).seen.apiError).toBeUndefined();
  expect(read(message('a', '', {}, { ...error, parent_tool_use_id: 't' })).seen.apiError).toBeUndefined();
});

test('what is no event is kept as text, and what nobody knows is an event without consequences', () => {
  const { seen } = read(
    `Error: no JSON\n{"type":\n{"no":"type"}\n[1]\nnull\n{"type":7}\n${line({ type: 'stream_event', event: {} })}${line({ type: 'system', subtype: 'new' })}`,
  );
  expect(seen.plainText).toBe('Error: no JSON\n{"type":\n{"no":"type"}\n[1]\nnull\n{"type":7}\n');
  expect(seen).toMatchObject({ events: 2, hasStarted: false, result: undefined, usage: [] });
});

test.each<[what: string, event: object]>([
  ['a message without content', { type: 'assistant' }],
  ['a message of null', { type: 'assistant', message: null }],
  ['a limit without information', { type: 'rate_limit_event' }],
  ['a start without a session', { type: 'system', subtype: 'init' }],
])('%s breaks nothing', (_, event) => {
  expect(read(line(event)).seen).toMatchObject({ events: 1, usage: [], limit: undefined });
});

test('figures that cannot be are none, and a result that does not say that all is well is an error', () => {
  const { seen } = read(
    line({
      ...{ type: 'result', total_cost_usd: -1, num_turns: 'many', errors: 'x', permission_denials: [7] },
      modelUsage: {
        m: { inputTokens: -3, outputTokens: Number.MAX_VALUE, cacheReadInputTokens: 1.9, costUSD: 'much' },
      },
    }),
  );
  const tokens = { input: 0, output: 0, cacheRead: 1, cacheCreation: 0 };
  expect(seen.result).toMatchObject({
    isError: true,
    totalCostUsd: 0,
    turns: 0,
    errors: [],
    denials: [{ tool: 'a tool' }],
  });
  expect(seen.result?.usage).toEqual([{ model: 'm', tokens, costUsd: 0 }]);
});

test('a line of more than 10 MB is passed over, and the next one is read', () => {
  const { seen, lines } = read(`${message('a', 'x'.repeat(11_000_000))}${message('b', 'well')}`, 65_536);
  expect(lines).toHaveLength(1);
  expect(seen).toMatchObject({ events: 1, turns: 1 });
  expect(seen.plainText).toMatch(/^\(a line of 110\d+ bytes\)\n$/);
});

test('of plain text 64,000 characters are kept', () => {
  expect(read('x'.repeat(999).concat('\n').repeat(1_000)).seen.plainText).toHaveLength(64_000);
});
