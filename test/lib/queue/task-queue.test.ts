import { Queue, Worker } from 'bullmq';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { NO_PROGRESS } from '../../../lib/queue/progress.ts';
import type { RefusedCall } from '../../../lib/queue/refused-call.ts';
import type { EndResult } from '../../../lib/queue/result.ts';
import { dropResults, keepRefused, readResults } from '../../../lib/queue/results.ts';
import type { Task } from '../../../lib/queue/task.ts';
import { openTaskQueue } from '../../../lib/queue/task-queue.ts';
import { beginTask } from '../../../lib/queue/task-state.ts';
import { readTrace } from '../../../lib/queue/trace.ts';
import { tempDir } from '../../support/memory-builder.ts';
import { endResult, usageValue } from '../../support/result-values.ts';
import { startRedis } from '../../support/running-redis.ts';
import { finishTask, saveProgress } from './task-steps.ts';
import { taskValue } from './task-value.ts';

/** The queue on a Redis of its own, and BullMQ's view of it. */
async function open() {
  const { client } = await startRedis(tempDir());
  const queue = openTaskQueue(client);
  const bull = new Queue<unknown>('swarm-tasks', { connection: client, prefix: 'swarm' });
  onTestFinished(async () => {
    await Promise.all([queue.close(), bull.close()]);
  });
  const add = async (extra: Partial<Task> = {}): Promise<string> => (await queue.enqueue(taskValue(extra))).id;
  /** Takes the next job as a worker does, and gives its id. */
  const take = async (): Promise<string | undefined> => {
    const worker = new Worker('swarm-tasks', null, { connection: client, prefix: 'swarm', autorun: false });
    try {
      return (await worker.getNextJob('token'))?.id;
    } finally {
      await worker.close();
    }
  };
  const fail = async (id: string): Promise<void> => {
    const job = await bull.getJob(id);
    await job?.moveToFailed(new Error('it failed'), 'token', false);
  };
  /** An agent works on the task, and fails it for good. */
  const runAndFail = async (id: string): Promise<void> => {
    expect(await take()).toBe(id);
    const { generation } = await beginTask(client, id);
    const progress = { ...NO_PROGRESS, runs: 1, usage: [spent(0.2)] };
    await finishTask(
      client,
      { id, generation },
      progress,
      endResult({ taskId: id, outcome: 'crashed', error: 'died' }),
    );
    await fail(id);
  };
  /** What the recorder is told, as task, kind and round. */
  const sent = async (): Promise<string[]> => {
    const results = await readResults(client, { count: 100, blockMs: 1 });
    return results.map(({ payload }) => {
      const { taskId, kind, round } = payload as EndResult;
      return `${taskId}-${kind}-${round}`;
    });
  };
  return { client, queue, bull, add, take, fail, runAndFail, sent };
}

function spent(costUsd: number) {
  return { attempt: 1, model: 'm', tokens: usageValue().tokens, costUsd, turns: 1, endedAtMs: 0 };
}

const idsOf = (views: readonly { readonly id: string }[]): string[] => views.map(({ id }) => id);

