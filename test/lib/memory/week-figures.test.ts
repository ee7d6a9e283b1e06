import { describe, expect, test } from 'vitest';
import { mergePair, type Task } from '../../../lib/memory/task.ts';
import {
  advanceWeekFigures,
  countFix,
  countRetry,
  countWeekTask,
  createWeekFigures,
  type WeekFigures,
  weekTasks,
} from '../../../lib/memory/week-figures.ts';
import { MANUAL_MINUTES, NOW, taskValue } from '../../support/memory-values.ts';

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * 86_400_000;
const count = (week: WeekFigures, task: Task): void => countWeekTask(week, task, MANUAL_MINUTES);
const takeBack = (week: WeekFigures, task: Task): void => countWeekTask(week, task, MANUAL_MINUTES, -1);
const figures = ({ retried, fixed, autonomous, minutesSaved }: WeekFigures) => ({
  retried,
  fixed,
  autonomous,
  minutesSaved,
});
/** A week in which things happened one after the other. */
function weekOf(...steps: ((week: WeekFigures) => void)[]): WeekFigures {
  const week = createWeekFigures(NOW);
  for (const step of steps) step(week);
  return week;
}
const ended =
  (rowid: number, extra: Parameters<typeof taskValue>[1] = {}) =>
  (week: WeekFigures): void =>
    count(week, taskValue(rowid, extra));
const retry = (id: string) => (week: WeekFigures) => countRetry(week, id);
const fix = (id: string) => (week: WeekFigures) => countFix(week, id);
const later = (ms: number) => (week: WeekFigures) => advanceWeekFigures(week, NOW + ms);

describe('a task was retried', () => {
  test.each([
    ['when a retry row of its id came before it', 1, [retry('T'), ended(1, { taskId: 'T' })]],
    ['when a retry row of its id came after it', 1, [ended(1, { taskId: 'T' }), retry('T')]],
    ['once, however often it was tried', 1, [retry('T'), retry('T'), ended(1, { taskId: 'T' }), retry('T')]],
    ['not when the retry row is of another id', 0, [retry('U'), ended(1, { taskId: 'T' })]],
    ['not when it has no id', 0, [retry('T'), ended(1)]],
    ['twice when its agent id ended twice', 2, [ended(1, { agentRunId: 'a' }), ended(2, { agentRunId: 'a' })]],
    ['not when its agent id ended once', 0, [ended(1, { agentRunId: 'a' }), ended(2, { agentRunId: 'b' })]],
    ['not when its task id ended twice without a retry row', 0, [ended(1, { taskId: 'T' }), ended(2, { taskId: 'T' })]],
    [
      'not when an agent id and a task id happen to be the same text',
      0,
      [ended(1, { taskId: 'T' }), ended(2, { agentRunId: 'T' })],
    ],
    ['by its task id even if it has an agent id as well', 1, [ended(1, { taskId: 'T', agentRunId: 'a' }), retry('T')]],
    [
      'when its agent id ended 20 days before',
      1,
      [ended(1, { agentRunId: 'a', timeMs: NOW - 20 * DAY_MS }), ended(2, { agentRunId: 'a' }), ended(3)],
    ],
    [
      'when the row of its earlier end was written later',
      1,
      [ended(2, { agentRunId: 'a' }), ended(3, { agentRunId: 'a', timeMs: NOW - 20 * DAY_MS })],
    ],
    [
      'when its agent id has another end that nobody knows the time of',
      1,
      [ended(1, { agentRunId: 'a', timeMs: undefined }), ended(2, { agentRunId: 'a' })],
    ],
    [
      'not when its agent id ended 36 days before',
      0,
      [ended(1, { agentRunId: 'a', timeMs: NOW - 36 * DAY_MS }), ended(2, { agentRunId: 'a' })],
    ],
    [
      'still when its first end has left the week',
      1,
      [ended(1, { agentRunId: 'a', timeMs: NOW - WEEK_MS + 1 }), ended(2, { agentRunId: 'a' }), later(1)],
    ],
  ])('%s', (_, expected, steps) => {
    expect(weekOf(...steps).retried).toBe(expected);
  });
});

