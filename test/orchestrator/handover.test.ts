import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { agentsOf, type CrashScene, makeCrashScene } from '../support/crash-scene.ts';

const DRAIN_SECONDS = { DRAIN_MINUTES: '0.05' };

/** Lets agents run though there is no recorder that could say what was spent. */
async function knowBudget({ redis }: CrashScene): Promise<void> {
  await redis.client.hset('swarm:budget', 'known', '1');
}

/** What the budget of the day says: spent, and reserved for whom. */
async function moneyOf({
  redis: { client },
}: CrashScene): Promise<readonly [spentMicroUsd: number, holders: string[]]> {
  const [day] = Object.entries(await client.hgetall('swarm:budget')).filter(([field]) => field.startsWith('day:'));
  return [Number(day?.[1] ?? 0), await client.hkeys('swarm:budget-reserved')];
}

test('an orchestrator that was stopped for longer than its lock discards its result when it goes on', async () => {
  const scene = await makeCrashScene({ RECORDER: 'off' });
  await knowBudget(scene);
  const stopped = await scene.start();
  const id = await scene.ask(scene.hangFirst('ms=4000 cost=0.02'));
  const run = await scene.untilBegun(id);
  stopped.child.kill('SIGSTOP');
  await scene.start({ RECORDER: 'on' });
  await scene.untilBegun(id, run);
  // The agent of the first is gone: it has an end to tell of, while the second is at work.
  stopped.child.kill('SIGCONT');
  await sleep(1_500);
  expect(agentsOf(id)).toHaveLength(1);
  expect(await moneyOf(scene)).toEqual([0, [id]]);
  expect((await scene.untilOver(id)).end).toMatchObject({ outcome: 'ok', attempts: 1, costUsd: 0.02 });
  expect(await scene.untilRows(1)).toMatchObject([{ task_id: id, success: 1 }]);
  expect(await stopped.end('SIGTERM')).toEqual([0, null]);
  expect(await moneyOf(scene)).toEqual([20_000, []]);
  expect(scene.rows()).toHaveLength(1);
  expect(agentsOf(id)).toEqual([]);
});

test.each([
  ['in the same folder go on with their sessions', true],
  ['on another machine begin anew', false],
])('two orchestrators share the work; when one is killed its tasks %s', async (_, isSame) => {
  const scene = await makeCrashScene({ WORKERS_MIN: '2', WORKERS_MAX: '2' });
  await knowBudget(scene);
  const killed = await scene.start({ RECORDER: 'off' });
  const ids = await Promise.all([0, 1].map(() => scene.ask(scene.hangFirst('cost=0.02'))));
  for (const id of ids) await scene.untilBegun(id);
  const other = isSame ? {} : scene.otherMachine();
  await scene.start(other);
  const shared = await scene.ask('cost=0.02');
  await scene.untilOver(shared);
  expect(agentsOf(ids[0])).toHaveLength(1);
  await killed.end('SIGKILL');
  for (const id of ids) {
    expect((await scene.untilOver(id)).end).toMatchObject({ outcome: 'ok', attempts: 1, costUsd: 0.02 });
    const [first, second, ...more] = scene.runs().filter(({ taskId }) => taskId === id);
    expect(more).toEqual([]);
    expect(second.isResumed).toBe(isSame);
    expect(second.session === first.session).toBe(isSame);
    expect(second.cwd === first.cwd).toBe(isSame);
  }
  expect(await scene.untilRows(3)).toHaveLength(3);
  expect(await moneyOf(scene)).toEqual([60_000, []]);
});

test('on SIGTERM the agent finishes and its task completes; nothing new is begun', async () => {
  const scene = await makeCrashScene();
  const orchestrator = await scene.start();
  const id = await scene.ask('ms=3000');
  await scene.untilBegun(id);
  const ended = orchestrator.end('SIGTERM');
  const late = await scene.ask();
  expect(await ended, orchestrator.output()).toEqual([0, null]);
  expect((await scene.queue.show(id))?.end).toMatchObject({ outcome: 'ok', attempts: 1 });
  expect(await scene.queue.show(late)).toMatchObject({ state: 'waiting' });
  expect(scene.runs()).toHaveLength(1);
  await scene.start();
  expect((await scene.untilOver(late)).end).toMatchObject({ outcome: 'ok' });
  expect(await scene.untilRows(2)).toHaveLength(2);
});

test('after DRAIN_MINUTES a task is given back, and the next orchestrator goes on with its session', async () => {
  const scene = await makeCrashScene(DRAIN_SECONDS);
  const drained = await scene.start();
  const id = await scene.ask(scene.hangFirst('cost=0.02'));
  await scene.untilBegun(id);
  expect(await drained.end('SIGTERM'), drained.output()).toEqual([0, null]);
  expect(agentsOf(id)).toEqual([]);
  expect(await scene.queue.show(id)).toMatchObject({ state: 'waiting', progress: { failures: 0, crashes: 0 } });
  await scene.start();
  expect((await scene.untilOver(id)).end).toMatchObject({ outcome: 'ok', attempts: 1, costUsd: 0.02 });
  const [first, second] = scene.runs();
  expect(second).toMatchObject({ isResumed: true, session: first.session, cwd: first.cwd });
  expect((await scene.queue.show(id))?.progress.crashes).toBe(0);
});

test('a second SIGTERM ends everything at once, an agent that takes no notice included', async () => {
  const scene = await makeCrashScene();
  const orchestrator = await scene.start();
  const id = await scene.ask('outcome=hang child ignore-term');
  await scene.untilBegun(id);
  orchestrator.child.kill('SIGTERM');
  await sleep(300);
  expect(await orchestrator.end('SIGTERM'), orchestrator.output()).toEqual([0, null]);
  expect(agentsOf(id)).toEqual([]);
  expect(await scene.queue.show(id)).toMatchObject({ state: 'waiting', progress: { failures: 0 } });
});