describe('enqueue', () => {
  test('puts what is urgent first, and within a priority what came first', async () => {
    const { queue, add, take } = await open();
    for (const id of ['n-1', 'l-1', 'h-1', 'n-2', 'h-2', 'l-2']) {
      const priority = ({ n: 'normal', l: 'low', h: 'high' } as const)[id[0] as 'n' | 'l' | 'h'];
      await add({ id, priority });
    }
    const order = ['h-1', 'h-2', 'n-1', 'n-2', 'l-1', 'l-2'];
    expect(idsOf(await queue.list(0))).toEqual(order);
    for (const id of order) expect(await take()).toBe(id);
    expect(await take()).toBeUndefined();
  });

  test('promises nothing on a Redis that would lose it, and goes on as soon as that is mended', async () => {
    const { client, queue, add, runAndFail } = await open();
    await add({ id: 'failed-1' });
    await runAndFail('failed-1');
    await client.config('SET', 'appendonly', 'no');
    const other = openTaskQueue(client);
    onTestFinished(() => other.close());
    const refusal = { name: 'UnreachableError', hint: expect.stringContaining('--appendonly yes') };
    await expect(other.enqueue(taskValue({ id: 'new-1' }))).rejects.toMatchObject(refusal);
    await expect(other.retry('failed-1')).rejects.toMatchObject(refusal);
    await expect(other.grant('failed-1')).rejects.toMatchObject(refusal);
    expect([await queue.show('new-1'), await readTrace(client, 'new-1')]).toEqual([undefined, []]);
    await client.config('SET', 'appendonly', 'yes');
    expect(await other.enqueue(taskValue({ id: 'new-1' }))).toEqual({ id: 'new-1', isNew: true });
    // A child of Redis writes the whole log first.
    const isWriting = async () => /aof_rewrite_(?:in_progress|scheduled):1/.test(await client.info('persistence'));
    await vi.waitFor(async () => expect(await isWriting()).toBe(false), 15_000);
  });

  test('looks at Redis once for many tasks', async () => {
    const { client, queue } = await open();
    await Promise.all(Array.from({ length: 20 }, () => queue.enqueue(taskValue())));
    await queue.enqueue(taskValue());
    expect(await client.info('commandstats')).toMatch(/cmdstat_info:calls=\d,/);
  });

  test('the same id is the same task, over or not', async () => {
    const { queue, add, runAndFail, client } = await open();
    await add({ id: 'slot-1' });
    expect(await queue.enqueue(taskValue({ id: 'slot-1', prompt: 'again' }))).toEqual({ id: 'slot-1', isNew: false });
    await runAndFail('slot-1');
    await client.del('swarm:swarm-tasks:slot-1');
    expect(await queue.enqueue(taskValue({ id: 'slot-1' }))).toEqual({ id: 'slot-1', isNew: false });
    expect(await readTrace(client, 'slot-1')).toHaveLength(1);
  });

  test('a dedupe key gives the first task while it waits and while it runs, and a new one after it', async () => {
    const { queue, add, runAndFail, client, take } = await open();
    const enqueue = (id: string) => queue.enqueue(taskValue({ id, dedupeKey: 'owner/repo:#7 ü' }));
    expect(await enqueue('first-1')).toEqual({ id: 'first-1', isNew: true });
    expect(await enqueue('second-1')).toEqual({ id: 'first-1', isNew: false });
    expect(await readTrace(client, 'second-1')).toEqual([]);
    await runAndFail('first-1');
    expect(await enqueue('third-1')).toEqual({ id: 'third-1', isNew: true });
    expect(await take()).toBe('third-1');
    expect(await enqueue('fourth-1')).toEqual({ id: 'third-1', isNew: false });
    expect(await add({ id: 'other-1', dedupeKey: 'another' })).toBe('other-1');
  });

  test('after its task was cancelled, a dedupe key is free', async () => {
    const { queue, add } = await open();
    await add({ id: 'first-1', dedupeKey: 'k' });
    expect(await queue.cancel('first-1', 'no')).toBe('cancelled');
    expect(await add({ id: 'second-1', dedupeKey: 'k' })).toBe('second-1');
  });

  test('of fifty at once with one dedupe key, one is new', async () => {
    const { queue } = await open();
    const added = await Promise.all(Array.from({ length: 50 }, () => queue.enqueue(taskValue({ dedupeKey: 'k' }))));
    expect(new Set(idsOf(added)).size).toBe(1);
    expect(added.filter(({ isNew }) => isNew)).toHaveLength(1);
  });
});

