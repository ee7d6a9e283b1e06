import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Task } from '../../lib/queue/task.ts';
import { openTaskQueue, type TaskQueue } from '../../lib/queue/task-queue.ts';
import { taskValue } from '../lib/queue/task-value.ts';
import { swarm } from '../support/command-line.ts';
import { tempDir } from '../support/memory-builder.ts';
import { makeScene, type SwarmScene } from '../support/swarm-scene.ts';

/** The queue as the programs open it: to ask for more in a moment than commands could. */
function openQueue(scene: SwarmScene): TaskQueue {
  const queue = openTaskQueue(scene.redis.client);
  onTestFinished(() => queue.close());
  return queue;
}

const taskOf = (extra: Partial<Task>): Task => taskValue({ agent: 'cervella-fake', project: 'acme', ...extra });

const WAIT = { timeout: 20_000, interval: 50 };

/** What the scene's memory says of how tasks ended. */
const endsOf = (scene: SwarmScene) =>
  scene.rows().map(({ task_id, event_type, task_status, success }) => [task_id, event_type, task_status, success]);

/** The process of the agent that was told to record itself in this file. */
async function agentPid(file: string): Promise<number> {
  await vi.waitFor(() => expect(existsSync(file) && readFileSync(file, 'utf8')).toMatch(/\n$/), WAIT);
  return (JSON.parse(readFileSync(file, 'utf8').trimEnd().split('\n').at(-1) ?? '') as { pid: number }).pid;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('swarm queue', () => {
  test('explains each of its commands', async () => {
    const cwd = tempDir();
    const names = ['list', 'show', 'cancel', 'retry', 'pause', 'resume', 'drain'];
    const whole = await swarm(['queue', '--help'], { cwd });
    for (const name of names) {
      const { code, stdout } = await swarm(['queue', name, '--help'], { cwd });
      expect([code, stdout]).toEqual([0, expect.stringMatching(new RegExp(`^Usage: swarm queue ${name} `))]);
      expect(whole.stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
    }
  });

  test.each([
    [
      ['list', '--state', 'sleeping'],
      'Give one of waiting, needs-approval, delayed, active, completed, failed, cancelled',
    ],
    [['list', '--ended', 'many'], 'Give a whole number from 0 to 6000'],
    [['list', '--ended=-1'], 'Give a whole number from 0 to 6000'],
    [['lsit'], 'too many arguments'],
    [['show'], "missing required argument 'id'"],
    [['cancel'], "missing required argument 'id'"],
    [['retry'], "missing required argument 'id'"],
  ])('refuses %j', async (args, expectation) => {
    const { code, stderr } = await swarm(['queue', ...args], { cwd: tempDir() });
    expect([code, stderr]).toEqual([2, expect.stringContaining(expectation)]);
  });

  test.each(['list', 'show x1', 'cancel x1', 'retry x1', 'pause', 'resume', 'drain'])(
    '%s ends with 3 without a Redis',
    async (args) => {
      const { code, stdout, stderr } = await swarm(['queue', ...args.split(' ')], {
        cwd: tempDir(),
        env: { REDIS_URL: 'redis://127.0.0.1:1' },
      });
      expect([code, stdout]).toEqual([3, '']);
      expect(stderr).toMatch(/^Could not reach Redis at redis:\/\/127\.0\.0\.1:1: .*npm start/);
    },
  );

  test.each(['show', 'cancel', 'retry'])('%s fails for a task there is not, whatever its name', async (command) => {
    const scene = await makeScene();
    for (const id of ['none', 'meta', '\u001b[2J', 'x'.repeat(10_000)]) {
      const { code, stdout, stderr } = await scene.swarm('queue', command, id);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^Could not find a task /);
      expect(stderr.length).toBeLessThan(300);
    }
  });
});

describe('a payload that is no task', () => {
  test('fails once, is listed and shown with its reason, and keeps nobody behind it from running', async () => {
    const scene = await makeScene();
    const bull = new Queue<unknown>('swarm-tasks', { connection: scene.redis.client, prefix: 'swarm' });
    onTestFinished(() => bull.close());
    await bull.add('task', { prompt: 'Secret', budgetUsd: -1 }, { jobId: 'bad-1', attempts: 5 });
    await bull.add('task', taskOf({ id: 'other-1', prompt: 'Secret' }), { jobId: 'bad-2', attempts: 5 });
    const { id: numbered = '' } = await bull.add('task', 'Secret', { attempts: 5 });
    const good = await scene.enqueue('Do it');
    await scene.startOrchestrator();
    await scene.until(good, 'completed');
    for (const [id, error] of [
      ['bad-1', /Could not accept the task: version: .*; agent: .*; budgetUsd: expected 0.001 to 1,000 US dollars/],
      ['bad-2', /its id is not that of its job/],
      [numbered, /Could not accept the task: payload: /],
    ] as const) {
      const shown = await scene.show(id);
      expect(shown).toMatchObject({
        state: 'failed',
        outcome: 'bad-request',
        error: expect.stringMatching(error),
        attempts: 0,
      });
      expect(shown.error).not.toContain('Secret');
      expect((await bull.getJob(id))?.attemptsMade).toBe(1);
      expect((await scene.swarm('queue', 'retry', id)).code).toBe(2);
    }
    const { stdout } = await scene.swarm('queue', 'list', '--json');
    const listed = (JSON.parse(stdout) as { id: string; state: string }[]).map(({ id, state }) => `${id} ${state}`);
    expect(listed).toHaveLength(4);
    expect(new Set(listed)).toEqual(
      new Set([`${numbered} failed`, 'bad-1 failed', 'bad-2 failed', `${good} completed`]),
    );
    expect(endsOf(scene)).toEqual([[good, 'task_complete', 'ok', 1]]);
  });
});

describe('swarm queue cancel', () => {
  test('stops the agent of a task that runs, with all its processes', async () => {
    const scene = await makeScene();
    await scene.startOrchestrator();
    const record = join(scene.folder, 'agent.jsonl');
    const id = await scene.enqueue(`Do it #fake outcome=hang child record=${record}`);
    const pid = await agentPid(record);
    const first = await scene.swarm('queue', 'cancel', id, '--json');
    expect([first.code, JSON.parse(first.stdout)]).toEqual([0, { id, state: 'active' }]);
    const { outcome, attempts } = await scene.until(id, 'cancelled');
    expect([outcome, attempts]).toEqual(['cancelled', 1]);
    expect(isAlive(pid)).toBe(false);
    await scene.untilRows(1);
    const again = await scene.swarm('queue', 'cancel', id);
    expect([again.code, again.stdout]).toEqual([0, `${id} cancelled\n`]);
    expect(endsOf(scene)).toEqual([[id, 'task_failed', 'cancelled', 0]]);
  });

  test('takes a task off the queue in every state before that, and writes one row for each', async () => {
    const scene = await makeScene({ WORKERS_MIN: '2', WORKERS_MAX: '2' });
    const queue = openQueue(scene);
    await scene.startOrchestrator();
    const record = join(scene.folder, 'agent.jsonl');
    const asked = await queue.enqueue(taskOf({ approval: 'pending' }));
    const retried = await queue.enqueue(taskOf({ prompt: 'Crash #fake outcome=crash cost=0' }));
    await scene.until(retried.id, 'delayed');
    expect(await queue.cancel(retried.id, 'Cancelled.')).toBe('cancelled');
    const running = await queue.enqueue(taskOf({ prompt: `Do it #fake outcome=hang record=${record}` }));
    await agentPid(record);
    const parked = await queue.enqueue(taskOf({}));
    await vi.waitFor(async () => expect(await scene.show(parked.id)).toMatchObject({ waitingFor: 'project' }), WAIT);
    await scene.swarm('queue', 'pause');
    const waiting = await queue.enqueue(taskOf({}));
    for (const [{ id }, state] of [
      [asked, 'needs-approval'],
      [parked, 'waiting'],
      [waiting, 'waiting'],
    ] as const) {
      expect(await scene.show(id)).toMatchObject({ state });
      const { code, stdout } = await scene.swarm('queue', 'cancel', id, '--json');
      expect([code, JSON.parse(stdout)]).toEqual([0, { id, state: 'cancelled' }]);
    }
    expect(await queue.cancel(running.id, 'Cancelled.')).toBe('active');
    await scene.until(running.id, 'cancelled');
    await scene.untilRows(6);
    const ended = [retried, asked, parked, waiting, running].map(({ id }) => [id, 'task_failed', 'cancelled', 0]);
    expect(new Set(endsOf(scene))).toEqual(new Set([[retried.id, 'task_retry', 'crashed', 0], ...ended]));
    const { stdout } = await scene.swarm('queue', 'list', '--state', 'cancelled', '--json');
    expect((JSON.parse(stdout) as unknown[]).length).toBe(5);
  });

  test('is too late for a task that is over', async () => {
    const scene = await makeScene();
    await scene.startOrchestrator();
    const id = await scene.enqueue('Do it');
    await scene.until(id, 'completed');
    const { code, stdout } = await scene.swarm('queue', 'cancel', id);
    expect([code, stdout]).toEqual([1, `${id} is over already: completed\n`]);
    expect(await scene.show(id)).toMatchObject({ state: 'completed' });
  });

  test('in the very moment a worker takes the task leaves one row, and the books in order', async () => {
    const scene = await makeScene({ WORKERS_MIN: '4', WORKERS_MAX: '4' });
    const queue = openQueue(scene);
    const { samples } = await scene.startOrchestrator();
    const ids: string[] = [];
    for (let number = 1; number <= 60; number += 1) {
      const id = `race-${number}`;
      ids.push(id);
      await queue.enqueue(taskOf({ id, prompt: 'Do it #fake ms=1 cost=0.01' }));
      await new Promise((resolve) => setTimeout(resolve, (number % 6) * 4));
      await queue.cancel(id, 'Changed my mind.');
    }
    await scene.untilRows(60);
    const views = await queue.list(100);
    expect(new Set(views.map(({ id }) => id))).toEqual(new Set(ids));
    for (const { id, state, end } of views) {
      expect([id, state]).toEqual([id, expect.stringMatching(/^(cancelled|completed)$/)]);
      expect(
        scene
          .rows()
          .filter((row) => row.task_id === id)
          .map((row) => row.task_status),
      ).toEqual([end?.outcome]);
    }
    const costs = views.map(({ end }) => end?.costUsd ?? 0).reduce((sum, each) => sum + each, 0);
    const [{ total }] = scene.rows('SELECT coalesce(sum(cost_usd), 0) AS total FROM task_usage');
    expect(total).toBeCloseTo(costs, 6);
    await vi.waitFor(async () => {
      const figures = await samples();
      expect(figures.get('swarm_budget_usd{period="day",kind="spent"}')).toBeCloseTo(costs, 6);
      expect(figures.get('swarm_budget_usd{period="day",kind="reserved"}')).toBe(0);
    }, 15_000);
    // No slot of the project was left behind.
    const next = await scene.enqueue('Go on');
    await scene.until(next, 'completed');
  });
});

test('swarm queue drain cancels what is not under way, and leaves what is', async () => {
  const scene = await makeScene();
  const queue = openQueue(scene);
  await scene.startOrchestrator();
  const record = join(scene.folder, 'agent.jsonl');
  const running = await scene.enqueue(`Do it #fake ms=60000 record=${record}`);
  await agentPid(record);
  const asked = await queue.enqueue(taskOf({ approval: 'pending' }));
  const others = await Promise.all(Array.from({ length: 120 }, () => queue.enqueue(taskOf({}))));
  const { code, stdout } = await scene.swarm('queue', 'drain', '--json');
  expect(code).toBe(0);
  const cancelled = JSON.parse(stdout) as string[];
  expect(cancelled).toHaveLength(121);
  expect(new Set(cancelled)).toEqual(new Set([asked, ...others].map(({ id }) => id)));
  expect(await scene.show(running)).toMatchObject({ state: 'active' });
  await scene.untilRows(121);
  expect((await scene.swarm('queue', 'drain')).stdout).toBe('0 tasks cancelled.\n');
  await scene.swarm('queue', 'cancel', running);
  await scene.until(running, 'cancelled');
});

describe('swarm queue retry', () => {
  test('has a task that failed done after all, with a second row', async () => {
    const scene = await makeScene({ TASK_ATTEMPTS: '1' });
    await scene.startOrchestrator();
    const state = join(scene.folder, 'state');
    const id = await scene.enqueue(`Do it #fake outcome=error fail-first=1 state=${state} cost=0.02`);
    await scene.until(id, 'failed');
    const { code, stdout } = await scene.swarm('queue', 'retry', id, '--json');
    expect([code, JSON.parse(stdout)]).toEqual([0, { id, state: expect.stringMatching(/^(waiting|active)$/) }]);
    expect(await scene.until(id, 'completed')).toMatchObject({ attempts: 1, outcome: 'ok' });
    await scene.untilRows(2);
    expect(endsOf(scene).map(([, type, , success]) => [type, success])).toEqual([
      ['task_failed', 0],
      ['task_complete', 1],
    ]);
    const tags = scene.rows().map((row) => JSON.parse(String(row.tags)) as string[]);
    expect(tags[1]).not.toContain('autonomous');
    const again = await scene.swarm('queue', 'retry', id);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('it is completed')]);
  });

  test('has a cancelled task done after all, and is refused for one that runs', async () => {
    const scene = await makeScene();
    await scene.startOrchestrator();
    const record = join(scene.folder, 'agent.jsonl');
    const state = join(scene.folder, 'state');
    const id = await scene.enqueue(`Do it #fake outcome=hang fail-first=1 state=${state} record=${record}`);
    await agentPid(record);
    const refused = await scene.swarm('queue', 'retry', id);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('it is active')]);
    await scene.swarm('queue', 'cancel', id);
    await scene.until(id, 'cancelled');
    await scene.swarm('queue', 'retry', id);
    await scene.until(id, 'completed');
    await scene.untilRows(2);
    expect(endsOf(scene)).toEqual([
      [id, 'task_failed', 'cancelled', 0],
      [id, 'task_complete', 'ok', 1],
    ]);
  });
});

