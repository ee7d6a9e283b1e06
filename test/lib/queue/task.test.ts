import { expect, test } from 'vitest';
import { UsageError } from '../../../lib/errors.ts';
import { parseTask } from '../../../lib/queue/task.ts';
import { taskValue } from './task-value.ts';

const NAME = 'expected a name of letters, digits and';
const BUDGET = 'expected 0.001 to 1,000 US dollars';
const TIMEOUT = 'expected 1 s to 24 h';

test.each([
  ['prompt', '', 'expected some text'],
  ['prompt', ' \n\t', 'expected some text'],
  ['prompt', 'x'.repeat(100_001), 'expected 100,000 characters at most'],
  ['prompt', 7, 'expected string'],
  ['agent', '', NAME],
  ['agent', '-x', NAME],
  ['agent', '--dangerously-skip-permissions', NAME],
  ['agent', 'two words', NAME],
  ['agent', 'line\nbreak', NAME],
  ['agent', 'bell\u0007', NAME],
  ['agent', 'a'.repeat(101), NAME],
  ['project', '../etc', NAME],
  ['model', '-p', 'expected the name of a model'],
  ['model', 'a;b', 'expected the name of a model'],
  ['priority', 'urgent', 'expected one of "high"|"normal"|"low"'],
  ['budgetUsd', 0, BUDGET],
  ['budgetUsd', -1, BUDGET],
  ['budgetUsd', Number.NaN, BUDGET],
  ['budgetUsd', Number.POSITIVE_INFINITY, BUDGET],
  ['budgetUsd', 1_000.01, BUDGET],
  ['budgetUsd', '0.5', BUDGET],
  ['timeoutMs', 0, TIMEOUT],
  ['timeoutMs', 999, TIMEOUT],
  ['timeoutMs', 25 * 3_600_000, TIMEOUT],
  ['timeoutMs', 1_000.5, TIMEOUT],
  ['timeoutMs', 1e300, TIMEOUT],
  ['id', 'has:colon1', 'expected letters, digits, _ and -'],
  // BullMQ has keys of its own of these names, or refuses them.
  ['id', 'meta', 'expected letters, digits, _ and -'],
  ['id', 'wait', 'expected letters, digits, _ and -'],
  ['id', '12345', 'expected letters, digits, _ and -'],
  ['id', `a1${'x'.repeat(63)}`, 'expected letters, digits, _ and -'],
  ['source', 'Some One', 'expected a short lower-case name'],
  ['approval', 'yes', 'expected one of'],
  ['dedupeKey', '', 'expected some text'],
  ['dedupeKey', 'k'.repeat(201), 'expected 200 characters at most'],
  ['parentTaskId', 'p'.repeat(201), 'expected string to have <=200 characters'],
  ['requestedAt', 'yesterday', 'Invalid ISO datetime'],
  ['grantedTools', ['Bash'], 'expected a rule that covers one call'],
  ['grantedTools', ['Bash(npm:*)'], 'expected a rule that covers one call'],
  ['grantedTools', ['WebSearch,Bash'], 'expected a rule that covers one call'],
  ['grantedTools', Array(21).fill('WebSearch'), 'expected 20 rules at most'],
  ['version', 2, 'expected 1'],
])('the field %s refuses %j and is named', (field, value, expectation) => {
  expect(() => parseTask({ ...taskValue(), [field]: value })).toThrow(
    expect.objectContaining({
      name: 'UsageError',
      message: expect.stringMatching(new RegExp(`^Could not accept the task: ${field}(\\.\\d+)?: `)),
    }),
  );
  expect(() => parseTask({ ...taskValue(), [field]: value })).toThrow(expectation);
});

test.each([
  ['prompt', '- a list\n- of things'],
  ['prompt', 'x'.repeat(100_000)],
  ['prompt', 'Perché no? 日本語 👩‍🚀 \u202e\u0000\u001b[2J'],
  ['agent', 'plugin:réviseur_2'],
  ['project', 'owner/name'],
  ['model', 'sonnet[1m]'],
  ['model', 'openrouter/deepseek-v3.1@eu'],
  ['budgetUsd', 0.001],
  ['budgetUsd', 1_000],
  ['timeoutMs', 1_000],
  ['timeoutMs', 24 * 3_600_000],
  ['id', 'review-2026-11-22T06-00'],
  ['grantedTools', ['Bash(npm ci)', 'WebSearch']],
])('the field %s takes %j as it is', (field, value) => {
  expect(parseTask({ ...taskValue(), [field]: value })).toMatchObject({ [field]: value });
});

test('what reviews what strangers have written is granted nothing', () => {
  const review = { material: 'A diff' };
  expect(() => parseTask({ ...taskValue(), review, grantedTools: ['WebSearch'] })).toThrow(
    'grantedTools: expected none for a review',
  );
});

test.each([[undefined], [null], [[]], ['text'], [42]])('%j is no task', (payload) => {
  expect(() => parseTask(payload)).toThrow(UsageError);
});

test('every wrong field is named at once, and no text of a client is shown', () => {
  const secret = 'sk-ant-not-for-everybody';
  const wrong = { ...taskValue(), agent: `-${secret}`, project: `${secret} !`, source: secret.toUpperCase() };
  const error = catchError(() => parseTask({ ...wrong, prompt: [secret], [secret]: secret }));
  expect(error.message).toMatch(/prompt: .*; agent: .*; project: .*; source: .*; payload: it has a field that is not/);
  expect(error.message).not.toContain(secret);
});

function catchError(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new Error('Nothing was thrown.');
}
