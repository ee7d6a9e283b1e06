import Database from 'better-sqlite3';
import { type Job, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { createScript } from '../lib/queue/script.ts';
import type { Task } from '../lib/queue/task.ts';

/** What a bare job carries, and BullMQ's options for it. */
export interface BareJobs {
  readonly payload: object;
  readonly options: object;
}

/** Milliseconds from `add` to the start of the processor, or to the end of `start` in it; one job after the other. */
export async function measureBareStarts(
  url: string,
  count: number,
  start: (job: number) => Promise<void> = async () => undefined,
): Promise<number[]> {
  return withQueue(url, 'bare-starts', async (queue, connection) => {
    let started: (ms: number) => void = () => undefined;
    const process = async ({ data }: Job<number>): Promise<void> => {
      await start(data);
      started(performance.now());
    };
    const worker = new Worker<number>(queue.name, process, { connection: connection() });
    await worker.waitUntilReady();
    const times: number[] = [];
    for (let job = 0; job < count; job += 1) {
      const atMs = new Promise<number>((resolve) => {
        started = resolve;
      });
      const addedMs = performance.now();
      await queue.add('job', job);
      times.push((await atMs) - addedMs);
    }
    await worker.close();
    return times;
  });
}

/** How fast jobs were done, and how much CPU time the process of the worker took for one. */
export interface Throughput {
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
}

/** Does empty jobs, all of them added before the worker begins. */
export async function measureBareThroughput(
  url: string,
  { count, concurrency, payload, options }: BareJobs & { readonly count: number; readonly concurrency: number },
): Promise<Throughput> {
  return withQueue(url, 'bare-throughput', async (queue, connection) => {
    await queue.addBulk(Array.from({ length: count }, () => ({ name: 'job', data: payload, opts: options })));
    const worker = new Worker(queue.name, async () => undefined, {
      connection: connection(),
      concurrency,
      autorun: false,
    });
    await worker.waitUntilReady();
    const done = countCompleted(worker, count);
    const before = process.cpuUsage();
    const startedMs = performance.now();
    void worker.run();
    await done;
    const elapsedMs = performance.now() - startedMs;
    const { user, system } = process.cpuUsage(before);
    await worker.close();
    return { perSecond: (count / elapsedMs) * 1_000, cpuMicroseconds: (user + system) / count };
  });
}

/** As little as a script can do that notes something of a task, and of what happened to it. */
const NOTE = createScript(`
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('RPUSH', KEYS[2], ARGV[1])
return redis.call('EXPIRE', KEYS[2], 3600)`);

/**
 * The same, but each job adds one to a second queue, whose worker writes a row into the memory: what design.md draws, with
 * nothing of what makes it hold. The row is not synced to disk. Before that each job runs `scripts` scripts, one after the other.
 */
export async function measureBareRecording(
  url: string,
  {
    count,
    concurrency,
    payload,
    options,
    memoryPath,
    scripts = 0,
  }: BareJobs & {
    readonly count: number;
    readonly concurrency: number;
    readonly memoryPath: string;
    readonly scripts?: number;
  },
): Promise<Throughput> {
  return withQueue(url, 'bare-recording', async (tasks, connection) =>
    withQueue(url, 'bare-results', async (results) => {
      await tasks.addBulk(Array.from({ length: count }, () => ({ name: 'job', data: payload, opts: options })));
      const db = new Database(memoryPath);
      db.pragma('synchronous = NORMAL');
      const insert = db.prepare(
        `INSERT INTO swarm_events (id, timestamp, event_type, agent_name, task_id, task_description, task_status, success)
          VALUES (?, ?, 'task_complete', ?, ?, ?, 'ok', 1)`,
      );
      const { agent, prompt } = payload as Task;
      const settings = { connection: connection(), concurrency, autorun: false };
      const redis = connection();
      const work = new Worker(
        tasks.name,
        async ({ id }) => {
          for (let script = 0; script < scripts; script += 1) {
            await NOTE(redis, [`bare:task:${id}`, `bare:trace:${id}`], [`step-${script}`, JSON.stringify(payload)]);
          }
          await results.add('end', { id, ...payload }, options);
        },
        settings,
      );
      const record = new Worker(
        results.name,
        async ({ id }) => void insert.run(`bare-${id}`, new Date().toISOString(), agent, id, prompt),
        { ...settings, connection: connection() },
      );
      await Promise.all([work.waitUntilReady(), record.waitUntilReady()]);
      const done = countCompleted(record, count);
      const before = process.cpuUsage();
      const startedMs = performance.now();
      void work.run();
      void record.run();
      await done;
      const elapsedMs = performance.now() - startedMs;
      const { user, system } = process.cpuUsage(before);
      await Promise.all([work.close(), record.close()]);
      db.exec("DELETE FROM swarm_events WHERE id LIKE 'bare-%'");
      db.close();
      return { perSecond: (count / elapsedMs) * 1_000, cpuMicroseconds: (user + system) / count };
    }),
  );
}

/** Resolves when a worker has completed so many jobs. */
function countCompleted(worker: Worker, count: number): Promise<void> {
  let left = count;
  return new Promise((resolve) => {
    worker.on('completed', () => {
      left -= 1;
      if (left === 0) resolve();
    });
  });
}

async function withQueue<T>(
  url: string,
  name: string,
  work: (queue: Queue, connection: () => Redis) => Promise<T>,
): Promise<T> {
  const connections: Redis[] = [];
  const connection = (): Redis => {
    const made = new Redis(url, { maxRetriesPerRequest: null });
    connections.push(made);
    return made;
  };
  const queue = new Queue(name, { connection: connection() });
  try {
    return await work(queue, connection);
  } finally {
    await queue.obliterate({ force: true });
    await queue.close();
    for (const each of connections) each.disconnect();
  }
}
