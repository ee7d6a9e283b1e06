import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Classified, classifyRun, type RunFacts } from '../../../orchestrator/runner/classify.ts';
import { createStreamReader } from '../../../orchestrator/runner/stream.ts';

const NOW_MS = Date.parse('2026-11-23T09:00:00Z');
const LIMIT_ENDS_MS = Date.parse('2026-11-23T16:30:00Z');
const DAY_MS = 86_400_000;
const VERSIONS = ['2.1.197', '2.1.330'] as const;

function classify(stdout: string, facts: Partial<RunFacts> & { readonly stderr?: string } = {}): Classified {
  const reader = createStreamReader({});
  reader.push(Buffer.from(stdout));
  reader.addPlainText(facts.stderr ?? '');
  reader.end();
  return classifyRun({
    seen: reader.seen(),
    exit: { code: 0, signal: null },
    firedTimer: undefined,
    stopReason: undefined,
    isSchemaAsked: false,
    nowMs: NOW_MS,
    ...facts,
  });
}

/** What the real command line said, answered by the imitation of the model's API. */
function recorded(version: string, name: string): string {
  return readFileSync(new URL(`recorded/${version}/${name}.jsonl`, import.meta.url), 'utf8');
}

describe.each(VERSIONS)('recorded of %s', (version) => {
  test.each<[name: string, exitCode: number, outcome: string, error: RegExp | undefined, rest?: object]>([
    ['done', 0, 'ok', undefined],
    ['tool-denied', 0, 'needs-attention', /refused the use of Write.*do by hand/],
    ['limit-not-reached', 0, 'ok', undefined],
    ['too-many-requests', 1, 'rate-limited', /429/],
    ['session-limit', 1, 'rate-limited', /hit your .* limit/, { resetsAtMs: LIMIT_ENDS_MS }],
    ['limit-far-off', 1, 'rate-limited', /hit your .* limit/, { resetsAtMs: LIMIT_ENDS_MS + 2 * DAY_MS }],
    // Some versions end this way with exit code 0.
    ['session-limit', 0, 'rate-limited', /hit your .* limit/, { resetsAtMs: LIMIT_ENDS_MS }],
    ['overloaded', 1, 'overloaded', /529/],
    ['server-error', 1, 'overloaded', /500/],
    ['unreachable', 1, 'overloaded', /connect/i],
    ['bad-key', 1, 'auth', /Log in: .*ANTHROPIC_API_KEY/],
    ['forbidden', 1, 'auth', /Log in: /],
    ['not-logged-in', 1, 'auth', /Not logged in.* Log in: /],
    ['no-credit', 1, 'auth', /Credit balance is too low\. The account that pays has no credit: buy some/],
    ['prompt-too-long', 1, 'bad-request', /too long.* Correct the task/],
    ['bad-request', 1, 'bad-request', /something odd\. Correct the task/],
    ['unknown-model', 1, 'bad-request', /nothing-there.* Correct the task/],
    ['turns-used-up', 1, 'max-turns', /turns \(1\)\. Make the task smaller/],
    ['budget-used-up', 1, 'budget', /budget \(\$0\.01\)\. Retry it with a larger --budget-usd/],
    ['unknown-session', 1, 'bad-request', /begins anew/, { isUnknownSession: true }],
    ['prose-for-schema', 0, 'ok', undefined],
    ['schema-answered', 0, 'ok', undefined],
  ])('%s with exit code %i is %s', (name, code, outcome, error, rest = {}) => {
    const { error: found, ...classified } = classify(recorded(version, name), { exit: { code, signal: null } });
    expect(classified).toEqual({ outcome, ...rest });
    if (error) expect(found).toMatch(error);
    else expect(found).toBeUndefined();
  });

  test('prose is not enough where the form of a schema was asked for', () => {
    const asked = { isSchemaAsked: true };
    expect(classify(recorded(version, 'prose-for-schema'), asked).outcome).toBe('needs-attention');
    expect(classify(recorded(version, 'schema-answered'), asked).outcome).toBe('ok');
  });

  test('a result that came stands, whatever was done to the process afterwards', () => {
    const done = recorded(version, 'done');
    const exit = { code: null, signal: 'SIGKILL' };
    expect(classify(done, { exit, firedTimer: 'exit' }).outcome).toBe('ok');
    expect(classify(done, { exit, firedTimer: 'wall' }).outcome).toBe('ok');
    expect(classify(done, { exit, stopReason: 'cancel' }).outcome).toBe('ok');
    expect(classify(done, { exit, stopReason: 'shutdown' })).toEqual({ outcome: 'ok' });
    expect(classify(recorded(version, 'tool-denied'), { exit, firedTimer: 'exit' }).outcome).toBe('needs-attention');
    expect(classify(recorded(version, 'budget-used-up'), { exit, firedTimer: 'exit' }).outcome).toBe('budget');
  });

  test('a result is not believed if the process then ended badly by itself', () => {
    const { outcome, error } = classify(recorded(version, 'done'), { exit: { code: 3, signal: null } });
    expect(outcome).toBe('crashed');
    expect(error).toMatch(/exit code 3 after its result/);
  });
});

