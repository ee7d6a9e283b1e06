import { DelayedError, type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { describeError } from '../lib/errors.ts';
import { KEY_PREFIX, QUEUES } from '../lib/queue/names.ts';
import { parseTask, type Task } from '../lib/queue/task.ts';
import { beginTask, readTaskStates } from '../lib/queue/task-state.ts';
import type { Hold } from './hold.ts';
import type { Conclusion, Parts } from './parts.ts';
import { handleTask } from './task-handler.ts';

/** How soon the death of a worker is noticed. */
export interface WorkerTimings {
  readonly lockMs: number;
  readonly stalledCheckMs: number;
}

export const DEFAULT_TIMINGS: WorkerTimings = { lockMs: 60_000, stalledCheckMs: 10_000 };

/** Takes tasks from the queue, as many at once as it is told. */
export interface TaskWorker {
  readonly setConcurrency: (concurrency: number) => void;
  /** Takes no task while it is paused; those under way go on. */
  readonly setPaused: (isPaused: boolean) => void;
  readonly running: () => number;
  readonly isRunning: (taskId: string) => boolean;
  /** Ends every run under way and gives its task back; resolves when all have ended. */
  readonly stopRuns: (how: 'shutdown' | 'shutdown-now') => Promise<void>;
  /** Resolves when no run is under way. */
  readonly idle: () => Promise<void>;
  readonly close: () => Promise<void>;
}

interface Work {
  readonly hold: { current: Hold | undefined };
  readonly stop: AbortController;
  readonly conclusion: Promise<Conclusion>;
}

/** A worker on a connection of its own, which BullMQ closes. It starts paused. */
export function startTaskWorker(
  parts: Parts,
  connection: Redis,
  { lockMs, stalledCheckMs }: WorkerTimings = DEFAULT_TIMINGS,
): TaskWorker {
  const works = new Map<string, Work>();

  const start = (task: Task): Work => {
    const stop = new AbortController();
    const hold: Work['hold'] = { current: undefined };
    const conclusion = handleTask(parts, task, stop, (made) => {
      hold.current = made;
    });
    const work = { hold, stop, conclusion };
    works.set(task.id, work);
    const forget = (): void => {
      if (works.get(task.id) === work) works.delete(task.id);
    };
    conclusion.then(forget, forget);
    return work;
  };

  const process = async (job: Job<unknown>, token?: string): Promise<unknown> => {
    const task = parseJob(job);
    const known = works.get(task.id);
    // Redis lost our lock while we work on the task, and has given it to us again: the work goes on under the new job.
    if (known?.hold.current) known.hold.current.generation = (await beginTask(parts.redis, task.id)).generation;
    // BullMQ waits for a job for up to 5 s at a time, and then hands it over though it was paused meanwhile.
    if (!known && worker.isPaused()) return await apply(parts, job, { token, conclusion: { kind: 'requeued' } });
    const conclusion = await (known ?? start(task)).conclusion;
    return await apply(parts, job, { token, conclusion });
  };

  const worker = new Worker<unknown>(QUEUES.tasks, process, {
    connection,
    prefix: KEY_PREFIX,
    concurrency: 1,
    autorun: false,
    lockDuration: lockMs,
    stalledInterval: stalledCheckMs,
    // How often a task may be found after a crash is our own policy.
    maxStalledCount: 1_000_000,
    drainDelay: 5,
  });
  worker.on('error', (error) => parts.log.warn({ reason: describeError(error) }, 'the queue reported a problem'));
  worker.on('failed', (job, error) =>
    parts.log.warn({ taskId: job?.id, reason: describeError(error) }, 'a task failed'),
  );
  void worker.run().catch((error: unknown) => parts.log.error({ reason: describeError(error) }, 'the worker ended'));
  void worker.pause(true);

  return {
    setConcurrency: (concurrency) => {
      worker.concurrency = concurrency;
    },
    setPaused: (isPaused) => {
      if (isPaused === worker.isPaused()) return;
      if (isPaused) void worker.pause(true);
      else void worker.resume();
    },
    running: () => works.size,
    isRunning: (taskId) => works.has(taskId),
    stopRuns: async (how) => {
      for (const { stop } of works.values()) stop.abort(how);
      await Promise.allSettled([...works.values()].map(({ conclusion }) => conclusion));
    },
    idle: async () => {
      while (works.size > 0) await Promise.allSettled([...works.values()].map(({ conclusion }) => conclusion));
    },
    close: () => worker.close(),
  };
}

/** A payload that is no task fails at once: it would be no better the next time. */
function parseJob(job: Job<unknown>): Task {
  try {
    const task = parseTask(job.data);
    if (task.id === job.id) return task;
  } catch (error) {
    throw new UnrecoverableError(describeError(error, 2_000));
  }
  throw new UnrecoverableError(`Could not accept the task: its id is not that of its job, "${job.id}".`);
}

/** Tells BullMQ what becomes of the job. */
async function apply(
  parts: Parts,
  job: Job<unknown>,
  { token, conclusion }: { readonly token: string | undefined; readonly conclusion: Conclusion },
): Promise<unknown> {
  const { slots, queue } = parts;
  switch (conclusion.kind) {
    case 'ended': {
      const { outcome, error, costUsd } = conclusion.end;
      if (outcome === 'ok') return { outcome, costUsd };
      throw new UnrecoverableError(error ?? outcome);
    }
    case 'delayed':
      await job.moveToDelayed(conclusion.untilMs, token);
      // Called just before it was parked, it would not be called again.
      if (conclusion.parkedIn !== undefined && !(await slots.isParked(conclusion.parkedIn, job.id ?? ''))) {
        await queue.promote(job.id ?? '');
      }
      await cancelIfMarked(parts, job.id ?? '');
      throw new DelayedError();
    case 'requeued':
      await job.moveToWait(token);
      await cancelIfMarked(parts, job.id ?? '');
      throw new WaitingError();
    case 'lost':
      // The job is somebody else's, or gone: BullMQ refuses whatever we say of it.
      throw new UnrecoverableError('The task was taken up by another worker; this run does not count.');
  }
}

/** Who cancelled it while it was active left only a mark, and nobody works on it any more who would look for one. */
async function cancelIfMarked({ redis, queue }: Parts, id: string): Promise<void> {
  const [state] = await readTaskStates(redis, [id]);
  if (state.isCancelled && !state.end) await queue.cancel(id, 'Cancelled before an agent was started.');
}
