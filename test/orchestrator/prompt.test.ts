import { expect, test } from 'vitest';
import { NO_PROGRESS, type TaskProgress } from '../../lib/queue/progress.ts';
import type { Task } from '../../lib/queue/task.ts';
import { composePrompt } from '../../orchestrator/prompt.ts';

const TASK: Task = {
  version: 1,
  id: 'a-task',
  prompt: 'Mend the roof.',
  agent: 'roofer',
  project: 'house',
  priority: 'normal',
  budgetUsd: 1,
  timeoutMs: 60_000,
  source: 'cli',
  approval: 'not-needed',
  requestedAt: '2026-11-23T12:00:00.000Z',
};
const failed: TaskProgress = { ...NO_PROGRESS, failures: 1, lastOutcome: 'crashed', lastError: 'exit code 3' };

test('the first time an agent is told the task and nothing else', () => {
  expect(composePrompt(TASK, NO_PROGRESS, false)).toBe('Mend the roof.');
});

test('after a failure it is also told what went wrong', () => {
  expect(composePrompt(TASK, failed, false)).toBe(
    [
      'Mend the roof.',
      '',
      '---',
      'An earlier attempt at this task ended as "crashed".',
      'What it reported: exit code 3',
      'Its changes may still be in the working directory: look at them before you begin, and avoid what went wrong.',
    ].join('\n'),
  );
});

test('in a session that goes on it is told to go on, and reminded of the task', () => {
  const prompt = composePrompt(TASK, NO_PROGRESS, true);
  expect(prompt).toContain('because the run was interrupted');
  expect(prompt).toContain('Mend the roof.');
  expect(composePrompt(TASK, { ...failed, lastOutcome: 'overloaded' }, true)).toContain(
    'because the model was overloaded',
  );
});

test('granted a tool, it is told which, to the letter, in its session and in a new one', () => {
  const granted: Task = { ...TASK, grantedTools: ['Bash(npm ci)', 'WebSearch'] };
  const refused: TaskProgress = { ...NO_PROGRESS, round: 1, lastOutcome: 'needs-attention' };
  const prompt = composePrompt(granted, refused, true);
  expect(prompt).toContain('because you were refused a tool');
  for (const each of [prompt, composePrompt(granted, refused, false)]) {
    expect(each).toContain('exactly as it stands here');
    expect(each).toContain('\n- Bash(npm ci)\n- WebSearch');
  }
});

test('an error without end is cut, and so is the reminder', () => {
  const long = 'x'.repeat(50_000);
  expect(composePrompt(TASK, { ...failed, lastError: long }, false).length).toBeLessThan(1_500);
  expect(composePrompt({ ...TASK, prompt: long }, NO_PROGRESS, true).length).toBeLessThan(4_500);
});
