import { type Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { OperatorError, UsageError } from '../errors.ts';
import { endResult } from './end-result.ts';
import { KEY_PREFIX, QUEUES, redisKey } from './names.ts';
import { type TaskState as StateName, stateOfOutcome } from './outcome.ts';
import { NO_PROGRESS, nextRound, type TaskProgress } from './progress.ts';
import { type EndResult, type Result, resultJobId, resultSchema } from './result.ts';
import { PRIORITIES, parseTask, type Task, taskSchema } from './task.ts';
import { finishUnbegunTask, readTaskStates, reopenTask, requestCancel, type TaskState } from './task-state.ts';
import { addTrace } from './trace.ts';

/** A task as `queue list` and `queue show` tell of it. */
export interface TaskView {
  readonly id: string;
  readonly state: StateName;
  readonly task: Task | undefined;
  readonly progress: TaskProgress;
  readonly outcome: string | undefined;
  readonly error: string | undefined;
  readonly endedAt: string | undefined;
  readonly end: EndResult | undefined;
  /** When it can be taken again, if it is delayed. */
  readonly delayedUntilMs: number | undefined;
}

const DAY_SECONDS = 86_400;
/** How long a person has to say yes. */
const APPROVAL_MS = 7 * DAY_SECONDS * 1_000;
const KEPT_CANCELLED = 1_000;
const CANCELLED_KEY = redisKey('cancelled');
const LIVE_STATES = ['active', 'wait', 'prioritized', 'delayed'] as const;
const JOB_OPTIONS = {
  removeOnComplete: { age: 7 * DAY_SECONDS, count: 1_000 },
  removeOnFail: { age: 30 * DAY_SECONDS, count: 5_000 },
};

/** The queue of tasks, for whoever puts work there or looks at it. The connection stays the caller's. */
export interface TaskQueue {
  /** @throws UsageError if the payload is wrong. A task with the dedupe key of one that is not over is that one. */
  readonly enqueue: (task: Task) => Promise<{ readonly id: string; readonly isNew: boolean }>;
  readonly show: (id: string) => Promise<TaskView | undefined>;
  /** All that is not over, then at most `endedLimit` that are, latest first. */
  readonly list: (endedLimit: number) => Promise<readonly TaskView[]>;
  /** How many tasks BullMQ holds by its states. */
  readonly counts: () => Promise<Readonly<Record<string, number>>>;
  /** When the task that has waited longest was asked for, milliseconds since 1970; undefined if none waits. */
  readonly oldestWaitingMs: () => Promise<number | undefined>;
  readonly activeIds: () => Promise<readonly string[]>;
  /** Takes away the lock of an active task whose worker is known to be dead, so that it need not run out. */
  readonly unlock: (id: string) => Promise<void>;
  /** How many results are not recorded yet. */
  readonly resultsWaiting: () => Promise<number>;
  /** Cancels a task; one that runs is stopped by its worker. Gives the state it is in then. */
  readonly cancel: (id: string, why: string) => Promise<StateName>;
  /** Has a task that failed or was cancelled tried again. */
  readonly retry: (id: string) => Promise<void>;
  /** Calls a delayed task now, if it is still delayed. */
  readonly promote: (id: string) => Promise<void>;
  /** Adds a result for the recorder; adding it twice is adding it once. */
  readonly sendResult: (result: Result) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Opens the queue on a connection. */
export function openTaskQueue(redis: Redis): TaskQueue {
  const options = { connection: redis, prefix: KEY_PREFIX };
  const tasks = new Queue<unknown>(QUEUES.tasks, options);
  const results = new Queue<Result>(QUEUES.results, options);
  // Without a listener an error event of a lost connection would end the process; the call under way fails by itself.
  for (const queue of [tasks, results]) queue.on('error', () => undefined);

  const sendResult = async (result: Result): Promise<void> => {
    await results.add(result.kind, resultSchema.parse(result), { jobId: resultJobId(result), ...RESULT_OPTIONS });
  };

  const show = async (id: string): Promise<TaskView | undefined> => {
    const [job, [state]] = await Promise.all([tasks.getJob(id), readTaskStates(redis, [id])]);
    if (job === undefined && state.end === undefined) return undefined;
    return viewTask(id, state, job, await (job === undefined ? undefined : tasks.getJobState(id)));
  };

  const need = async (id: string): Promise<TaskView> => {
    const view = await show(id);
    if (view !== undefined) return view;
    throw new OperatorError(`Could not find a task "${id.slice(0, 100)}" on the queue.`, 'See `swarm queue list`.');
  };

  return {
    sendResult,
    show,
    enqueue: async (unchecked) => {
      const task = parseTask(unchecked);
      const job = await tasks.add('task', task, {
        ...JOB_OPTIONS,
        jobId: task.id,
        priority: PRIORITIES[task.priority],
        ...(task.approval === 'pending' ? { delay: APPROVAL_MS } : {}),
        ...(task.dedupeKey === undefined ? {} : { deduplication: { id: task.dedupeKey } }),
      });
      const isNew = job.id === task.id;
      if (isNew) await addTrace(redis, task.id, 'requested', `by ${task.source}, ${task.agent} in ${task.project}`);
      return { id: job.id ?? task.id, isNew };
    },
    list: async (endedLimit) => {
      const [live, ended, cancelled] = await Promise.all([
        Promise.all(LIVE_STATES.map((name) => jobsIn(tasks, name, -1))),
        Promise.all((['failed', 'completed'] as const).map((name) => jobsIn(tasks, name, endedLimit))),
        redis.zrevrange(CANCELLED_KEY, 0, endedLimit - 1),
      ]);
      const found = [...live.flat(), ...ended.flat()];
      const states = await readTaskStates(redis, [...found.map(({ job }) => job.id ?? ''), ...cancelled]);
      const views = [
        ...found.map(({ job, name }, index) => viewTask(job.id ?? '', states[index], job, name)),
        ...cancelled.map((id, index) => viewTask(id, states[found.length + index], undefined, undefined)),
      ];
      const isLive = ({ endedAt }: TaskView): boolean => endedAt === undefined;
      const over = views.filter((view) => !isLive(view));
      over.sort((one, other) => (other.endedAt ?? '').localeCompare(one.endedAt ?? ''));
      const unique = new Map([...views.filter(isLive), ...over.slice(0, endedLimit)].map((view) => [view.id, view]));
      return [...unique.values()];
    },
    counts: () => tasks.getJobCounts(...LIVE_STATES, 'completed', 'failed'),
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
    resultsWaiting: async () => {
      const { wait = 0, active = 0, delayed = 0 } = await results.getJobCounts('wait', 'active', 'delayed');
      return wait + active + delayed;
    },
    cancel: async (id, why) => {
      const { state, task, progress } = await need(id);
      if (['completed', 'failed', 'cancelled'].includes(state)) return state;
      if (!(await requestCancel(redis, id)) || task === undefined) return (await need(id)).state;
      await addTrace(redis, id, 'cancel requested', why);
      // Asked again: who takes it up from now on sees the mark.
      if ((await tasks.getJobState(id)) === 'active') return 'active';
      const end = endResult(task, progress, { outcome: 'cancelled', error: why, nowMs: Date.now() });
      if (!(await finishUnbegunTask(redis, task, end))) return (await need(id)).state;
      await redis.zadd(CANCELLED_KEY, Date.now(), id);
      await redis.zremrangebyrank(CANCELLED_KEY, 0, -KEPT_CANCELLED - 1);
      await sendResult(end);
      // A worker that has it this moment removes it itself, having seen the end.
      await tasks.remove(id);
      return 'cancelled';
    },
    retry: async (id) => {
      const { state, task, progress } = await need(id);
      if (task === undefined || (state !== 'failed' && state !== 'cancelled')) {
        throw new UsageError(
          `Could not retry task "${id}": it is ${state}.`,
          'Only a task that failed or was cancelled can be tried again.',
        );
      }
      await reopenTask(redis, id, nextRound(progress));
      await addTrace(redis, id, 'retry requested');
      await redis.zrem(CANCELLED_KEY, id);
      const job = await tasks.getJob(id);
      if (job && (await job.isFailed())) await job.retry('failed');
      else await tasks.add('task', task, { ...JOB_OPTIONS, jobId: id, priority: PRIORITIES[task.priority] });
    },
    promote: async (id) => {
      // Somebody may have called or cancelled it in between; then there is nothing to do.
      if ((await tasks.getJobState(id)) === 'delayed') await (await tasks.getJob(id))?.promote().catch(() => undefined);
    },
    close: async () => {
      await Promise.all([tasks.close(), results.close()]);
    },
  };
}

/** How long results are kept for: long enough to see a memory that was away come back. */
const RESULT_OPTIONS = {
  removeOnComplete: { age: DAY_SECONDS, count: 1_000 },
  removeOnFail: { age: 30 * DAY_SECONDS },
};

/** BullMQ orders by priority × 2^32 + a counter (its Lua script getPriorityScore). */
const PRIORITY_FACTOR = 2 ** 32;

async function firstOfPriority(redis: Redis, priority: number): Promise<string | undefined> {
  const key = redisKey(QUEUES.tasks, 'prioritized');
  const [from, to] = [priority * PRIORITY_FACTOR, (priority + 1) * PRIORITY_FACTOR];
  const [id] = await redis.zrangebyscore(key, from, `(${to}`, 'LIMIT', 0, 1);
  return id;
}

interface JobIn {
  readonly job: Job<unknown>;
  readonly name: string;
}

async function jobsIn(
  queue: Queue<unknown>,
  name: (typeof LIVE_STATES)[number] | 'failed' | 'completed',
  limit: number,
): Promise<JobIn[]> {
  if (limit === 0) return [];
  const jobs = await queue.getJobs([name], 0, limit < 0 ? -1 : limit - 1);
  // Between listing and reading, a job may have gone.
  return jobs.filter((job) => job?.id !== undefined).map((job) => ({ job, name }));
}

function viewTask(id: string, state: TaskState, job: Job<unknown> | undefined, name: string | undefined): TaskView {
  const parsed = taskSchema.safeParse(job?.data);
  const task = parsed.success ? parsed.data : state.task;
  const { end, progress } = state;
  const isFailed = end === undefined && name === 'failed';
  const view = { id, task, progress: progress ?? NO_PROGRESS };
  return {
    ...view,
    state: end ? stateOfOutcome(end.outcome) : stateOfJob(name, task, progress),
    outcome: end?.outcome ?? (isFailed ? 'bad-request' : undefined),
    error: end?.error ?? (isFailed ? job?.failedReason : progress.lastError),
    end,
    endedAt: end?.endedAt ?? (isFailed && job?.finishedOn ? new Date(job.finishedOn).toISOString() : undefined),
    delayedUntilMs: name === 'delayed' && job ? job.timestamp + job.delay : undefined,
  };
}

function stateOfJob(name: string | undefined, task: Task | undefined, progress: TaskProgress): StateName {
  switch (name) {
    case 'active':
      return 'active';
    case 'completed':
      return 'completed';
    case 'failed':
      return 'failed';
    case 'delayed':
      if (task?.approval === 'pending') return 'needs-approval';
      return progress.waitingFor?.reason === 'project' ? 'waiting' : 'delayed';
    default:
      return 'waiting';
  }
}
