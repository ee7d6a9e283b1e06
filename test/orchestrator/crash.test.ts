import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { readTrace } from '../../lib/queue/trace.ts';
import { isAlive } from '../support/agent-runs.ts';
import { agentsOf, makeCrashScene } from '../support/crash-scene.ts';
import { parseSamples } from '../support/running-exporter.ts';

const CRASHES_ALLOWED = 5;
const WAIT = { timeout: 20_000, interval: 100 };

test('an agent whose orchestrator was killed is ended, and its session goes on in the same worktree', async () => {
  const scene = await makeCrashScene();
  const killed = await scene.start();
  const id = await scene.ask(scene.hangFirst('cost=0.02'));
  await scene.untilBegun(id);
  expect(await killed.end('SIGKILL')).toEqual([null, 'SIGKILL']);
  const next = await scene.start();
  const { end, progress } = await scene.untilOver(id);
  expect(end).toMatchObject({ outcome: 'ok', attempts: 1, costUsd: 0.02 });
  expect(progress).toMatchObject({ crashes: 1, failures: 0 });
  const [first, second] = scene.runs();
  expect(isAlive(first.pid)).toBe(false);
  expect(first).toMatchObject({ taskId: id, isResumed: false });
  expect(second).toMatchObject({ taskId: id, isResumed: true, session: first.session, cwd: first.cwd });
  expect(scene.runs()).toHaveLength(2);
  const [row] = await scene.untilRows(1);
  expect(row).toMatchObject({ task_id: id, success: 1, session_id: first.session });
  expect(scene.rows('SELECT attempt, cost_usd FROM task_usage')).toEqual([{ attempt: 1, cost_usd: 0.02 }]);
  const events = (await readTrace(scene.redis.client, id)).map(({ event }) => event);
  expect(events).toContain('found after a crash');
  // It is counted when all of them are gone, which need not be before the task is over.
  await vi.waitFor(async () => {
    const samples = parseSamples(await (await fetch(`${next.url}/metrics`)).text());
    expect(samples.get('swarm_orphans_swept_total')).toBeGreaterThan(0);
  }, WAIT);
});

test('a task under which our process died six times is shown to a person', async () => {
  const scene = await makeCrashScene();
  const id = await scene.ask('outcome=hang');
  let run: string | undefined;
  for (let crash = 0; crash <= CRASHES_ALLOWED; crash += 1) {
    const orchestrator = await scene.start();
    run = await scene.untilBegun(id, run);
    await orchestrator.end('SIGKILL');
  }
  await scene.start();
  const { end } = await scene.untilOver(id);
  expect(end).toMatchObject({ outcome: 'needs-attention', error: expect.stringMatching(/died under it 6 times/) });
  expect(scene.runs()).toHaveLength(CRASHES_ALLOWED + 1);
  expect(agentsOf(id)).toEqual([]);
  expect(await scene.untilRows(1)).toMatchObject([{ task_id: id, success: 0, task_status: 'needs-attention' }]);
});

test('after Redis was killed for two seconds every task under way is done, by one agent each', async () => {
  const scene = await makeCrashScene();
  const orchestrator = await scene.start();
  const ids = await Promise.all(Array.from({ length: 8 }, () => scene.ask('ms=1500 cost=0.02')));
  await Promise.all(ids.slice(0, 2).map((id) => scene.untilBegun(id)));
  await scene.redis.kill();
  await sleep(2_000);
  await scene.redis.start();
  for (const id of ids) expect((await scene.untilOver(id)).end).toMatchObject({ outcome: 'ok', attempts: 1 });
  const rows = await scene.untilRows(ids.length);
  expect(new Set(rows.map(({ task_id }) => task_id))).toEqual(new Set(ids));
  expect(scene.runs()).toHaveLength(ids.length);
  expect(new Set(scene.runs().map(({ taskId }) => taskId))).toEqual(new Set(ids));
  const lines = orchestrator.output().trimEnd().split('\n');
  expect(lines.filter((line) => !line.startsWith('{'))).toEqual([]);
});
