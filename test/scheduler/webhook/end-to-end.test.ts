import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test, vi } from 'vitest';
import { fakePull } from '../../support/fake-github.ts';
import { type GithubScene, makeGithubScene } from '../../support/github-scene.ts';
import { startScheduler } from '../../support/running-scheduler.ts';

/** Nobody waits a minute for a push that does not come. */
async function callAll({ queue, tasks }: GithubScene): Promise<void> {
  for (const { id } of await tasks()) await queue.promote(id);
}

test('a signed webhook leads to exactly one review, also when it is delivered three times', async () => {
  const scene = await makeGithubScene();
  await scene.startScheduler();
  await scene.startOrchestrator();
  const pull = fakePull(7, 'a1');
  const id = randomUUID();
  const answers = [
    await scene.tell(pull, 'opened', { id }),
    await scene.tell(pull, 'opened', { id }),
    await scene.tell(pull, 'reopened'),
  ];
  expect(answers).toEqual([
    { status: 202, answer: { status: 'queued' } },
    { status: 202, answer: { status: 'duplicate' } },
    { status: 202, answer: { status: 'duplicate' } },
  ]);
  const [task] = await scene.untilTasks(1);
  expect(task).toMatchObject({
    state: 'delayed',
    task: { agent: 'cervella-reviewer', project: 'acme', source: 'github' },
  });
  await callAll(scene);
  const body = await scene.untilReviewed(pull);
  expect(body).toContain('All is well.');
  const [row] = await scene.untilRows(1);
  expect(row).toMatchObject({ task_id: task.id, task_status: 'ok', agent_name: 'cervella-reviewer' });
  expect(scene.git('branch', '--list', 'swarm/*')).toBe('');
}, 60_000);

test('whoever is killed after a delivery is on disk, after it is queued or after it is posted, leads to one review', async () => {
  const scene = await makeGithubScene();
  const pull = fakePull(7, 'a1');
  scene.github.pulls.set(7, pull);
  // GitHub does not answer, so that nothing is queued while it lives.
  scene.github.refuse(/^GET .*\/pulls\/7$/, 1_000, { status: 502 });
  const first = await scene.startScheduler();
  expect((await scene.tell(pull)).status).toBe(202);
  expect(await first.end('SIGKILL')).toEqual([null, 'SIGKILL']);
  expect(await scene.tasks()).toEqual([]);
  scene.github.allow();
  scene.sql("UPDATE pull_request_reviews SET next_try_at = '2000'");

  const second = await scene.startScheduler();
  await scene.untilTasks(1);
  expect(await second.end('SIGKILL')).toEqual([null, 'SIGKILL']);
  // As if it had died before it could write down that it is queued.
  scene.sql("UPDATE pull_request_reviews SET state = 'due'");

  await scene.startOrchestrator();
  const third = await scene.startScheduler();
  await scene.untilState('queued');
  await scene.untilTasks(1);
  await callAll(scene);
  await scene.untilReviewed(pull);
  expect(await third.end('SIGKILL')).toEqual([null, 'SIGKILL']);
  // As if it had died before it could write down that it is posted.
  scene.sql("UPDATE pull_request_reviews SET state = 'queued', review_id = NULL");

  await scene.startScheduler();
  await scene.untilState('posted');
  await scene.untilReviewed(pull);
  expect(scene.github.requests.filter((line) => /^(POST|PUT)/.test(line))).toHaveLength(1);
}, 90_000);

test('a delivery that was missed is made up for by the hourly job, once', async () => {
  const scene = await makeGithubScene();
  const pull = fakePull(7, 'a1');
  scene.github.pulls.set(7, pull);
  scene.github.pulls.set(8, fakePull(8, 'b1', { draft: true }));
  await scene.startOrchestrator();
  await scene.startScheduler();
  const run = await scene.swarm('schedule', 'run', 'reconcile');
  expect(run.stdout + run.stderr).toContain('1 to be reviewed');
  await scene.untilReviewed(pull);
  expect((await scene.swarm('schedule', 'run', 'reconcile')).stdout).toContain('nothing was missed');
  // Whoever loses monitor.db pays for no second one.
  scene.sql('DELETE FROM pull_request_reviews');
  expect((await scene.swarm('schedule', 'run', 'reconcile')).stdout).toContain('nothing was missed');
  expect(await scene.tasks()).toHaveLength(1);
}, 60_000);

test('a webhook whose port is taken keeps the scheduler from being ready, and listens once the port is free', async () => {
  const scene = await makeGithubScene();
  const squatter = createServer().listen(Number(scene.env.WEBHOOK_PORT), '127.0.0.1');
  await once(squatter, 'listening');
  const scheduler = await startScheduler(scene.folder, scene.env);
  const reason = expect.stringMatching(/^github does not run: Could not listen on .*another program.*WEBHOOK_PORT/);
  await vi.waitFor(async () => expect(await scheduler.readiness()).toEqual({ status: 503, reason }), 15_000);
  squatter.close();
  await vi.waitFor(async () => expect(await scheduler.readiness()).toEqual({ status: 200 }), {
    timeout: 40_000,
    interval: 200,
  });
  expect((await scene.deliver({}, { event: 'ping' })).status).toBe(200);
  expect(await scheduler.end()).toEqual([0, null]);
}, 60_000);