describe('swarm queue pause', () => {
  test('holds until resume, through a new start of the orchestrator', async () => {
    const scene = await makeScene();
    const first = await scene.startOrchestrator();
    const { code } = await scene.swarm('queue', 'pause', '--reason', `\u001b[2J"; rm -rf / #\n${'x'.repeat(100_000)}`);
    expect(code).toBe(0);
    const id = await scene.enqueue('Do it');
    await first.end();
    const second = await scene.startOrchestrator();
    const isPaused = async () => (await second.samples()).get('swarm_queue_paused{reason="user"}');
    await vi.waitFor(async () => expect(await isPaused()).toBe(1), { timeout: 10_000 });
    const listed = await scene.swarm('queue', 'list');
    expect(listed.stderr).toMatch(/^paused \(user\): \[2J"; rm -rf \/ # x{100,200}…\n$/);
    expect(await scene.show(id)).toMatchObject({ state: 'waiting' });
    await scene.swarm('queue', 'resume');
    await scene.until(id, 'completed');
    await vi.waitFor(async () => expect(await isPaused()).toBe(0), { timeout: 10_000 });
  });

  test('says who paused it if no reason is given', async () => {
    const scene = await makeScene();
    await scene.swarm('queue', 'pause', '--reason', ' ');
    expect((await scene.swarm('queue', 'list')).stderr).toBe('paused (user): Paused by swarm queue pause.\n');
  });
});
