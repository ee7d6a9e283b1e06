import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runSteps } from '../../lib/queue/script.ts';
import type { TaskClaim } from '../../lib/queue/task-state.ts';
import { createBudget, type PerPeriod } from '../../orchestrator/budget.ts';
import { tempDir } from '../support/memory-builder.ts';
import { type RunningRedis, startRedis } from '../support/running-redis.ts';

const MONDAY_NOON_MS = Date.parse('2026-11-23T12:00:00+01:00');
const HOUR_MS = 3_600_000;
const claim = (id: string, generation = 1): TaskClaim => ({ id, generation });
const NOTHING: PerPeriod = { day: 0, week: 0, month: 0 };

/** A budget on a Redis of its own that knows what was spent: nothing. */
async function makeBudget(limit: Partial<PerPeriod> = {}) {
  const redis = await startRedis(join(tempDir(), 'redis'));
  const clock = { nowMs: MONDAY_NOON_MS };
  const budget = budgetOn(redis, limit, clock);
  await budget.rebuild(NOTHING);
  return { redis, clock, budget };
}

function budgetOn(redis: RunningRedis, limit: Partial<PerPeriod>, clock: { nowMs: number }) {
  const budget = createBudget({
    redis: redis.client,
    limit: { day: 5, week: 20, month: 60, ...limit },
    timezone: 'Europe/Rome',
    nowMs: () => clock.nowMs,
  });
  return {
    ...budget,
    reserve: async (of: TaskClaim, usd: number) => (await runSteps(redis.client, budget.reserving(of, usd)))[0],
    settle: async (of: TaskClaim, usd: number) => (await runSteps(redis.client, budget.settling(of, usd)))[0],
  };
}

test('money is reserved with a tenth more, and what was spent takes its place', async () => {
  const { budget } = await makeBudget();
  expect(await budget.reserve(claim('a'), 1)).toEqual({ kind: 'reserved' });
  expect(await budget.figures()).toMatchObject({ reservedUsd: 1.1, spent: NOTHING });
  await budget.settle(claim('a'), 0.7);
  expect(await budget.figures()).toMatchObject({ reservedUsd: 0, spent: { day: 0.7, week: 0.7, month: 0.7 } });
});

test('what a task has cost is counted once, however often it is told, and what comes late does not count less', async () => {
  const { budget } = await makeBudget();
  for (const totalUsd of [0.5, 0.5, 0.8, 0.5, 0.8]) await budget.settle(claim('a'), totalUsd);
  await budget.settle(claim('b'), 0.2);
  expect((await budget.figures()).spent.day).toBe(1);
});

test('whoever has lost a task can no longer give up its reservation', async () => {
  const { budget } = await makeBudget();
  await budget.reserve(claim('a', 2), 1);
  await budget.release(claim('a', 1));
  await budget.settle(claim('a', 1), 0.1);
  expect(await budget.holders()).toEqual([claim('a', 2)]);
  await budget.release(claim('a', 2));
  expect(await budget.holders()).toEqual([]);
});

test('what others hold may come back: then it is a matter of waiting', async () => {
  const { budget } = await makeBudget({ day: 2 });
  await budget.reserve(claim('a'), 1);
  expect(await budget.reserve(claim('b'), 1)).toEqual({ kind: 'wait' });
  expect(await budget.reserve(claim('a'), 1)).toEqual({ kind: 'reserved' });
  await budget.release(claim('a'));
  expect(await budget.reserve(claim('b'), 1)).toEqual({ kind: 'reserved' });
  expect(await budget.holders()).toEqual([claim('b')]);
});

test('of a hundred that reserve at once only as many get money as there is money for', async () => {
  const { budget } = await makeBudget({ day: 5 });
  const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => budget.reserve(claim(`t${index}`), 0.5)));
  expect(answers.filter((answer) => answer?.kind === 'reserved')).toHaveLength(9);
  expect((await budget.figures()).reservedUsd).toBeCloseTo(4.95);
});

test.each([
  ['day', { day: 5 }, '2026-11-24T00:00:00+01:00'],
  ['week', { week: 5 }, '2026-11-30T00:00:00+01:00'],
  ['month', { month: 5 }, '2026-12-01T00:00:00+01:00'],
] as const)('a %s that has not enough left is full until it is over', async (period, limit, end) => {
  const { budget, clock } = await makeBudget({ day: 50, week: 50, month: 60, ...limit });
  await budget.settle(claim('a'), 4.8);
  const untilMs = Date.parse(end);
  expect(await budget.reserve(claim('b'), 0.5)).toEqual({ kind: 'full', period, spentUsd: 4.8, untilMs });
  clock.nowMs = untilMs;
  expect(await budget.reserve(claim('b'), 0.5)).toEqual({ kind: 'reserved' });
});

test('a task that may cost as much as a whole day still has its day, and one that may cost more never has', async () => {
  const { budget } = await makeBudget({ day: 1 });
  expect(budget.neverEnough(1.01)).toBe('day');
  expect(budget.neverEnough(1)).toBeUndefined();
  expect(await budget.reserve(claim('all'), 1)).toEqual({ kind: 'reserved' });
});

test('at 80 % of a period there is one notice, and another only when the next period is there', async () => {
  const { budget, clock } = await makeBudget({ day: 1 });
  const settle = (taskId: string, costUsd: number) => budget.settle(claim(taskId), costUsd);
  expect(await settle('1', 0.79)).toEqual([]);
  expect(await settle('2', 0.01)).toEqual([{ period: 'day', spentUsd: 0.8, limitUsd: 1 }]);
  expect(await settle('3', 0.1)).toEqual([]);
  clock.nowMs += 24 * HOUR_MS;
  expect(await settle('4', 0.9)).toEqual([{ period: 'day', spentUsd: 0.9, limitUsd: 1 }]);
});

test('a Redis that has lost its data reserves nothing until it was told what was spent', async () => {
  const { budget, redis } = await makeBudget({ day: 1 });
  await budget.settle(claim('a'), 0.9);
  await redis.client.flushall();
  expect(await budget.isKnown()).toBe(false);
  expect(await budget.reserve(claim('b'), 0.5)).toEqual({ kind: 'unknown' });
  await budget.rebuild({ day: 0.9, week: 0.9, month: 0.9 });
  expect(await budget.reserve(claim('b'), 0.5)).toMatchObject({ kind: 'full', spentUsd: 0.9 });
});

test('what was settled while Redis did not know is not lost, and who knows is not told again', async () => {
  const { budget, redis } = await makeBudget();
  await redis.client.flushall();
  await budget.settle(claim('a'), 2);
  await budget.rebuild({ day: 1, week: 3, month: 3 });
  expect((await budget.figures()).spent).toEqual({ day: 2, week: 3, month: 3 });
  await budget.rebuild({ day: 4, week: 4, month: 4 });
  expect((await budget.figures()).spent).toEqual({ day: 2, week: 3, month: 3 });
});

test('budgets survive a Redis that was killed', async () => {
  const { budget, redis } = await makeBudget();
  await budget.settle(claim('a'), 2);
  await budget.reserve(claim('b'), 1);
  // The append-only file is written to disk every second.
  await new Promise((passed) => setTimeout(passed, 1_500));
  await redis.kill();
  await redis.start();
  expect(await budget.figures()).toMatchObject({ spent: { day: 2 }, reservedUsd: 1.1 });
});