describe('show and list', () => {
  test('tell of every state a task can be in', async () => {
    const { queue, bull, client, add, take, fail, runAndFail } = await open();
    await add({ id: 'ended-1' });
    await runAndFail('ended-1');
    await bull.add('task', { prompt: 'no task' }, { jobId: 'bad-1' });
    await take();
    await fail('bad-1');
    await add({ id: 'active-1' });
    await take();
    await add({ id: 'parked-1' });
    await take();
    const { generation } = await beginTask(client, 'parked-1');
    const untilMs = Date.now() + 600_000;
    await saveProgress(
      client,
      { id: 'parked-1', generation },
      { ...NO_PROGRESS, waitingFor: { reason: 'project', untilMs } },
    );
    await (await bull.getJob('parked-1'))?.moveToDelayed(untilMs, 'token');
    await add({ id: 'asked-1', approval: 'pending' });
    await add({ id: 'waits-1' });
    await add({ id: 'gone-1' });
    await queue.cancel('gone-1', 'not needed');
    const views = await queue.list(10);
    expect(Object.fromEntries(views.map(({ id, state, outcome }) => [id, [state, outcome]]))).toEqual({
      'active-1': ['active', undefined],
      'waits-1': ['waiting', undefined],
      'parked-1': ['waiting', undefined],
      'asked-1': ['needs-approval', undefined],
      'gone-1': ['cancelled', 'cancelled'],
      'bad-1': ['failed', 'bad-request'],
      'ended-1': ['failed', 'crashed'],
    });
    for (const view of views) expect(await queue.show(view.id)).toEqual(view);
    expect(await queue.show('parked-1')).toMatchObject({ delayedUntilMs: untilMs });
    expect(await queue.show('bad-1')).toMatchObject({ error: 'it failed', task: undefined });
    expect(idsOf(await queue.list(0))).toEqual(['active-1', 'waits-1', 'parked-1', 'asked-1']);
    expect(idsOf(await queue.list(1))).toHaveLength(5);
  });

  test('forget a cancelled task when its record is forgotten', async () => {
    const { queue, client, add } = await open();
    await add({ id: 'gone-1' });
    await queue.cancel('gone-1', 'no');
    await client.del('swarm:task:gone-1');
    expect(await queue.list(10)).toEqual([]);
  });

  test.each(['meta', 'id', 'wait', 'active', 'prioritized', 'events', 'none', '', 'a:b', '1', '__proto__'])(
    'find no task "%s" among the keys of BullMQ',
    async (id) => {
      const { queue, bull, add, take } = await open();
      await add();
      await take();
      await add();
      await bull.pause();
      expect(await queue.show(id)).toBeUndefined();
      await expect(queue.cancel(id, 'no')).rejects.toThrow(`Could not find a task "${id}" on the queue.`);
    },
  );

  test('a list cuts prompts, and showing a task does not', async () => {
    const { queue, add } = await open();
    const prompt = 'x'.repeat(100_000);
    const id = await add({ prompt });
    expect((await queue.list(0))[0].task?.prompt).toHaveLength(200);
    expect((await queue.show(id))?.task?.prompt).toBe(prompt);
  });

  test('garbage in Redis hides nothing', async () => {
    const { queue, bull, client, add } = await open();
    await add({ id: 'good-1' });
    await bull.add('task', 'text', { jobId: 'text' });
    await bull.add('task', null, { jobId: 'null' });
    await bull.add('task', { ...taskValue({ id: 'good-1' }) }, { jobId: 'thief-1' });
    await bull.add('task', {}, { jobId: 'broken' });
    await client.hset('swarm:swarm-tasks:broken', 'data', '{"a":');
    const views = await queue.list(0);
    expect(views.map(({ id, task }) => [id, task?.id])).toEqual(
      expect.arrayContaining([
        ['good-1', 'good-1'],
        ['text', undefined],
        ['null', undefined],
        ['thief-1', undefined],
        ['broken', undefined],
      ]),
    );
    expect(views).toHaveLength(5);
  });

  test('a task that moves while the list is made is there once', async () => {
    const { queue, add, take, runAndFail } = await open();
    for (let number = 1; number <= 20; number += 1) await add({ id: `task-${number}` });
    const lists: Promise<readonly { readonly id: string }[]>[] = [];
    for (let number = 1; number <= 20; number += 1) {
      if (number % 2 === 0) await Promise.all([runAndFail(`task-${number}`), lists.push(queue.list(100))]);
      else await Promise.all([take(), lists.push(queue.list(100))]);
    }
    for (const list of await Promise.all(lists)) expect(new Set(idsOf(list)).size).toBe(20);
  });

  test('the oldest that waits is found behind those that are more urgent', async () => {
    const { queue, add, bull } = await open();
    expect(await queue.oldestWaitingMs()).toBeUndefined();
    await add({ id: 'low-1', priority: 'low' });
    await add({ id: 'high-1', priority: 'high' });
    const job = await bull.getJob('low-1');
    expect(await queue.oldestWaitingMs()).toBe(job?.timestamp);
    expect(await queue.counts()).toMatchObject({
      prioritized: 2,
      active: 0,
      delayed: 0,
      failed: 0,
      completed: 0,
      wait: 0,
    });
  });
});

