import type { ChainableCommander, Redis } from 'ioredis';
import { redisKey } from './names.ts';
import { NO_PROGRESS, type TaskProgress } from './progress.ts';
import type { EndResult } from './result.ts';
import { sending } from './results.ts';
import { createScript, createStep, runSteps, type Step } from './script.ts';
import type { Task } from './task.ts';

/** What Redis keeps of a task beside its job. Whoever takes the task up has a generation, and only the latest counts. */
export interface TaskState {
  readonly progress: TaskProgress;
  readonly end: EndResult | undefined;
  readonly isCancelled: boolean;
  /** Only of a task whose job is gone, or was for a moment: cancelled before it was begun, or tried again. */
  readonly task: Task | undefined;
}

const KEPT_AFTER_END_SECONDS = 35 * 86_400;
const FIELDS = ['progress', 'end', 'cancel', 'task'] as const;

/**
 * Later than every generation before it, those included that a Redis which lost its last second after a power cut has given
 * out and forgotten: hence its clock.
 */
const NEXT_GENERATION = `
local time = redis.call('TIME')
local generation = time[1] * 1000 + math.floor(time[2] / 1000)
local last = tonumber(redis.call('HGET', KEYS[1], 'generation') or '0')
if generation <= last then generation = last + 1 end
redis.call('HSET', KEYS[1], 'generation', string.format('%.0f', generation))`;

const BEGIN = createScript(`${NEXT_GENERATION}
return { generation, redis.call('HMGET', KEYS[1], 'progress', 'end', 'cancel', 'task') }`);

const done = (): true => true;

const HOLD = createStep("return redis.call('HGET', KEYS[1], 'generation') == ARGV[1]", done);

const ENDED = createStep("return redis.call('HEXISTS', KEYS[1], 'end') == 1", done);

const SAVE = createStep(
  `
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then return false end
return redis.call('HSET', KEYS[1], 'progress', ARGV[2])`,
  done,
);

const FINISH = createStep(
  `
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then return false end
if redis.call('HEXISTS', KEYS[1], 'end') == 1 then return false end
redis.call('HSET', KEYS[1], 'progress', ARGV[2], 'end', ARGV[3])
return redis.call('EXPIRE', KEYS[1], ARGV[4])`,
  done,
);

const FINISH_UNBEGUN = createStep(
  `
if redis.call('HEXISTS', KEYS[1], 'end') == 1 then return false end
${NEXT_GENERATION}
redis.call('HSET', KEYS[1], 'end', ARGV[1], 'task', ARGV[2], 'cancel', '1')
return redis.call('EXPIRE', KEYS[1], ARGV[3])`,
  done,
);

const REOPEN = createScript(`
if redis.call('HEXISTS', KEYS[1], 'end') == 0 then return 0 end
${NEXT_GENERATION}
redis.call('HSET', KEYS[1], 'progress', ARGV[1])
redis.call('HDEL', KEYS[1], 'end', 'cancel', 'task')
redis.call('PERSIST', KEYS[1])
return 1`);

const KEEP_TASK = createScript(`
if redis.call('HEXISTS', KEYS[1], 'end') == 0 then return 0 end
redis.call('HSET', KEYS[1], 'task', ARGV[1])
return 1`);

const CANCEL = createScript(`
if redis.call('HEXISTS', KEYS[1], 'end') == 1 then return 0 end
redis.call('HSET', KEYS[1], 'cancel', '1')
return 1`);

/** Takes a task up: every earlier generation is void from now on. */
export async function beginTask(redis: Redis, id: string): Promise<TaskState & { readonly generation: number }> {
  const [generation, fields] = (await BEGIN(redis, [key(id)], [])) as [number, unknown];
  return { generation, ...parseTaskState(fields) };
}

/** Whether a task is still the claim's; the last step if not, so that a command that comes late does nothing. */
export function holding({ id, generation }: TaskClaim): Step<true> {
  return HOLD([key(id)], [generation]);
}

