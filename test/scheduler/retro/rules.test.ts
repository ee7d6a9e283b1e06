import { describe, expect, test } from 'vitest';
import type { RetroFigures } from '../../../scheduler/retro/figures.ts';
import { AVOID, advise, CHANGE, REPEAT } from '../../../scheduler/retro/rules.ts';
import { agentValue, kpiValues, retroValue, spenderValue, spendingValue } from '../../support/retro-values.ts';

const HOUR = 3_600;
const errorsOf = (count: number, countBefore = 0): RetroFigures['errors'] => ({
  count,
  countBefore,
  kindCount: 1,
  repeatedKindCount: 1,
  kinds: [{ example: 'boom', count, countBefore, agents: ['a'], isNew: false }],
});
const LESSON = { problem: 'p', solution: 's', severity: undefined };
const lessonsOf = (applied: number, never: number): NonNullable<RetroFigures['lessons']> => ({
  total: 9,
  written: { count: 0, some: [] },
  applied: { count: 1, some: [{ ...LESSON, timesApplied: applied }] },
  activeCount: 9,
  neverApplied: { count: never, some: [] },
});
const many = { success: 15, failed: 5, unknown: 0 };
const workOf = (extra: Partial<RetroFigures['work']>): RetroFigures['work'] => ({ ...retroValue().work, ...extra });
const failing = { success: 6, failed: 4, unknown: 0 };

/** What makes a rule speak, and what just does not. */
type Case = readonly [kind: string, speaks: Partial<RetroFigures>, isSilent: Partial<RetroFigures>];

const cases: readonly Case[] = [
  ['best-agent', { agents: [agentValue('a', { success: 5 })] }, { agents: [agentValue('a', { success: 4 })] }],
  [
    'success-rose',
    { kpis: kpiValues({ success_ratio: [0.96, 0.9] }), outcomesBefore: many },
    { kpis: kpiValues({ success_ratio: [0.96, 0.9] }), outcomesBefore: { success: 9, failed: 0, unknown: 90 } },
  ],
  [
    'success-fell',
    { kpis: kpiValues({ success_ratio: [0.85, 0.9] }), outcomesBefore: many },
    { kpis: kpiValues({ success_ratio: [0.86, 0.9] }), outcomesBefore: many },
  ],
  [
    'cost-fell',
    { spending: spendingValue({ usd: 7 }), spendingBefore: spendingValue({ usd: 10 }) },
    { spending: spendingValue({ usd: 9 }), spendingBefore: spendingValue({ usd: 10 }) },
  ],
  [
    'worked-alone',
    { kpis: kpiValues({ autonomous_tasks_week: [10], hours_saved_week: [5] }) },
    { kpis: kpiValues({ autonomous_tasks_week: [9], hours_saved_week: [5] }) },
  ],
  ['lesson-works', { lessons: lessonsOf(2, 0) }, { lessons: lessonsOf(1, 0) }],
  ['same-error', { errors: errorsOf(2, 1) }, { errors: errorsOf(1) }],
  [
    'paid-twice',
    { spending: spendingValue({ wastedUsd: { failed: 0, retried: 1 } }) },
    { spending: spendingValue({ wastedUsd: { failed: 0, retried: 0.9 } }) },
  ],
  [
    'failed-dearly',
    { spending: spendingValue({ usd: 1, wastedUsd: { failed: 0.1, retried: 0 } }) },
    { spending: spendingValue({ usd: 0.5, wastedUsd: { failed: 0.09, retried: 0 } }) },
  ],
  ['without-review', { agents: [agentValue('a', { fixed: 3 })] }, { agents: [agentValue('a', { fixed: 2 })] }],
  ['review-agent', { agents: [agentValue('a', { fixed: 3 })] }, { agents: [agentValue('a', { tasks: 4, fixed: 3 })] }],
  [
    'look-at-hooks',
    { outcomes: { success: 0, failed: 0, unknown: 0 } },
    { outcomes: { success: 0, failed: 0, unknown: 1 } },
  ],
  ['write-lesson', { errors: errorsOf(3) }, { errors: errorsOf(2) }],
  [
    'help-agent',
    { agents: [agentValue('a', { success: 8, failed: 2 })] },
    { agents: [agentValue('a', { success: 2, failed: 2 })] },
  ],
  [
    'smaller-budget',
    {
      spending: spendingValue({
        wastedUsd: { failed: 0.1, retried: 0.1 },
        byAgent: [spenderValue('a', 5, 0.1), spenderValue('b', 5)],
      }),
    },
    { spending: spendingValue({ wastedUsd: { failed: 0.2, retried: 0 }, byAgent: [spenderValue('a', 5, 0.2)] }) },
  ],
  [
    'one-more-worker',
    { work: workOf({ busySeconds: [10 * HOUR, HOUR] }) },
    { work: workOf({ busySeconds: [11 * HOUR, HOUR] }) },
  ],
  [
    'cheaper-model',
    { spending: spendingValue({ byModel: [spenderValue('large', 8), spenderValue('small', 4)] }) },
    { spending: spendingValue({ byModel: [spenderValue('large', 8), spenderValue('small', 4, 0, failing)] }) },
  ],
  ['smaller-tasks', { work: workOf({ withDuration: 20, slow: 3 }) }, { work: workOf({ withDuration: 30, slow: 3 }) }],
  ['fewer-retries', { kpis: kpiValues({ retry_ratio: [0.11] }) }, { kpis: kpiValues({ retry_ratio: [0.1] }) }],
  ['use-lessons', { lessons: lessonsOf(0, 3) }, { lessons: lessonsOf(0, 2) }],
  [
    'use-queue',
    { outcomes: { success: 2, failed: 0, unknown: 3 } },
    { outcomes: { success: 2, failed: 0, unknown: 2 } },
  ],
  [
    'more-alone',
    { kpis: kpiValues({ autonomous_tasks_week: [9] }) },
    { kpis: kpiValues({ autonomous_tasks_week: [10] }) },
  ],
];

const kindsOf = (extra: Partial<RetroFigures>): readonly string[] =>
  [...advise([...REPEAT, ...AVOID], retroValue(extra)), ...advise(CHANGE, retroValue(extra))].map(({ kind }) => kind);

test.each(cases)('%s', (kind, speaks, isSilent) => {
  expect(kindsOf(speaks)).toContain(kind);
  expect(kindsOf(isSilent)).not.toContain(kind);
});

test('every rule is tried', () => {
  expect(cases).toHaveLength(REPEAT.length + AVOID.length + CHANGE.length);
});

test('nothing is advised where nothing is known', () => {
  expect(kindsOf({})).toEqual([]);
});

describe('what a rule says', () => {
  test('of the work done alone in 14 days is about those days, not about a week', () => {
    const kpis = kpiValues({ autonomous_tasks_week: [20], hours_saved_week: [8] });
    const [remark] = advise(REPEAT, retroValue({ days: 14, kpis }));
    expect(remark).toEqual({ kind: 'worked-alone', facts: { tasks: 40, hours: 16 } });
  });

  test('of waste names who wasted most of it', () => {
    const byAgent = [spenderValue('dear', 9, 0.1), spenderValue('wasteful', 1, 0.4)];
    const spending = spendingValue({ wastedUsd: { failed: 0.3, retried: 0.2 }, byAgent });
    const [change] = advise(CHANGE, retroValue({ spending }));
    expect(change).toEqual({
      kind: 'smaller-budget',
      facts: { agent: 'wasteful', wastedUsd: 0.4, allWastedUsd: 0.5 },
    });
  });
});