describe('a task needed a fix', () => {
  const stop = taskValue(1, { eventType: 'subagent_stop' });
  const pair = mergePair(stop, taskValue(2));
  test.each([
    ['when the fix row names its task id', 1, [ended(1, { taskId: 'T' }), fix('T')]],
    ['when the fix row names its row', 1, [ended(1), fix('row-1')]],
    ['when the fix row names the stop row of a pair', 1, [(week: WeekFigures) => count(week, pair), fix('row-1')]],
    ['when the fix row names the task row of a pair', 1, [(week: WeekFigures) => count(week, pair), fix('row-2')]],
    ['when the fix row came first', 1, [fix('T'), fix('row-2'), ended(1, { taskId: 'T' }), ended(3)]],
    ['once, however many fix rows there are', 1, [ended(1, { taskId: 'T' }), fix('T'), fix('T'), fix('row-1')]],
    ['not when the fix row names something else', 0, [ended(1, { taskId: 'T' }), fix('U')]],
    ['not any more when it left the week', 0, [ended(1, { timeMs: NOW - WEEK_MS + 1 }), fix('row-1'), later(1)]],
    ['not when it left the week before', 0, [ended(1, { timeMs: NOW - WEEK_MS + 1 }), later(1), fix('row-1')]],
  ])('%s', (_, expected, steps) => {
    expect(weekOf(...steps).fixed).toBe(expected);
  });

  test('still when its row found its pair after the fix', () => {
    const week = weekOf(
      (each) => count(each, stop),
      fix('row-1'),
      (each) => takeBack(each, stop),
      (each) => count(each, pair),
    );
    expect([week.fixed, weekTasks(week)]).toEqual([1, 1]);
  });
});

describe('work done without a person', () => {
  const done = { tags: 'autonomous', success: 1, taskId: 'T' };
  test.each([
    ['counts with the default minutes', { autonomous: 1, minutesSaved: 30 }, [ended(1, done)]],
    [
      'counts with the minutes of its agent',
      { autonomous: 1, minutesSaved: 45 },
      [ended(1, { ...done, agentName: 'cervella-docs' })],
    ],
    [
      'costs ten minutes and does not count if it was fixed later',
      { autonomous: 0, minutesSaved: 20 },
      [ended(1, done), fix('T')],
    ],
    [
      'costs ten minutes and does not count if the fix was read first',
      { autonomous: 0, minutesSaved: 20 },
      [fix('T'), ended(1, done)],
    ],
    ['does not count if it failed', { autonomous: 0, minutesSaved: 0 }, [ended(1, { ...done, success: 0 })]],
    [
      'does not count if its outcome is unknown',
      { autonomous: 0, minutesSaved: 0 },
      [ended(1, { ...done, success: null })],
    ],
    [
      'does not count without the tag',
      { autonomous: 0, minutesSaved: 0 },
      [ended(1, { ...done, tags: 'orchestrated' })],
    ],
    [
      'leaves with the week',
      { autonomous: 0, minutesSaved: 0 },
      [ended(1, { ...done, timeMs: NOW - WEEK_MS + 1 }), later(1)],
    ],
  ])('%s', (_, expected, steps) => {
    expect(figures(weekOf(...steps))).toMatchObject(expected);
  });

  test('may be worth less than it cost to fix', () => {
    const manualMinutes = { default: 4, byAgent: new Map<string, number>() };
    const week = createWeekFigures(NOW);
    countWeekTask(week, taskValue(1, done), manualMinutes);
    countFix(week, 'T');
    expect(week.minutesSaved).toBe(-6);
  });
});

test('taking back every task leaves nothing behind', () => {
  const tasks = [
    taskValue(1, { agentRunId: 'a' }),
    taskValue(2, { agentRunId: 'a' }),
    taskValue(3, { taskId: 'T', tags: 'autonomous', success: 1 }),
  ];
  const week = weekOf(retry('T'), ...tasks.map((task) => (each: WeekFigures) => count(each, task)), fix('T'));
  expect(figures(week)).toEqual({ retried: 3, fixed: 1, autonomous: 0, minutesSaved: 20 });
  for (const task of tasks) takeBack(week, task);
  expect([figures(week), weekTasks(week), week.byAgentRun.size + week.byTaskId.size]).toEqual([
    { retried: 0, fixed: 0, autonomous: 0, minutesSaved: 0 },
    0,
    0,
  ]);
});

test('a task without a time, or older than a week, is not of the week', () => {
  expect(weekTasks(weekOf(ended(1, { timeMs: undefined }), ended(2, { timeMs: NOW - WEEK_MS }), ended(3)))).toBe(1);
});
