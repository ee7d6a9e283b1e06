import { type Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { OperatorError } from '../errors.ts';
import { APPROVAL_MS } from './approval.ts';
import { endResult } from './end-result.ts';
import { grantTools } from './grant.ts';
import { KEY_PREFIX, QUEUES, redisKey } from './names.ts';
import type { TaskState as StateName } from './outcome.ts';
import { createRedisTrust } from './redis-trust.ts';
import type { Result } from './result.ts';
import { countResults, sendResult } from './results.ts';
import { PRIORITIES, parseTask, type Task } from './task.ts';
import { CANCELLED_KEY, listTasks, readTasks } from './task-reader.ts';
import { finishUnbegunTask, requestCancel } from './task-state.ts';
import type { Place, TaskView } from './task-view.ts';
import { addTrace, dropTrace } from './trace.ts';
import { tryAgain } from './try-again.ts';

const DAY_SECONDS = 86_400;
const KEPT_CANCELLED = 1_000;
const PLACES = ['active', 'wait', 'prioritized', 'delayed', 'completed', 'failed'] as const;
const OVER: readonly StateName[] = ['completed', 'failed', 'cancelled'];
const JOB_OPTIONS = {
  removeOnComplete: { age: 7 * DAY_SECONDS, count: 1_000 },
  removeOnFail: { age: 30 * DAY_SECONDS, count: 5_000 },
};

/** The queue of tasks, for whoever puts work there or looks at it. The connection stays the caller's. */
export interface TaskQueue {
  /**
   * A task with the dedupe key of one that is not over is that one, and so is one whose id is known already. It is not taken
   * before `delayMs` have passed.
   * @throws UsageError if the payload is wrong, UnreachableError if this Redis would lose it.
   */
  readonly enqueue: (task: Task, delayMs?: number) => Promise<{ readonly id: string; readonly isNew: boolean }>;
  readonly show: (id: string) => Promise<TaskView | undefined>;
  /** All that is not over, then at most `endedLimit` that are, latest first; prompts are cut. */
  readonly list: (endedLimit: number) => Promise<readonly TaskView[]>;
  /** How many tasks BullMQ holds by its states. */
  readonly counts: () => Promise<Readonly<Record<string, number>>>;
  /** When the task that has waited longest was asked for, milliseconds since 1970; undefined if none waits. */
  readonly oldestWaitingMs: () => Promise<number | undefined>;
  readonly activeIds: () => Promise<readonly string[]>;
  /** Takes away the lock of an active task whose worker is known to be dead, so that it need not run out. */
  readonly unlock: (id: string) => Promise<void>;
  /** How many workers are connected, whether they take tasks or are paused. */
  readonly workers: () => Promise<number>;
  /** How many results are not recorded yet, and how many the recorder has refused. */
  readonly results: () => Promise<{ readonly waiting: number; readonly refused: number }>;
  /** Cancels a task; one that runs is stopped by its worker. Gives the state it is in then. */
  readonly cancel: (id: string, why: string) => Promise<StateName>;
  /**
   * Has a task that failed or was cancelled tried again; gives the state it is in then.
   * @throws UsageError if it is in another state, or another task of its dedupe key is not over; UnreachableError if this
   * Redis would lose it.
   */
  readonly retry: (id: string) => Promise<StateName>;
  /**
   * Has a task that ended for want of a tool tried again, with exactly the calls granted that its agent was refused; gives the
   * state it is in then.
   * @throws UsageError if it asks for nothing that can be granted, or could not be retried; UnreachableError likewise.
   */
  readonly grant: (id: string) => Promise<StateName>;
  /**
   * Says yes to a task that waits for it; gives the state it is in then. Doing it again does what a crash has left undone.
   */
  readonly approve: (id: string) => Promise<StateName>;
  /** The tasks that wait for a yes, and have some time left. */
  readonly pending: () => Promise<readonly TaskView[]>;
  /** Calls a delayed task now; false if it is not delayed any more. */
  readonly promote: (id: string) => Promise<boolean>;
  /** Hands the recorder a result. */
  readonly sendResult: (result: Result) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Opens the queue on a connection. */
export function openTaskQueue(redis: Redis): TaskQueue {
  // BullMQ would look at INFO by itself, and complain on the terminal: `assertTrusted` says it where it matters.
  const options = { connection: redis, prefix: KEY_PREFIX, skipVersionCheck: true };
  const tasks = new Queue<unknown>(QUEUES.tasks, options);
  const assertTrusted = createRedisTrust(redis);
  // Without a listener an error event of a lost connection would end the process; the call under way fails by itself.
  tasks.on('error', () => undefined);

  const placeOf = async (id: string): Promise<Place> => {
    const place = await tasks.getJobState(id);
    return PLACES.find((each) => each === place);
  };

  const show = async (id: string): Promise<TaskView | undefined> => {
    // Where it is comes first: whoever ends it says so before it moves.
    const [view] = await readTasks(redis, [{ id, place: await placeOf(id) }]);
    return view;
  };

  const need = async (id: string): Promise<TaskView> => {
    const view = await show(id);
    if (view !== undefined) return view;
    throw new OperatorError(`Could not find a task "${id.slice(0, 100)}" on the queue.`, 'See `swarm queue list`.');
  };

  const add = (task: Task, delayMs: number): Promise<Job<unknown>> =>
    tasks.add('task', task, {
      ...JOB_OPTIONS,
      jobId: task.id,
      priority: PRIORITIES[task.priority],
      ...(delayMs === 0 ? {} : { delay: delayMs }),
      ...(task.dedupeKey === undefined ? {} : { deduplication: { id: task.dedupeKey } }),
    });

  const promote = async (id: string): Promise<boolean> => {
    if ((await placeOf(id)) !== 'delayed') return false;
    const job = await tasks.getJob(id);
    // Somebody may have called or cancelled it in between.
    return (
      (await job?.promote().then(
        () => true,
        () => false,
      )) === true
    );
  };

  return {
    show,
    promote,
    enqueue: async (unchecked, delayMs = 0) => {
      const task = parseTask(unchecked);
      await assertTrusted();
      if ((await show(task.id)) !== undefined) return { id: task.id, isNew: false };
      // Before it is there: whoever takes it up writes the next line.
      await addTrace(redis, task.id, 'requested', `by ${task.source}, ${task.agent} in ${task.project}`);
      const { id = task.id } = await add(task, task.approval === 'pending' ? APPROVAL_MS : delayMs);
      if (id !== task.id) await dropTrace(redis, task.id);
      return { id, isNew: id === task.id };
    },
    list: (endedLimit) => listTasks(redis, endedLimit),
    counts: () => tasks.getJobCounts(...PLACES),
    oldestWaitingMs: async () => {
      // One of each priority: within a priority the first is the oldest.
      const oldest = await Promise.all(Object.values(PRIORITIES).map((priority) => firstOfPriority(redis, priority)));
      const jobs = await Promise.all(oldest.filter((id) => id !== undefined).map((id) => tasks.getJob(id)));
      const times = jobs.filter((job) => job !== undefined).map(({ timestamp }) => timestamp);
      return times.length === 0 ? undefined : Math.min(...times);
    },
    activeIds: () => redis.lrange(redisKey(QUEUES.tasks, 'active'), 0, -1),
    unlock: async (id) => {
      await redis.del(redisKey(QUEUES.tasks, id, 'lock'));
    },
    workers: () => tasks.getWorkersCount(),
    results: () => countResults(redis),
    sendResult: (result) => sendResult(redis, result),
    cancel: async (id, why) => {
      const { state, task } = await need(id);
      if (OVER.includes(state)) return state;
      if (task === undefined) {
        // No task, so that there is nothing to record; a worker that has it this moment refuses it.
        await tasks.remove(id);
        return 'cancelled';
      }
      if (!(await requestCancel(redis, id))) return (await need(id)).state;
      await addTrace(redis, id, 'cancel requested', why);
      // Asked again: who takes it up from now on sees the mark.
      if ((await placeOf(id)) === 'active') return 'active';
      // Read again: of a run that ended this moment the costs are known now.
      const { progress } = await need(id);
      const end = endResult(task, progress, { outcome: 'cancelled', error: why, nowMs: Date.now() });
      if (!(await finishUnbegunTask(redis, task, end))) return (await need(id)).state;
      await redis.zadd(CANCELLED_KEY, Date.now(), id);
      await redis.zremrangebyrank(CANCELLED_KEY, 0, -KEPT_CANCELLED - 1);
      await addTrace(redis, id, 'ended', `cancelled: ${why}`);
      // A worker that has it this moment removes it itself, having seen the end.
      await tasks.remove(id);
      return 'cancelled';
    },
    retry: async (id) => {
      await assertTrusted();
      const view = await need(id);
      await tryAgain({ redis, tasks, add, promote }, { view, task: view.task, event: 'retry requested' });
      return (await need(id)).state;
    },
    grant: async (id) => {
      await assertTrusted();
      const view = await need(id);
      const task = grantTools(view);
      const detail = task.grantedTools?.join('; ');
      await tryAgain({ redis, tasks, add, promote }, { view, task, event: 'tools granted', detail });
      return (await need(id)).state;
    },
    approve: async (id) => {
      const { state, task } = await need(id);
      if (task === undefined || OVER.includes(state) || task.approval === 'not-needed') return state;
      if (task.approval === 'pending') {
        // The yes stands before the task is called: who takes it up finds it.
        await (await tasks.getJob(id))?.updateData({ ...task, approval: 'granted' });
        await addTrace(redis, id, 'approved');
      }
      // Only one that waits for its yes: a later attempt waits for something else.
      if ((await placeOf(id)) === 'delayed' && (await longDelayed(redis)).includes(id)) await promote(id);
      return (await need(id)).state;
    },
    pending: async () => {
      const placed = (await longDelayed(redis)).map((id) => ({ id, place: 'delayed' as const }));
      const views = await readTasks(redis, placed);
      return views.filter((view) => view !== undefined).filter(({ state }) => state === 'needs-approval');
    },
    close: () => tasks.close(),
  };
}

/** What waits for a yes waits for days, and hardly anything else for more than this. */
const LONG_DELAY_MS = 30 * 60_000;
/** BullMQ orders the delayed by milliseconds × 4,096 + a counter. */
const DELAY_FACTOR = 0x1000;

async function longDelayed(redis: Redis): Promise<readonly string[]> {
  const from = (Date.now() + LONG_DELAY_MS) * DELAY_FACTOR;
  return await redis.zrangebyscore(redisKey(QUEUES.tasks, 'delayed'), from, '+inf');
}

/** BullMQ orders by priority × 2^32 + a counter (its Lua script getPriorityScore). */
const PRIORITY_FACTOR = 2 ** 32;

async function firstOfPriority(redis: Redis, priority: number): Promise<string | undefined> {
  const key = redisKey(QUEUES.tasks, 'prioritized');
  const [from, to] = [priority * PRIORITY_FACTOR, (priority + 1) * PRIORITY_FACTOR];
  const [id] = await redis.zrangebyscore(key, from, `(${to}`, 'LIMIT', 0, 1);
  return id;
}
