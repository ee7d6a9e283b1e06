import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { Queue } from 'bullmq';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Notification } from '../../lib/queue/notification.ts';
import { type CrashScene, makeCrashScene } from '../support/crash-scene.ts';
import { parseSamples } from '../support/running-exporter.ts';

const LIMITED = 'outcome=rate-limited reset-in=3 fail-first=1';

/** The notifications that wait for somebody to be told. */
async function notificationsOf({ redis }: CrashScene): Promise<readonly Notification[]> {
  const queue = new Queue<Notification>('swarm-notifications', { connection: redis.client, prefix: 'swarm' });
  onTestFinished(() => queue.close());
  return (await queue.getJobs(['waiting'])).map(({ data }) => data);
}

async function expectResumedOnce(scene: CrashScene, id: string): Promise<void> {
  const { end } = await scene.untilOver(id);
  expect(end).toMatchObject({ outcome: 'ok', attempts: 1, costUsd: 0.02 });
  const [first, second, ...more] = scene.runs().filter(({ taskId }) => taskId === id);
  expect(second).toMatchObject({ isResumed: true, session: first.session });
  expect(more).toEqual([]);
}

test('at a usage limit the queue waits for its end, and the task goes on without a new attempt', async () => {
  const scene = await makeCrashScene();
  const { url } = await scene.start();
  const id = await scene.ask(`${LIMITED} state=${scene.folder}/state cost=0.02`);
  const { untilMs = 0, text } = await scene.untilClosed('usage-limit');
  expect(text).toMatch(/limit/);
  expect(untilMs).toBeGreaterThan(Date.now());
  const later = await scene.ask('cost=0.02');
  const samples = parseSamples(await (await fetch(`${url}/metrics`)).text());
  expect(samples.get('swarm_queue_paused{reason="usage-limit"}')).toBe(1);
  expect(samples.get('swarm_agent_limit_resets_timestamp_seconds')).toBe(untilMs / 1_000);
  await expectResumedOnce(scene, id);
  expect((await scene.untilOver(later)).end?.endedAt).toMatch(/^20/);
  expect(Date.now()).toBeGreaterThan(untilMs);
  expect(scene.runs().filter(({ taskId }) => taskId === later)).toHaveLength(1);
});

test('with ON_USAGE_LIMIT=stop the queue stays paused until somebody resumes it', async () => {
  const scene = await makeCrashScene({ ON_USAGE_LIMIT: 'stop' });
  await scene.start();
  const id = await scene.ask(`${LIMITED} state=${scene.folder}/state cost=0.02`);
  expect((await scene.untilClosed('usage-limit')).untilMs).toBeUndefined();
  expect(await scene.swarm('queue', 'resume')).toMatchObject({ code: 0 });
  await expectResumedOnce(scene, id);
});

test('a task cancelled a moment before its agent meets a usage limit is over, though the queue sleeps for an hour', async () => {
  const scene = await makeCrashScene();
  await scene.start();
  // It ends before its orchestrator looks, after a second, whether it is still wanted.
  const id = await scene.ask('outcome=rate-limited reset-in=3600 ms=500 cost=0.02');
  await scene.untilBegun(id);
  await scene.queue.cancel(id, 'no');
  expect((await scene.untilOver(id)).end).toMatchObject({ outcome: 'cancelled' });
  expect(scene.runs().filter(({ taskId }) => taskId === id)).toHaveLength(1);
  await scene.untilRows(1);
});

test('a day whose budget is spent pauses the queue; at 80 % people are told, once', async () => {
  const scene = await makeCrashScene({ BUDGET_DAY_USD: '0.1' });
  await scene.start();
  const spender = await scene.ask('cost=0.085', { budgetUsd: 0.09 });
  expect((await scene.untilOver(spender)).end).toMatchObject({ outcome: 'ok', costUsd: 0.085 });
  const small = await scene.ask('cost=0.001', { budgetUsd: 0.01 });
  expect((await scene.untilOver(small)).end).toMatchObject({ outcome: 'ok' });
  const waiting = await scene.ask('cost=0.001', { budgetUsd: 0.05 });
  const gate = await scene.untilClosed('budget-day');
  expect(gate.text).toBe("0.09 USD spent; the next task may cost more than is left of the day's budget.");
  // The gate closes first, then the task is put back.
  await vi.waitFor(async () => expect(await scene.queue.show(waiting)).toMatchObject({ state: 'waiting' }), 10_000);
  expect(scene.runs()).toHaveLength(2);
  const found = await vi.waitFor(async () => {
    // Of each task's end people are told as well.
    const notifications = (await notificationsOf(scene)).filter(({ kind }) => kind !== 'task-ended');
    expect(notifications.map(({ kind }) => String(kind)).sort((one, other) => one.localeCompare(other))).toEqual([
      'budget-notice',
      'queue-paused',
    ]);
    return notifications;
  }, 15_000);
  const notice = found.find(({ kind }) => kind === 'budget-notice');
  expect(notice?.facts).toEqual({ period: 'day', spentUsd: 0.085, limitUsd: 0.1 });
});

test('two tasks that may together cost more than is left do not run at the same time', async () => {
  const scene = await makeCrashScene({ BUDGET_DAY_USD: '1' });
  await scene.start();
  const first = await scene.ask('outcome=hang', { budgetUsd: 0.6 });
  await scene.untilBegun(first);
  const second = await scene.ask('cost=0.02', { budgetUsd: 0.6 });
  await scene.untilTask(second, ({ progress }) => progress.waitingFor?.reason === 'budget');
  expect(scene.runs().map(({ taskId }) => taskId)).toEqual([first]);
  await scene.queue.cancel(first, 'The other is more urgent.');
  expect((await scene.untilOver(second)).end).toMatchObject({ outcome: 'ok', attempts: 1 });
});

test('when Redis has lost everything, what was spent is read from the memory before new work begins', async () => {
  const scene = await makeCrashScene({ BUDGET_DAY_USD: '1' });
  await scene.start();
  const before = await scene.ask('cost=0.02');
  expect((await scene.untilOver(before)).end).toMatchObject({ outcome: 'ok' });
  await scene.untilRows(1);
  const db = new Database(scene.memoryPath);
  db.prepare(
    `INSERT INTO task_usage (task_id, attempt, ended_at, model, cost_usd, source) VALUES ('earlier', 1, ?, 'm', 0.95, 'cli')`,
  ).run(new Date().toISOString());
  db.close();
  await scene.redis.client.flushall();
  await sleep(100);
  const id = await scene.ask();
  const { text } = await scene.untilClosed('budget-day');
  expect(text).toMatch(/^0\.97 USD spent/);
  expect(scene.runs().map(({ taskId }) => taskId)).toEqual([before]);
  // The gate closes a moment before the task is back.
  await vi.waitFor(async () => expect(await scene.queue.show(id)).toMatchObject({ state: 'waiting' }), 10_000);
});
