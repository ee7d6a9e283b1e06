import { describe, expect, test } from 'vitest';
import { endingKind, isPair, mergePair, outcomeOf, parseTags } from '../../../lib/memory/task.ts';
import { textHash } from '../../../lib/memory/text-hash.ts';
import { NOW, taskValue } from '../../support/memory-values.ts';

test.each([
  ['task_complete', 'task'],
  ['task_completed', 'task'],
  ['task_success', 'task'],
  ['task_failed', 'task'],
  ['task_fail', 'task'],
  ['task_error', 'task'],
  ['task_timeout', 'task'],
  ['subagent_stop', 'stop'],
  ['task_start', undefined],
  ['task_retry', undefined],
  ['tool_use', undefined],
  ['session_end', undefined],
  ['fix', undefined],
  ['', undefined],
])('a row of type "%s" ends: %s', (eventType, expected) => {
  expect(endingKind(eventType)).toBe(expected);
});

test.each([
  [1, 'task_failed', 'failed', 'success'],
  [0, 'task_success', 'success', 'failed'],
  [null, 'task_complete', 'completed', 'unknown'],
  [null, 'subagent_stop', 'completed', 'unknown'],
  [null, 'subagent_stop', 'success', 'success'],
  [null, 'task_complete', 'Succeeded', 'success'],
  [null, 'task_success', undefined, 'success'],
  [null, 'task_success', 'timeout', 'failed'],
  [null, 'task_failed', 'success', 'failed'],
  [null, 'task_fail', undefined, 'failed'],
  [null, 'task_error', undefined, 'failed'],
  [null, 'task_timeout', undefined, 'failed'],
  [null, 'subagent_stop', 'FAILED', 'failed'],
  [null, 'subagent_stop', 'fail', 'failed'],
  [null, 'subagent_stop', 'error', 'failed'],
  [null, 'subagent_stop', 'cancelled', 'unknown'],
  [null, 'task_complete', undefined, 'unknown'],
  ['yes', 'task_complete', undefined, 'unknown'],
  [2, 'task_complete', undefined, 'unknown'],
])('success %j, type %s and status %j mean %s', (success, eventType, taskStatus, expected) => {
  expect(outcomeOf({ success, eventType, taskStatus })).toBe(expected);
});

test.each([
  [undefined, []],
  ['git, test ,sqlite', ['git', 'test', 'sqlite']],
  ['["orchestrated", " autonomous ", 7]', ['orchestrated', 'autonomous', '7']],
  [' ["a"]', ['a']],
  ['[broken', []],
  ['[]', []],
  ['autonomous', ['autonomous']],
])('tags %j are read as %j', (text, expected) => {
  expect(parseTags(text)).toEqual(expected);
});

test.each([
  ['["orchestrated"]', { mayPair: false, isAutonomous: false }],
  ['autonomous', { mayPair: false, isAutonomous: true }],
  ['autonomous,approval', { mayPair: false, isAutonomous: false }],
  ['source:github', { mayPair: true, isAutonomous: false }],
  ['not-autonomous', { mayPair: true, isAutonomous: false }],
])('a row tagged %s makes a task with %j', (tags, expected) => {
  expect(taskValue(1, { tags })).toMatchObject(expected);
});

test.each([
  ['no name', undefined, 'unknown'],
  ['a name of its own', 'cervella-docs', 'cervella-docs'],
  ['the name subagent', 'subagent', 'subagent'],
])('an agent with %s keeps or gets its name', (_, agentName, expected) => {
  expect(taskValue(1, { agentName }).agent).toBe(expected);
});

describe('two rows', () => {
  const stop = (extra = {}) => taskValue(1, { eventType: 'subagent_stop', ...extra });
  const task = (extra = {}) => taskValue(2, extra);

  test.each([
    ['pair with the same agent', stop(), task(), true],
    ['pair when the stop row says subagent', stop({ agentName: 'subagent' }), task(), true],
    ['pair when the stop row names no agent', stop({ agentName: undefined }), task(), true],
    ['do not pair when only the task row says subagent', stop(), task({ agentName: 'subagent' }), false],
    ['do not pair with different agents', stop({ agentName: 'Explore' }), task(), false],
    ['do not pair across sessions', stop({ sessionId: 's2' }), task(), false],
    ['do not pair when both are stop rows', stop(), stop(), false],
    ['pair 2 s apart', stop(), task({ timeMs: NOW + 2_000 }), true],
    ['pair 2 s apart the other way round', stop({ timeMs: NOW + 2_000 }), task(), true],
    ['do not pair 2.001 s apart', stop(), task({ timeMs: NOW + 2_001 }), false],
    ['do not pair without a time', stop({ timeMs: undefined }), task(), false],
  ])('%s', (_, one, other, expected) => {
    expect([isPair(one, other), isPair(other, one)]).toEqual([expected, expected]);
  });

  test('make one task that knows what either knew, the task row first', () => {
    const first = stop({ timeMs: NOW + 30, success: 0, durationMs: 5, errorMessage: 'x', agentRunId: 'run' });
    const second = task({ project: undefined, taskId: 'T', durationMs: 9 });
    const expected = {
      kind: 'pair',
      rowid: 1,
      timeMs: NOW + 30,
      agent: 'cervella-backend',
      project: 'demo',
      outcome: 'failed',
      durationMs: 9,
      errorMessage: 'x',
      taskId: 'T',
      agentRunHash: textHash('run'),
      mayPair: false,
    };
    expect(mergePair(first, second)).toMatchObject(expected);
    expect(mergePair(second, first)).toMatchObject(expected);
  });

  test('take the outcome of the task row where it has one', () => {
    expect(mergePair(stop({ success: 0 }), task({ success: 1 })).outcome).toBe('success');
  });
});
