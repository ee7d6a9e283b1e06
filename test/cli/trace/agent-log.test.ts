import { expect, test } from 'vitest';
import { readAgentLog } from '../../../cli/trace/agent-log.ts';

const at = (second: number): string => new Date(Date.UTC(2026, 5, 15, 12, 0, second)).toISOString();
const line = (value: unknown): string => JSON.stringify(value);
const started = (second: number): string => line({ type: 'swarm', at: at(second), event: 'run started', pid: 7 });
const ended = (second: number, outcome = 'ok', error?: string): string =>
  line({ type: 'swarm', at: at(second), event: 'run ended', outcome, error });
const begun = (session: string): string =>
  line({ type: 'system', subtype: 'init', session_id: session, model: 'claude-1', tools: ['Bash'] });
const uses = (...names: readonly string[]): string =>
  line({
    type: 'assistant',
    message: { content: names.map((name) => ({ type: 'tool_use', id: 't', name, input: {} })) },
  });
const answered = (second: number): string =>
  line({ type: 'user', timestamp: at(second), message: { content: [{ type: 'tool_result', content: 'secret' }] } });
const retried = line({ type: 'system', subtype: 'api_retry', error_status: 529 });
const finished = (extra: object = {}): string =>
  line({ type: 'result', subtype: 'success', is_error: false, num_turns: 3, total_cost_usd: 0.05, ...extra });

/** Second, event and detail of everything that is told. */
const told = (...lines: readonly string[]): unknown[] =>
  readAgentLog(lines).map(({ atMs, event, detail }) => [
    atMs === undefined ? undefined : (atMs - Date.UTC(2026, 5, 15, 12)) / 1_000,
    event,
    detail,
  ]);

test('a run is told by its session, its tools at the time of their answers, and its result', () => {
  const lines = [
    ...[started(0), begun('s-1'), line({ type: 'system', subtype: 'hook_started' }), uses('Read'), answered(3)],
    ...[uses('Read'), answered(5), uses('Bash', 'Read'), answered(8)],
    ...[line({ type: 'assistant', message: { content: [{ type: 'text', text: 'secret' }] } }), finished(), ended(10)],
  ];
  expect(told(...lines)).toEqual([
    [0, 'run started', 'process 7'],
    [0, 'session', 's-1, model claude-1'],
    [3, 'tool', 'Read ×2'],
    [8, 'tool', 'Bash'],
    [8, 'tool', 'Read'],
    [10, 'result', 'success, 3 turns, 0.0500 USD for the session'],
    [10, 'run ended', 'ok'],
  ]);
});

test('what a run that was cut off left without a time is told before the next run', () => {
  expect(told(started(0), begun('s-1'), answered(2), uses('Bash'), started(50), begun('s-1'), uses('Edit'))).toEqual([
    [0, 'run started', 'process 7'],
    [0, 'session', 's-1, model claude-1'],
    [2, 'tool', 'Bash'],
    [50, 'run started', 'process 7'],
    [50, 'session', 's-1, model claude-1'],
    [50, 'tool', 'Edit'],
  ]);
});

test.each<[name: string, lines: readonly string[], expected: readonly unknown[]]>([
  [
    'an overloaded model',
    [retried, retried, ended(2, 'overloaded', 'At capacity.')],
    [
      [2, 'retry', 'the model answered 529 ×2'],
      [2, 'run ended', 'overloaded: At capacity.'],
    ],
  ],
  [
    'a model out of reach',
    [line({ type: 'system', subtype: 'api_retry' })],
    [[undefined, 'retry', 'the model answered nothing']],
  ],
  [
    'a usage limit',
    [line({ type: 'rate_limit_event', rate_limit_info: { status: 'rejected', resetsAt: 1_781_530_200 } })],
    [[undefined, 'usage limit', 'reached, until 2026-06-15T13:30:00.000Z']],
  ],
  [
    'a usage limit without an end',
    [line({ type: 'rate_limit_event', rate_limit_info: { status: 'rejected' } })],
    [[undefined, 'usage limit', 'reached']],
  ],
  [
    'a usage limit that ends beyond all time',
    [line({ type: 'rate_limit_event', rate_limit_info: { status: 'rejected', resetsAt: 1e300 } })],
    [[undefined, 'usage limit', 'reached']],
  ],
  [
    'a limit that is only near',
    [line({ type: 'rate_limit_event', rate_limit_info: { status: 'allowed_warning' } })],
    [],
  ],
  [
    'a refused tool',
    [finished({ num_turns: 1, permission_denials: [{ tool_name: 'Write' }], result: 'I could not.' })],
    [[undefined, 'result', 'success, 1 turn, 0.0500 USD for the session; refused: Write; I could not.']],
  ],
  [
    'a refusal by the provider',
    [finished({ is_error: true, result: 'Please log in' })],
    [[undefined, 'result', 'error, 3 turns, 0.0500 USD for the session; Please log in']],
  ],
  [
    'a budget used up',
    [finished({ subtype: 'error_max_budget_usd', is_error: true, errors: ['Too much'] })],
    [[undefined, 'result', 'error_max_budget_usd, 3 turns, 0.0500 USD for the session; Too much']],
  ],
  [
    'what is no event',
    ['', 'text', '{', 'null', '[]', '{"type":7}', '{"type":"swarm","event":"stderr","text":"secret"}'],
    [],
  ],
])('%s', (_, lines, expected) => {
  expect(told(...lines)).toEqual(expected);
});

test('of a very long log the begin and the end are told, and how much is not', () => {
  const tools = Array.from({ length: 1_000 }, (_, index) => [uses(`Tool${index}`), answered(index % 60)]).flat();
  const happenings = told(started(0), ...tools, ended(59));
  expect(happenings).toHaveLength(301);
  expect(happenings.slice(99, 102)).toEqual([
    [98 % 60, 'tool', 'Tool98'],
    [98 % 60, '…', '702 more are in the log'],
    [801 % 60, 'tool', 'Tool801'],
  ]);
  expect(happenings.at(-1)).toEqual([59, 'run ended', 'ok']);
});

test('texts and names are cut', () => {
  const long = 'x'.repeat(10_000);
  const lengths = readAgentLog([uses(long), ended(1, 'crashed', long), finished({ result: long })]).map(
    ({ detail }) => detail?.length,
  );
  expect(Math.max(...lengths.map(Number))).toBeLessThan(400);
});
