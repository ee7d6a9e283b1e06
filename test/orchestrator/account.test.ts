import { expect, test } from 'vitest';
import { NO_PROGRESS, nextRound, spentUsd, type TaskProgress } from '../../lib/queue/progress.ts';
import { accountRun, estimateCostUsd } from '../../orchestrator/account.ts';

const tokens = (input: number, output = 0, cacheRead = 0, cacheCreation = 0) => ({
  input,
  output,
  cacheRead,
  cacheCreation,
});
const BILL = {
  costUsd: 0.3,
  usage: [{ model: 'opus', tokens: tokens(100, 10) }],
  turns: 4,
  durationMs: 1_500,
  endedAtMs: 99,
};

test('the books hold each run, by attempt and model', () => {
  expect(accountRun(NO_PROGRESS, BILL, 'x')).toEqual({
    ...NO_PROGRESS,
    agentMs: 1_500,
    usage: [{ attempt: 1, model: 'opus', tokens: tokens(100, 10), costUsd: 0.3, turns: 4, endedAtMs: 99 }],
  });
});

test('two runs of one attempt are one entry, of the later time', () => {
  const twice = accountRun(accountRun(NO_PROGRESS, BILL, 'x'), { ...BILL, endedAtMs: 200 }, 'x');
  expect(twice.usage).toEqual([
    { attempt: 1, model: 'opus', tokens: tokens(200, 20), costUsd: 0.6, turns: 8, endedAtMs: 200 },
  ]);
  expect(twice.agentMs).toBe(3_000);
});

test('another attempt is another entry', () => {
  const failed: TaskProgress = { ...accountRun(NO_PROGRESS, BILL, 'x'), failures: 1 };
  expect(accountRun(failed, BILL, 'x').usage.map(({ attempt }) => attempt)).toEqual([1, 2]);
});

test('the cost of a run is shared among its models by what their tokens are worth, and adds up', () => {
  const usage = [
    { model: 'opus', tokens: tokens(0, 30) },
    { model: 'haiku', tokens: tokens(50) },
    { model: 'idle', tokens: tokens(0) },
  ];
  const { usage: shared } = accountRun(NO_PROGRESS, { ...BILL, usage }, 'x');
  const costs = shared.map(({ costUsd }) => costUsd);
  expect(costs[0]).toBeCloseTo(0.225, 10);
  expect(costs[1]).toBeCloseTo(0.075, 10);
  expect(costs[2]).toBe(0);
  expect(shared.map(({ turns }) => turns)).toEqual([4, 0, 0]);
});

test('a run that says nothing of its models is booked under the one it was started with', () => {
  expect(accountRun(NO_PROGRESS, { ...BILL, usage: [] }, 'sonnet').usage).toMatchObject([
    { model: 'sonnet', costUsd: 0.3, tokens: tokens(0) },
  ]);
});

test('each round of a task has its whole budget', () => {
  const first = accountRun(NO_PROGRESS, BILL, 'x');
  expect(spentUsd(first)).toBeCloseTo(0.3);
  const second = nextRound(first);
  expect(spentUsd(second)).toBe(0);
  expect(spentUsd(accountRun(second, BILL, 'x'))).toBeCloseTo(0.3);
});

test('a run that was stopped before it could say its cost is estimated from its tokens, never at nothing', () => {
  expect(estimateCostUsd([{ model: 'opus', tokens: tokens(1e6, 1e6, 1e6, 1e6) }])).toBeCloseTo(5 + 25 + 0.5 + 6.25);
  expect(estimateCostUsd([])).toBe(0);
});