/** Whether a task has ended, whoever ended it; the last step if not. */
export function hasEnded(id: string): Step<true> {
  return ENDED([key(id)], []);
}

/** Saves how far a task has come; the last step if somebody else has taken the task up since. */
export function saving({ id, generation }: TaskClaim, progress: TaskProgress): Step<true> {
  return SAVE([key(id)], [generation, JSON.stringify(progress)]);
}

/** A task and the generation under which somebody works on it. */
export interface TaskClaim {
  readonly id: string;
  readonly generation: number;
}

/**
 * Ends a task, and tells the recorder; the last step if it has ended already, or somebody else has taken it up since. An end
 * that stands is on its way into the memory, whatever dies next.
 */
export function finishing(
  { id, generation }: TaskClaim,
  progress: TaskProgress,
  end: EndResult,
): readonly [Step<true>, Step] {
  const args = [generation, JSON.stringify(progress), JSON.stringify(end), KEPT_AFTER_END_SECONDS];
  return [FINISH([key(id)], args), sending(end)];
}

/** Ends a task that nobody works on, and tells the recorder; whoever took it up this moment finds its generation void. */
export async function finishUnbegunTask(redis: Redis, task: Task, end: EndResult): Promise<boolean> {
  const args = [JSON.stringify(end), JSON.stringify(task), KEPT_AFTER_END_SECONDS];
  const [isFinished] = await runSteps(redis, FINISH_UNBEGUN([key(task.id)], args), sending(end));
  return isFinished === true;
}

/** Keeps the payload of a task that has ended, so that it outlives its job; false if it has not ended. */
export async function keepTask(redis: Redis, task: Task): Promise<boolean> {
  return (await KEEP_TASK(redis, [key(task.id)], [JSON.stringify(task)])) === 1;
}

/** Lets a task that has ended be tried again; false if it has not. */
export async function reopenTask(redis: Redis, id: string, progress: TaskProgress): Promise<boolean> {
  return (await REOPEN(redis, [key(id)], [JSON.stringify(progress)])) === 1;
}

/** Marks a task as not wanted any more; false if it has ended. */
export async function requestCancel(redis: Redis, id: string): Promise<boolean> {
  return (await CANCEL(redis, [key(id)], [])) === 1;
}

/** What is known of some tasks, in their order. */
export async function readTaskStates(redis: Redis, ids: readonly string[]): Promise<readonly TaskState[]> {
  const pipeline = redis.pipeline();
  for (const id of ids) askTaskState(pipeline, id);
  const answers = (await pipeline.exec()) ?? [];
  return answers.map(([error, fields]) => {
    if (error) throw error;
    return parseTaskState(fields);
  });
}

/** Asks within a pipeline for what `parseTaskState` reads. */
export function askTaskState(pipeline: ChainableCommander, id: string): void {
  pipeline.hmget(key(id), ...FIELDS);
}

/** Whether a task is still this generation's, and wanted: what a worker asks while an agent runs. */
export async function checkClaim(redis: Redis, { id, generation }: TaskClaim): Promise<'ours' | 'cancelled' | 'lost'> {
  const [current, cancel] = await redis.hmget(key(id), 'generation', 'cancel');
  if (current !== String(generation)) return 'lost';
  return cancel === null ? 'ours' : 'cancelled';
}

function key(id: string): string {
  return redisKey('task', id);
}

/** The answer to `askTaskState`. */
export function parseTaskState(answer: unknown): TaskState {
  const [progress, end, cancel, task] = answer as readonly (string | null)[];
  return {
    progress: progress === null ? NO_PROGRESS : (JSON.parse(progress) as TaskProgress),
    end: end === null ? undefined : (JSON.parse(end) as EndResult),
    isCancelled: cancel !== null,
    task: task === null ? undefined : (JSON.parse(task) as Task),
  };
}
