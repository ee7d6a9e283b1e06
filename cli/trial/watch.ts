import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { readGates } from '../../lib/queue/gates.ts';
import type { TaskQueue } from '../../lib/queue/task-queue.ts';
import type { TaskView } from '../../lib/queue/task-view.ts';
import { readTrace } from '../../lib/queue/trace.ts';

/** How long to look, and whom to tell. */
export interface WatchOptions {
  /** On the clock of `performance.now()`. */
  readonly untilMs: number;
  /** Aborted when the user has seen enough. */
  readonly signal: AbortSignal;
  /** Hears of everything new, a line at a time. */
  readonly tell: (line: string) => void;
}

const LOOK_EVERY_MS = 300;
/** Asking for workers makes Redis list its clients. */
const LOOKS_PER_LOOK_AROUND = 10;

/** Looks at a task until it is over, time is up or the user has seen enough; gives what it is then. */
export async function watchTask(
  queue: TaskQueue,
  redis: Redis,
  id: string,
  { untilMs, signal, tell }: WatchOptions,
): Promise<TaskView | undefined> {
  const told = new Set<string>();
  for (let looks = 0; ; looks += 1) {
    const view = await queue.show(id);
    const news = [
      ...(await readTrace(redis, id)).map(({ event, detail }) =>
        detail === undefined ? event : `${event}: ${detail}`,
      ),
      ...(looks % LOOKS_PER_LOOK_AROUND === 0 ? await lookAround(queue, redis) : []),
    ];
    for (const line of news) if (!told.has(line)) tell(line);
    for (const line of news) told.add(line);
    const isOver = view === undefined || view.endedAt !== undefined;
    if (isOver || signal.aborted || performance.now() >= untilMs) return view;
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** What may keep a task waiting. */
async function lookAround(queue: TaskQueue, redis: Redis): Promise<readonly string[]> {
  const [workers, gates] = await Promise.all([queue.workers(), readGates(redis, Date.now())]);
  return [
    ...(workers === 0 ? ['no orchestrator is running: start one (npm start)'] : []),
    ...gates.map(({ reason, text }) => `the queue is paused (${reason}): ${text}`),
  ];
}