const INIT = '{"type":"system","subtype":"init","session_id":"s"}\n';

test.each<[what: string, stderr: string, outcome: string, error: RegExp, rest?: object]>([
  [
    'an unknown agent',
    "--agent 'x' not found. Available agents: claude",
    'bad-request',
    /Available agents: claude\. Correct/,
  ],
  ['skipped permissions as root', '--dangerously-skip-permissions cannot be used with root', 'bad-request', /root/],
  ['an unknown option', "error: unknown option '--nonsense'", 'bad-request', /--nonsense/],
  ['a session in use', 'Error: Session ID 1 is already in use.', 'bad-request', /already in use/],
  [
    'a session that is not there',
    'No conversation found with session ID: 9',
    'bad-request',
    /anew/,
    { isUnknownSession: true },
  ],
])('%s, told in plain text alone, is a bad request', (_, stderr, outcome, error, rest = {}) => {
  const { error: found, ...classified } = classify('', { stderr, exit: { code: 1, signal: null } });
  expect(classified).toEqual({ outcome, ...rest });
  expect(found).toMatch(error);
});

test.each<[what: string, stdout: string, facts: Partial<RunFacts>, expected: Partial<Classified>]>([
  ['no process in time', INIT, { firedTimer: 'start' }, { outcome: 'stuck' }],
  ['silence', INIT, { firedTimer: 'idle' }, { outcome: 'stuck' }],
  ['too long a run', INIT, { firedTimer: 'wall' }, { outcome: 'timeout' }],
  ['a cancelled run', INIT, { stopReason: 'cancel' }, { outcome: 'cancelled' }],
  ['a run cancelled before it began', '', { stopReason: 'cancel', exit: undefined }, { outcome: 'cancelled' }],
  ['a shutdown', INIT, { stopReason: 'shutdown' }, { outcome: 'crashed', isInterrupted: true }],
  ['a shutdown in a hurry', INIT, { stopReason: 'shutdown-now' }, { outcome: 'crashed', isInterrupted: true }],
  ['an exit without a result', INIT, {}, { outcome: 'crashed', error: 'It ended with exit code 0 without a result.' }],
  [
    'a killed process',
    INIT,
    { exit: { code: null, signal: 'SIGKILL' } },
    { outcome: 'crashed', error: 'It was ended by SIGKILL without a result.' },
  ],
  ['a stack trace after it began', `${INIT}boom\n`, { exit: { code: 1, signal: null } }, { outcome: 'crashed' }],
  ['a program that is not there', '', { startError: startError('ENOENT') }, { outcome: 'bad-request' }],
  ['arguments that are too long', '', { startError: startError('E2BIG') }, { outcome: 'bad-request' }],
  ['a machine without memory', '', { startError: startError('ENOMEM') }, { outcome: 'crashed' }],
  ['a machine without process numbers', '', { startError: startError('EAGAIN') }, { outcome: 'crashed' }],
])('%s', (_, stdout, facts, expected) => {
  expect(classify(stdout, facts)).toMatchObject(expected);
});

