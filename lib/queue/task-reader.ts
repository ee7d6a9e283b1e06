import type { Redis } from 'ioredis';
import { QUEUES, redisKey } from './names.ts';
import { askTaskState, parseTaskState } from './task-state.ts';
import { type Place, type StoredJob, type TaskView, viewTask } from './task-view.ts';

/** A task to read, and where BullMQ has it. */
export interface Placed {
  readonly id: string;
  readonly place: Place;
}

/** Tasks that are over and whose jobs are gone, mostly because they were cancelled before they were begun: since when. */
export const CANCELLED_KEY = redisKey('cancelled');

const JOB_FIELDS = ['data', 'timestamp', 'delay', 'failedReason', 'finishedOn'] as const;
/** So many are read at once: a payload can have 100 kB. */
const AT_ONCE = 500;
/** A list shows the beginning of a prompt. */
const LISTED_PROMPT = 200;

/** Reads tasks, in their order; undefined for what there is not. */
export async function readTasks(redis: Redis, placed: readonly Placed[]): Promise<readonly (TaskView | undefined)[]> {
  const pipeline = redis.pipeline();
  for (const { id } of placed) {
    pipeline.hmget(jobKey(id), ...JOB_FIELDS);
    askTaskState(pipeline, id);
  }
  const answers = (await pipeline.exec()) ?? [];
  return placed.map(({ id, place }, index) => {
    const [[jobError, job], [stateError, state]] = answers.slice(index * 2, index * 2 + 2);
    // Some of BullMQ's own keys have the names of jobs, but are none.
    const isNoJob = jobError?.message.startsWith('WRONGTYPE');
    if (stateError ?? (isNoJob ? undefined : jobError)) throw stateError ?? jobError;
    return viewTask(id, { place, job: isNoJob ? undefined : parseJob(job), state: parseTaskState(state) });
  });
}

/** All that is not over, what runs and what comes next first; then at most `endedLimit` that are, latest first. */
export async function listTasks(redis: Redis, endedLimit: number): Promise<readonly TaskView[]> {
  const placed = await snapshot(redis, endedLimit);
  const views = new Map<string, TaskView>();
  for (let from = 0; from < placed.length; from += AT_ONCE) {
    for (const view of await readTasks(redis, placed.slice(from, from + AT_ONCE))) {
      if (view) views.set(view.id, shorten(view));
    }
  }
  const all = [...views.values()];
  const over = all.filter(isOver).sort((one, other) => timeOf(other).localeCompare(timeOf(one)));
  return [...all.filter((view) => !isOver(view)), ...over.slice(0, endedLimit)];
}

/** Every id and its place in one moment: a task that moves meanwhile is neither missed nor there twice. */
async function snapshot(redis: Redis, endedLimit: number): Promise<readonly Placed[]> {
  const last = Math.max(endedLimit, 1) - 1;
  const answers = await redis
    .multi()
    .lrange(placeKey('active'), 0, -1)
    .lrange(placeKey('wait'), 0, -1)
    .zrange(placeKey('prioritized'), '0', '-1')
    .zrange(placeKey('delayed'), '0', '-1')
    .zrevrange(placeKey('failed'), 0, last)
    .zrevrange(placeKey('completed'), 0, last)
    .zrevrange(CANCELLED_KEY, 0, last)
    .exec();
  const lists = (answers ?? []).map(([error, ids]) => {
    if (error) throw error;
    return ids as string[];
  });
  const [active, wait, prioritized, delayed, failed, completed, cancelled] = lists;
  const at = (place: Place, ids: readonly string[]): Placed[] => ids.map((id) => ({ id, place }));
  // BullMQ takes from the end of the list of those who wait.
  const live = [
    ...at('active', active.toReversed()),
    ...at('wait', wait.toReversed()),
    ...at('prioritized', prioritized),
    ...at('delayed', delayed),
  ];
  if (endedLimit === 0) return live;
  return [...live, ...at('failed', failed), ...at('completed', completed), ...at(undefined, cancelled)];
}

function parseJob(answer: unknown): StoredJob | undefined {
  const [data, timestamp, delay, failedReason, finishedOn] = answer as readonly (string | null)[];
  if (data === null) return undefined;
  return {
    data: parseData(data),
    failedReason: failedReason ?? undefined,
    finishedOnMs: finishedOn === null ? undefined : Number(finishedOn),
    dueMs: Number(timestamp) + Number(delay),
  };
}

function parseData(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function shorten(view: TaskView): TaskView {
  const { task, end } = view;
  return {
    ...view,
    task: task && {
      ...task,
      prompt: task.prompt.slice(0, LISTED_PROMPT),
      ...(task.review ? { review: { ...task.review, material: '' } } : {}),
    },
    end: end && { ...end, prompt: end.prompt.slice(0, LISTED_PROMPT) },
  };
}

function isOver({ endedAt, state }: TaskView): boolean {
  return endedAt !== undefined || state === 'completed' || state === 'failed';
}

function timeOf({ endedAt }: TaskView): string {
  return endedAt ?? '';
}

function placeKey(place: NonNullable<Place>): string {
  return redisKey(QUEUES.tasks, place);
}

function jobKey(id: string): string {
  return redisKey(QUEUES.tasks, id);
}