describe('cancel', () => {
  test('ends a task that waits, once, with one result', async () => {
    const { queue, client, add, sent, bull } = await open();
    const id = await add({ id: 'task-1' });
    expect(await Promise.all([queue.cancel(id, 'no'), queue.cancel(id, 'no')])).toEqual(['cancelled', 'cancelled']);
    expect(await queue.cancel(id, 'again')).toBe('cancelled');
    expect(await sent()).toEqual(['task-1-end-0']);
    expect(await bull.getJob(id)).toBeUndefined();
    expect(await queue.show(id)).toMatchObject({ state: 'cancelled', error: 'no', task: { id }, end: { costUsd: 0 } });
    const events = (await readTrace(client, id)).map(({ event }) => event);
    expect(new Set(events)).toEqual(new Set(['requested', 'cancel requested', 'ended']));
  });

  test('of a task that waits for its next attempt gives what it has cost', async () => {
    const { queue, client, bull, add, take } = await open();
    const id = await add({ id: 'task-1' });
    await take();
    const { generation } = await beginTask(client, id);
    const untilMs = Date.now() + 600_000;
    const waitingFor = { reason: 'retry', untilMs };
    await saveProgress(client, { id, generation }, { ...NO_PROGRESS, failures: 1, usage: [spent(0.25)], waitingFor });
    await (await bull.getJob(id))?.moveToDelayed(untilMs, 'token');
    expect(await queue.show(id)).toMatchObject({ state: 'delayed', delayedUntilMs: untilMs });
    expect(await queue.cancel(id, 'no')).toBe('cancelled');
    expect((await readResults(client, { count: 9, blockMs: 1 }))[0].payload).toMatchObject({
      outcome: 'cancelled',
      attempts: 1,
      costUsd: 0.25,
    });
  });

  test('leaves a task that runs to its worker, and one that is over as it is', async () => {
    const { queue, client, add, take, fail, sent } = await open();
    const id = await add({ id: 'task-1' });
    await take();
    const { generation } = await beginTask(client, id);
    expect([await queue.cancel(id, 'no'), await queue.cancel(id, 'no')]).toEqual(['active', 'active']);
    expect(await sent()).toEqual([]);
    await finishTask(client, { id, generation }, NO_PROGRESS, endResult({ taskId: id, outcome: 'crashed' }));
    expect(await queue.cancel(id, 'no')).toBe('failed');
    await fail(id);
    expect(await queue.cancel(id, 'no')).toBe('failed');
  });

  test('takes away what is no task at all', async () => {
    const { queue, bull, client, add } = await open();
    const good = await add({ id: 'good-1' });
    await bull.add('task', { ...taskValue({ id: good }) }, { jobId: 'thief-1' });
    expect(await queue.cancel('thief-1', 'no')).toBe('cancelled');
    expect(idsOf(await queue.list(10))).toEqual([good]);
    expect(await client.exists('swarm:task:thief-1')).toBe(0);
    expect(await queue.show(good)).toMatchObject({ state: 'waiting' });
  });
});

