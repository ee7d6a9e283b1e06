import type { Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { OperatorError, UsageError } from '../errors.ts';
import { APPROVAL_MS } from './approval.ts';
import { nextRound } from './progress.ts';
import type { Task } from './task.ts';
import { CANCELLED_KEY } from './task-reader.ts';
import { keepTask, reopenTask } from './task-state.ts';
import type { TaskView } from './task-view.ts';
import { addTrace } from './trace.ts';

/** The queue, as far as a task is tried again on it. */
interface Place {
  readonly redis: Redis;
  readonly tasks: Queue<unknown>;
  readonly add: (task: Task, delayMs: number) => Promise<Job<unknown>>;
  readonly promote: (id: string) => Promise<boolean>;
}

/** What is tried again, and how its trace says so. */
interface Again {
  readonly view: TaskView;
  /** Its payload from now on. */
  readonly task: Task | undefined;
  readonly event: string;
  readonly detail?: string | undefined;
}

/** A task that is tried again waits so long at most for its old end to be forgotten. */
const REOPEN_MS = 10_000;
const [LET_GO_TRIES, LET_GO_EVERY_MS] = [20, 100];

/**
 * Puts a task that failed or was cancelled on the queue again, in its next round.
 * @throws UsageError if it is in another state, or another task of its dedupe key is not over.
 */
export async function tryAgain(place: Place, { view, task, event, detail }: Again): Promise<void> {
  const { redis, tasks, add, promote } = place;
  const { id, state, progress } = view;
  if (state !== 'failed' && state !== 'cancelled') throw notRetriable(id, `it is ${state}`);
  if (task === undefined) throw notRetriable(id, 'what it was asked is not known here, or not understood');
  // In an order in which nothing is lost whatever line we die at: until it is reopened, its old end counts.
  if (!(await keepTask(redis, task))) throw notRetriable(id, 'somebody else has had it tried again this moment');
  await removeEnded(tasks, id);
  const { id: addedId } = await add(task, task.approval === 'pending' ? APPROVAL_MS : REOPEN_MS);
  if (addedId !== id) {
    // A twin is there. This one's old job is gone, and the list must not forget it.
    await redis.zadd(CANCELLED_KEY, Date.now(), id);
    throw notRetriable(id, `task "${addedId}" has the same dedupe key and is not over`);
  }
  if (!(await reopenTask(redis, id, nextRound(progress)))) {
    throw notRetriable(id, 'somebody else has had it tried again this moment');
  }
  await redis.zrem(CANCELLED_KEY, id);
  await addTrace(redis, id, event, detail);
  if (task.approval !== 'pending') await promote(id);
}

/** The end of a task stands before its worker lets go of the job. */
async function removeEnded(tasks: Queue<unknown>, id: string): Promise<void> {
  for (let tries = LET_GO_TRIES; tries > 0; tries -= 1) {
    if ((await tasks.remove(id)) === 1) return;
    await new Promise((resolve) => setTimeout(resolve, LET_GO_EVERY_MS));
  }
  throw new OperatorError(`Could not retry task "${id}": its worker still holds it.`, 'Try again in a moment.');
}

function notRetriable(id: string, reason: string): UsageError {
  return new UsageError(
    `Could not retry task "${id.slice(0, 100)}": ${reason}.`,
    'Only a task that failed or was cancelled can be tried again.',
  );
}