function startError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`spawn claude ${code}`), { code });
}

function result(fields: object): string {
  return `${JSON.stringify({ type: 'result', subtype: 'success', is_error: true, ...fields })}\n`;
}

test.each<[fields: object, outcome: string]>([
  [{ api_error_status: 408 }, 'overloaded'],
  [{ api_error_status: 502 }, 'overloaded'],
  [{ api_error_status: 529 }, 'overloaded'],
  [{ api_error_status: 402 }, 'auth'],
  [{ api_error_status: 400, result: 'Credit balance is too low' }, 'auth'],
  [{ api_error_status: 429, result: 'timed out' }, 'rate-limited'],
  [{ api_error_status: 401, result: 'overloaded' }, 'auth'],
  [{ result: 'Invalid API key · Please run /login' }, 'auth'],
  [{ result: "You've hit your weekly limit · resets 8:30am (America/Los_Angeles)" }, 'rate-limited'],
  [{ result: 'API Error: Connection error.' }, 'overloaded'],
  [{ result: 'Prompt is too long' }, 'bad-request'],
  [{ result: 'the moon is full' }, 'crashed'],
  [{ subtype: 'error_during_execution', errors: ['TypeError: x'] }, 'crashed'],
  [{ subtype: 'error_max_structured_output_retries' }, 'needs-attention'],
  [{ subtype: 'success', is_error: false, api_error_status: 500 }, 'overloaded'],
  [{ subtype: undefined, is_error: undefined }, 'crashed'],
])('an error that says %j is %s', (fields, outcome) => {
  expect(classify(INIT + result(fields), { exit: { code: 1, signal: null } }).outcome).toBe(outcome);
});

test('a warning that the limit is near is no error, and tells no time', () => {
  const warning = { status: 'allowed_warning', resetsAt: LIMIT_ENDS_MS / 1_000 };
  const event = `${JSON.stringify({ type: 'rate_limit_event', rate_limit_info: warning })}\n`;
  expect(classify(INIT + event + result({ is_error: false }))).toEqual({ outcome: 'ok' });
  const refused = classify(INIT + event + result({ api_error_status: 429, result: 'no' }));
  expect(refused).toEqual({ outcome: 'rate-limited', error: 'no.' });
});

test('without an event the text tells when the limit ends', () => {
  const text = "You've hit your session limit · resets 8:30am (America/Los_Angeles)";
  expect(classify(INIT + result({ api_error_status: 429, result: text })).resetsAtMs).toBe(LIMIT_ENDS_MS);
});

test.each([0, 1, NOW_MS / 1_000 - 60, NOW_MS / 1_000 + 30 * 86_400, 1e300, '2026'])(
  'a limit said to end at %s is one whose end is not known',
  (resetsAt) => {
    const event = `${JSON.stringify({ type: 'rate_limit_event', rate_limit_info: { status: 'rejected', resetsAt } })}\n`;
    expect(classify(INIT + event + result({ api_error_status: 429, result: 'no' }))).not.toHaveProperty('resetsAtMs');
  },
);

test('whatever was said becomes one line of 500 characters at most', () => {
  const text = `first\nsecond\u0007\u001b[31m ${'x'.repeat(100_000)}`;
  for (const { error } of [
    classify(INIT + result({ result: text }), { exit: { code: 1, signal: null } }),
    classify('', { stderr: text, exit: { code: 1, signal: null } }),
    classify(INIT, { stderr: text, exit: { code: 9, signal: null } }),
    classify(
      INIT +
        result({
          is_error: false,
          permission_denials: Array.from({ length: 99 }, (_, index) => ({ tool_name: `${index}${text}` })),
        }),
    ),
  ]) {
    expect(error).toMatch(/first second/);
    expect(error).not.toMatch(/\p{Cc}/u);
    expect(error!.length).toBeLessThanOrEqual(500);
  }
});

test('a remedy is not lost behind a long text', () => {
  const long = classify(INIT + result({ api_error_status: 401, result: 'x'.repeat(10_000) }));
  expect(long.error).toMatch(/… Log in: .* retry the task\.$/);
});