describe('grant', () => {
  const RULED = { tool: 'Bash', input: 'npm ci', rule: 'Bash(npm ci)' } as const;
  const UNRULED = { tool: 'Skill', input: 'x', why: 'no-rule' } as const;

  /** An agent was refused these calls, and its task ended. */
  async function refuse(scene: Awaited<ReturnType<typeof open>>, id: string, refused: RefusedCall[]) {
    const { client, take, fail } = scene;
    expect(await take()).toBe(id);
    const { generation, progress } = await beginTask(client, id);
    const end = endResult({ taskId: id, outcome: 'needs-attention', round: progress.round, refused });
    await finishTask(client, { id, generation }, { ...progress, runs: 1, refused }, end);
    await fail(id);
  }

  test('of what an agent was refused has the task tried again with just that', async () => {
    const scene = await open();
    const { queue, client, add } = scene;
    const id = await add({ id: 'task-1' });
    await refuse(scene, id, [RULED, UNRULED]);
    expect(await queue.grant(id)).toBe('waiting');
    const view = await queue.show(id);
    expect(view).toMatchObject({ task: { grantedTools: ['Bash(npm ci)'] }, progress: { round: 1 } });
    expect(view?.progress).not.toHaveProperty('refused');
    expect((await readTrace(client, id)).at(-1)).toMatchObject({ event: 'tools granted', detail: 'Bash(npm ci)' });
    // What was granted stays granted, to this task.
    await refuse(scene, id, [{ tool: 'WebSearch', input: 'x', rule: 'WebSearch' }]);
    expect(await queue.grant(id)).toBe('waiting');
    expect((await queue.show(id))?.task?.grantedTools).toEqual(['Bash(npm ci)', 'WebSearch']);
    const other = await add({ id: 'task-2' });
    expect((await queue.show(other))?.task?.grantedTools).toBeUndefined();
  });

  test('is refused where there is nothing to grant, and says why', async () => {
    const scene = await open();
    const { queue, add } = scene;
    const id = await add({ id: 'task-1' });
    await expect(queue.grant(id)).rejects.toThrow('it asks for none');
    await refuse(scene, id, [UNRULED]);
    await expect(queue.grant(id)).rejects.toThrow('Skill: there is no rule for it that covers nothing more');
    expect(await queue.show(id)).toMatchObject({ state: 'failed', outcome: 'needs-attention' });
    await expect(queue.grant('nobody-1')).rejects.toThrow('Could not find a task');
  });

  test('of a review is refused, whatever its end says', async () => {
    const scene = await open();
    const { queue, add } = scene;
    const id = await add({ id: 'task-1', review: { material: 'A diff' } });
    await refuse(scene, id, [RULED]);
    await expect(queue.grant(id)).rejects.toThrow('Could not grant');
    expect((await queue.show(id))?.state).toBe('failed');
  });
});

