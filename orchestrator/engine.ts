import { hostname } from 'node:os';
import type { Redis } from 'ioredis';
import type { Config, WorkConfig } from '../lib/config.ts';
import { describeError } from '../lib/errors.ts';
import type { Family } from '../lib/exposition.ts';
import type { Log } from '../lib/log.ts';
import { connectForGood } from '../lib/queue/connection.ts';
import { openGates } from '../lib/queue/gates.ts';
import { redisKey } from '../lib/queue/names.ts';
import { openTaskQueue, type TaskQueue } from '../lib/queue/task-queue.ts';
import { createAgentLauncher } from './agent-launch.ts';
import { assembleParts } from './assemble-parts.ts';
import { type Autoscaler, createAutoscaler } from './autoscaler/autoscaler.ts';
import { createSignalReader } from './autoscaler/signals.ts';
import { createBudget } from './budget.ts';
import { drain } from './drain.ts';
import { startGateKeeper } from './gate-keeper.ts';
import { cleanUpAfterCrash, startHousekeeping } from './housekeeping.ts';
import { collectMetrics } from './metrics.ts';
import type { Parts } from './parts.ts';
import { createReadiness } from './readiness.ts';
import { type Recorder, startRecorder } from './recorder/recorder.ts';
import { processOwner } from './runner/marker.ts';
import { startTaskWorker, type TaskWorker, type WorkerTimings } from './worker.ts';

/** What takes tasks, runs agents and records: the orchestrator without its HTTP interface. */
export interface Engine {
  readonly findReasonNotReady: () => Promise<string | undefined>;
  readonly collectMetrics: () => Promise<readonly Family[]>;
  /** Takes no more tasks, waits for those under way up to DRAIN_MINUTES or until `hurried`, and ends. */
  readonly stop: (hurried: Promise<void>) => Promise<void>;
}

/** What a test or a benchmark may set otherwise. */
export interface EngineOverrides {
  readonly timings?: WorkerTimings;
  /** Stand in for those that start programs. */
  readonly agents?: Partial<Pick<Parts, 'worktrees' | 'agentFor' | 'checkProject' | 'runAgent'>>;
}

interface EngineOptions extends EngineOverrides {
  readonly config: Config;
  readonly work: WorkConfig;
  readonly redis: Redis;
  /** A connection whose commands do not wait for ever, for those who want to know how it is. */
  readonly shortRedis: Redis;
  readonly log: Log;
}

const MINUTE_MS = 60_000;
const CLOSE_WITHIN_MS = 5_000;
const KEPT_DECISIONS = 2_000;

/** Builds the engine and starts it. Redis may come later: until then it is not ready. */
export function startEngine({ config, work, redis, shortRedis, log, timings, agents = {} }: EngineOptions): Engine {
  let isStopping = false;
  let recorder: Recorder | undefined;
  const launcher = createAgentLauncher(work);
  const readiness = createReadiness({ redis: shortRedis, config, work, launcher, problem: () => recorder?.problem() });
  const parts: Parts = {
    ...assembleParts({
      config,
      work,
      redis,
      launcher,
      log,
      closeGate: (gate) => keeper.close(gate),
      onOverloaded: () => autoscaler.noteOverloadedAnswer(),
    }),
    ...agents,
  };
  const worker = startTaskWorker(parts, connectForGood(work), timings);
  const autoscaler = makeAutoscaler({ work, parts, worker });
  const keeper = startGateKeeper({
    redis: shortRedis,
    setPaused: worker.setPaused,
    isStopping: () => isStopping,
    ownFault: readiness.fault,
    log,
  });
  const starting = takeUpWhereLeft(parts);
  if (work.recorder === 'on') {
    const holder = `${hostname()} ${processOwner() || process.pid}`;
    const { swarmDbPath: memoryPath, timezone } = config;
    const connection = connectForGood(work);
    // Whether Redis is away is noticed, and said, elsewhere.
    connection.on('error', () => undefined);
    const { budget, notifier } = parts;
    recorder = startRecorder({ redis, connection, memoryPath, timezone, budget, notifier, holder, log });
  }
  autoscaler.start();
  const stopHousekeeping = startHousekeeping(parts, worker.isRunning);
  const watching = watchFrom(shortRedis, parts, config);

  return {
    findReasonNotReady: readiness.find,
    collectMetrics: () =>
      collectMetrics({
        ...watching,
        budgetTaskUsd: work.budgetTaskUsd,
        autoscaler,
        worker,
        runs: parts.metrics,
        gates: keeper.closed,
        log,
      }),
    stop: async (hurried) => {
      isStopping = true;
      worker.setPaused(true);
      await drain({ worker, drainMs: work.drainMinutes * MINUTE_MS, hurried, log });
      keeper.stop();
      readiness.stop();
      // Redis may be away: then nobody answers, and there is nothing to wait for.
      await within(CLOSE_WITHIN_MS, async () => {
        await Promise.all([autoscaler.stop(), stopHousekeeping(), starting, worker.close()]);
        await recorder?.stop();
        await Promise.all([parts.queue.close(), watching.queue.close(), parts.notifier.close()]);
      });
    },
  };
}

function makeAutoscaler({ work, parts, worker }: { work: WorkConfig; parts: Parts; worker: TaskWorker }): Autoscaler {
  const { queue, redis, log } = parts;
  return createAutoscaler({
    limits: { min: work.workersMin, max: work.workersMax },
    targets: {
      cpu: work.scaleTargetCpu,
      memory: work.scaleTargetMemory,
      queue: work.scaleTargetQueue,
      tasksPerWorker: work.scaleTargetTasks,
    },
    readSignals: createSignalReader({ diskPath: work.workDir }),
    readQueue: async () => {
      const counts = await queue.counts();
      // Its own tasks: those of other orchestrators do not keep these workers busy.
      return { waiting: (counts.wait ?? 0) + (counts.prioritized ?? 0), active: worker.running() };
    },
    apply: worker.setConcurrency,
    record: async (decision) => {
      const key = redisKey('autoscaler', 'decisions');
      await redis
        .pipeline()
        .lpush(key, JSON.stringify(decision))
        .ltrim(key, 0, KEPT_DECISIONS - 1)
        .exec();
    },
    log,
  });
}

/** The limits may have been raised meanwhile; if not, the first task closes the gate again. */
async function takeUpWhereLeft(parts: Parts): Promise<void> {
  try {
    await cleanUpAfterCrash(parts);
    await openGates(parts.redis, ['budget-day', 'budget-week', 'budget-month']);
  } catch (error) {
    parts.log.error({ reason: describeError(error) }, 'could not clean up after an earlier crash');
  }
}

/** The same queue and budget, over the connection that does not wait. */
function watchFrom(
  redis: Redis,
  { budget }: Parts,
  { timezone }: Config,
): { readonly redis: Redis; readonly queue: TaskQueue; readonly budget: Parts['budget'] } {
  return { redis, queue: openTaskQueue(redis), budget: createBudget({ redis, limit: budget.limit, timezone }) };
}

async function within(timeoutMs: number, work: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work(), late]).finally(() => clearTimeout(timer));
}
