import type { Redis } from 'ioredis';
import { OperatorError, UnreachableError } from '../../lib/errors.ts';
import { readGates } from '../../lib/queue/gates.ts';
import type { TaskQueue } from '../../lib/queue/task-queue.ts';
import type { TaskView } from '../../lib/queue/task-view.ts';
import { readTrace } from '../../lib/queue/trace.ts';
import { loadCommandConfig } from '../command.ts';
import { localTime } from '../local-time.ts';
import { oneLine } from './describe-task.ts';
import { withQueue } from './open-queue.ts';

const LOOK_EVERY_MS = 300;
/** Workers come and go seldom, and asking for them makes Redis list its clients. */
const LOOK_AROUND_EVERY_MS = 3_000;
/** A task may wait for a usage limit, which lasts hours. */
const WAIT_AT_MOST_MS = 24 * 3_600_000;
/** Redis may be started anew meanwhile. */
const REDIS_AWAY_AT_MOST_MS = 5 * 60_000;
const REDIS_RETRY_MS = 1_000;

/** What was told already, so that nothing is told twice, over all connections. */
interface Told {
  latest: string;
  state: string;
  around: string;
  /** Tells something that happened at a moment, now if none is given. */
  readonly tell: (text: string, atMs?: number) => void;
}

/**
 * Looks until the task is over, and tells on standard error what happens to it, and what keeps it waiting. A Redis that goes
 * away is waited for.
 * @throws OperatorError if the task is not over after 24 hours, or is gone; UnreachableError if Redis is away for 5 minutes.
 */
export async function waitForEnd(id: string): Promise<TaskView> {
  const { timezone } = loadCommandConfig();
  const tell = (text: string, atMs = Date.now()): void =>
    void process.stderr.write(`${localTime(atMs, timezone).time} ${text}\n`);
  const told: Told = { latest: '', state: '', around: '', tell };
  const untilMs = performance.now() + WAIT_AT_MOST_MS;
  tell(`waiting for task ${id}`);
  let awaySinceMs: number | undefined;
  for (;;) {
    try {
      return await withQueue((queue, redis) => {
        awaySinceMs = undefined;
        return follow(queue, redis, { id, told, untilMs });
      });
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      if (awaySinceMs === undefined) tell('Redis does not answer; waiting for it');
      awaySinceMs ??= performance.now();
      if (performance.now() - awaySinceMs > REDIS_AWAY_AT_MOST_MS) throw error;
      await sleep(REDIS_RETRY_MS);
    }
  }
}

interface Wait {
  readonly id: string;
  readonly told: Told;
  readonly untilMs: number;
}

async function follow(queue: TaskQueue, redis: Redis, { id, told, untilMs }: Wait): Promise<TaskView> {
  let lookAroundMs = 0;
  while (performance.now() < untilMs) {
    const view = await queue.show(id);
    await tellTrace(redis, id, told);
    if (view === undefined) {
      throw new OperatorError(`Task ${id} is not on the queue any more.`, 'Was Redis emptied? Enqueue it again.');
    }
    if (view.state !== told.state) told.tell(view.state);
    told.state = view.state;
    if (view.endedAt !== undefined) return view;
    if (performance.now() >= lookAroundMs) {
      if (view.state !== 'active') await tellAround(queue, redis, told);
      lookAroundMs = performance.now() + LOOK_AROUND_EVERY_MS;
    }
    await sleep(LOOK_EVERY_MS);
  }
  throw new OperatorError(`Task ${id} is not over after 24 hours.`, `See: swarm queue show ${id}`);
}

/** Events since the latest one told; the oldest are forgotten by and by, so that a count of them would not do. */
async function tellTrace(redis: Redis, id: string, told: Told): Promise<void> {
  const trace = await readTrace(redis, id);
  const known = trace.findLastIndex((event) => JSON.stringify(event) === told.latest);
  for (const { at, event, detail } of trace.slice(known + 1)) {
    told.tell(`${event}${detail === undefined ? '' : `: ${oneLine(detail, 200)}`}`, Date.parse(at));
  }
  const latest = trace.at(-1);
  if (latest) told.latest = JSON.stringify(latest);
}

/** Why nobody takes the task, if that is so. */
async function tellAround(queue: TaskQueue, redis: Redis, told: Told): Promise<void> {
  const [workers, gates] = await Promise.all([queue.workers(), readGates(redis, Date.now())]);
  const reasons = [
    ...(workers === 0 ? ['no orchestrator is running: start one (npm start)'] : []),
    ...gates.map(({ reason, text }) => `the queue is paused (${reason}): ${oneLine(text, 200)}`),
  ];
  const around = reasons.join('\n');
  if (around !== told.around) for (const reason of reasons) told.tell(reason);
  told.around = around;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