describe('retry', () => {
  test('of a task that failed makes it wait again, in a new round', async () => {
    const { queue, client, add, take, runAndFail } = await open();
    const id = await add({ id: 'task-1' });
    await runAndFail(id);
    expect(await queue.retry(id)).toBe('waiting');
    expect(await queue.show(id)).toMatchObject({
      state: 'waiting',
      outcome: undefined,
      error: undefined,
      end: undefined,
    });
    expect(await take()).toBe(id);
    expect(await beginTask(client, id)).toMatchObject({
      end: undefined,
      isCancelled: false,
      progress: { round: 1, attemptsBefore: 1, failures: 0, runs: 0 },
    });
  });

  test('of a cancelled task makes it wait again, and it can be cancelled again', async () => {
    const { queue, client, add, sent } = await open();
    const id = await add({ id: 'task-1' });
    await queue.cancel(id, 'no');
    expect(await queue.retry(id)).toBe('waiting');
    expect(await queue.list(10)).toEqual([await queue.show(id)]);
    expect(await client.zcard('swarm:cancelled')).toBe(0);
    expect(await queue.cancel(id, 'no')).toBe('cancelled');
    expect(await sent()).toEqual(['task-1-end-0', 'task-1-end-1']);
  });

  test('of a task that needs a yes asks for it again', async () => {
    const { queue, add } = await open();
    const id = await add({ approval: 'pending' });
    await queue.cancel(id, 'no');
    expect(await queue.retry(id)).toBe('needs-approval');
    const { delayedUntilMs = 0 } = (await queue.show(id)) ?? {};
    expect(delayedUntilMs).toBeGreaterThan(Date.now() + 6 * 86_400_000);
  });

  test('is refused for one that is not over, or went well', async () => {
    const { queue, client, add, take } = await open();
    const id = await add();
    await expect(queue.retry(id)).rejects.toThrow(/Could not retry task .*: it is waiting/);
    await take();
    await expect(queue.retry(id)).rejects.toThrow(expect.objectContaining({ name: 'UsageError' }));
    const { generation } = await beginTask(client, id);
    await finishTask(client, { id, generation }, NO_PROGRESS, endResult({ taskId: id }));
    await expect(queue.retry(id)).rejects.toThrow(/it is completed/);
  });

  test('is refused for what was no task, and for one whose payload is forgotten', async () => {
    const { queue, bull, client, add, take, fail, runAndFail } = await open();
    await bull.add('task', {}, { jobId: 'bad-1' });
    await take();
    await fail('bad-1');
    await expect(queue.retry('bad-1')).rejects.toThrow(/is not known here, or not understood/);
    const id = await add();
    await runAndFail(id);
    await client.del(`swarm:swarm-tasks:${id}`);
    await expect(queue.retry(id)).rejects.toThrow(/is not known here, or not understood/);
  });

  test('asked for twenty times at once is one more round', async () => {
    const { queue, bull, client, add, take, runAndFail } = await open();
    const id = await add({ id: 'task-1' });
    await runAndFail(id);
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => queue.retry(id)));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await queue.promote(id);
    expect(await take()).toBe(id);
    expect((await beginTask(client, id)).progress.round).toBe(1);
    expect(await bull.getJobCountByTypes('wait', 'prioritized', 'delayed', 'failed')).toBe(0);
  });

  test('keeps the dedupe key, and is refused while another has it', async () => {
    const { queue, add, runAndFail } = await open();
    await add({ id: 'first-1', dedupeKey: 'k' });
    await runAndFail('first-1');
    await queue.retry('first-1');
    expect(await add({ id: 'second-1', dedupeKey: 'k' })).toBe('first-1');
    await runAndFail('first-1');
    expect(await add({ id: 'third-1', dedupeKey: 'k' })).toBe('third-1');
    await expect(queue.retry('first-1')).rejects.toThrow(/task "third-1" has the same dedupe key and is not over/);
    expect((await queue.list(10)).map(({ id, state }) => [id, state])).toEqual([
      ['third-1', 'waiting'],
      ['first-1', 'failed'],
    ]);
    await queue.cancel('third-1', 'no');
    expect(await queue.retry('first-1')).toBe('waiting');
  });
});

test('a delayed task is called once', async () => {
  const { queue, add } = await open();
  const id = await add({ approval: 'pending' });
  expect((await Promise.all([queue.promote(id), queue.promote(id)])).filter(Boolean)).toHaveLength(1);
  expect([await queue.promote(id), await queue.promote('none-1')]).toEqual([false, false]);
});

test('the results that wait are counted, and so are those that were refused', async () => {
  const { client, queue } = await open();
  await queue.sendResult(endResult());
  await queue.sendResult(endResult({ round: 1 }));
  expect(await queue.results()).toEqual({ waiting: 2, refused: 0 });
  const [first] = await readResults(client, { count: 1, blockMs: 1 });
  const transaction = client.multi();
  keepRefused(transaction, first, 'nobody can read it');
  dropResults(transaction, [first.id]);
  await transaction.exec();
  expect(await queue.results()).toEqual({ waiting: 1, refused: 1 });
});
