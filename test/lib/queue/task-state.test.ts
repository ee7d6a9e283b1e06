import { expect, test } from 'vitest';
import { NO_PROGRESS, nextRound, type TaskProgress } from '../../../lib/queue/progress.ts';
import {
  beginTask,
  checkClaim,
  finishUnbegunTask,
  keepTask,
  readTaskStates,
  reopenTask,
  requestCancel,
} from '../../../lib/queue/task-state.ts';
import { tempDir } from '../../support/memory-builder.ts';
import { endResult } from '../../support/result-values.ts';
import { startRedis } from '../../support/running-redis.ts';
import { finishTask, saveProgress } from './task-steps.ts';
import { taskValue } from './task-value.ts';

const ID = 'task-1';
const KEY = `swarm:task:${ID}`;
const END = endResult({ taskId: ID });
const TASK = taskValue({ id: ID });
const ONE_FAILURE: TaskProgress = { ...NO_PROGRESS, failures: 1 };

async function open() {
  const { client } = await startRedis(tempDir());
  const claim = async () => ({ id: ID, generation: (await beginTask(client, ID)).generation });
  const state = async () => (await readTaskStates(client, [ID]))[0];
  return { client, claim, state };
}

test('only who took a task up last can save its progress', async () => {
  const { client, claim, state } = await open();
  const [first, second] = [await claim(), await claim()];
  expect(await saveProgress(client, second, ONE_FAILURE)).toBe(true);
  expect(await saveProgress(client, first, NO_PROGRESS)).toBe(false);
  expect((await state()).progress).toEqual(ONE_FAILURE);
  expect([await checkClaim(client, first), await checkClaim(client, second)]).toEqual(['lost', 'ours']);
});

test('only who took a task up last can end it, and only once', async () => {
  const { client, claim, state } = await open();
  const [first, second] = [await claim(), await claim()];
  expect(await finishTask(client, first, NO_PROGRESS, endResult({ outcome: 'crashed' }))).toBe(false);
  expect((await state()).end).toBeUndefined();
  expect(await finishTask(client, second, ONE_FAILURE, END)).toBe(true);
  expect(await finishTask(client, second, NO_PROGRESS, endResult({ outcome: 'crashed' }))).toBe(false);
  expect(await state()).toMatchObject({ end: END, progress: ONE_FAILURE });
});

test('whoever takes up a task that has ended is told of its end', async () => {
  const { client, claim } = await open();
  await finishTask(client, await claim(), ONE_FAILURE, END);
  expect(await beginTask(client, ID)).toMatchObject({ end: END, progress: ONE_FAILURE });
});

test('what is known of a task is forgotten some time after its end, and not before', async () => {
  const { client, claim } = await open();
  const first = await claim();
  await saveProgress(client, first, ONE_FAILURE);
  expect(await client.ttl(KEY)).toBe(-1);
  await finishTask(client, first, ONE_FAILURE, END);
  expect(await client.ttl(KEY)).toBeGreaterThan(30 * 86_400);
  await reopenTask(client, ID, nextRound(ONE_FAILURE));
  expect(await client.ttl(KEY)).toBe(-1);
});

test('a cancelled task is seen as such by who works on it and by who takes it up later', async () => {
  const { client, claim } = await open();
  const first = await claim();
  expect(await requestCancel(client, ID)).toBe(true);
  expect(await checkClaim(client, first)).toBe('cancelled');
  expect(await beginTask(client, ID)).toMatchObject({ isCancelled: true });
});

test('the end of a task nobody has begun voids the claim of who takes it up that very moment', async () => {
  const { client, claim, state } = await open();
  const first = await claim();
  const cancelled = endResult({ outcome: 'cancelled' });
  expect(await finishUnbegunTask(client, TASK, cancelled)).toBe(true);
  expect(await checkClaim(client, first)).toBe('lost');
  expect(await finishTask(client, first, NO_PROGRESS, END)).toBe(false);
  expect(await finishUnbegunTask(client, TASK, END)).toBe(false);
  expect(await state()).toMatchObject({ end: cancelled, task: TASK, isCancelled: true });
});

test('a task that has ended is not cancelled, and one that has not is not reopened', async () => {
  const { client, claim } = await open();
  const first = await claim();
  expect(await reopenTask(client, ID, nextRound(NO_PROGRESS))).toBe(false);
  expect(await keepTask(client, TASK)).toBe(false);
  await finishTask(client, first, NO_PROGRESS, END);
  expect(await requestCancel(client, ID)).toBe(false);
});

test('a reopened task has a new round, is wanted again, and voids every earlier claim', async () => {
  const { client, claim, state } = await open();
  const first = await claim();
  await requestCancel(client, ID);
  await finishTask(client, first, ONE_FAILURE, END);
  expect(await keepTask(client, TASK)).toBe(true);
  expect(await reopenTask(client, ID, nextRound(ONE_FAILURE))).toBe(true);
  expect(await reopenTask(client, ID, nextRound(ONE_FAILURE))).toBe(false);
  expect(await saveProgress(client, first, NO_PROGRESS)).toBe(false);
  expect(await state()).toEqual({
    progress: { ...NO_PROGRESS, round: 1, attemptsBefore: 2 },
    end: undefined,
    isCancelled: false,
    task: undefined,
  });
});

test('of a task Redis has lost, nothing can be saved', async () => {
  const { client, claim, state } = await open();
  const first = await claim();
  await client.flushall();
  expect(await checkClaim(client, first)).toBe('lost');
  expect(await saveProgress(client, first, ONE_FAILURE)).toBe(false);
  expect(await finishTask(client, first, ONE_FAILURE, END)).toBe(false);
  expect((await state()).progress).toEqual(NO_PROGRESS);
});

test('of a hundred who take a task up at once, one can end it', async () => {
  const { client, claim } = await open();
  const claims = await Promise.all(Array.from({ length: 100 }, claim));
  const ends = await Promise.all(claims.map((each) => finishTask(client, each, NO_PROGRESS, END)));
  expect(ends.filter(Boolean)).toHaveLength(1);
});
