import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Config, WorkConfig } from '../lib/config.ts';
import { describeError } from '../lib/errors.ts';
import { closeServer, listen } from '../lib/http-server.ts';
import type { Log } from '../lib/log.ts';
import { createIdleCollector } from '../lib/memory-footprint.ts';
import { readProjects } from '../lib/projects.ts';
import { connectForGood } from '../lib/queue/connection.ts';
import { openGates } from '../lib/queue/gates.ts';
import { redisKey } from '../lib/queue/names.ts';
import { createNotifier } from '../lib/queue/notification.ts';
import { openTaskQueue } from '../lib/queue/task-queue.ts';
import { createAgentLauncher } from './agent-launch.ts';
import { createAutoscaler } from './autoscaler/autoscaler.ts';
import { createSignalReader } from './autoscaler/signals.ts';
import { createBudget } from './budget.ts';
import { startGateKeeper } from './gate-keeper.ts';
import { cleanUpAfterCrash, startHousekeeping } from './housekeeping.ts';
import { collectMetrics } from './metrics.ts';
import type { Parts } from './parts.ts';
import { createProjectSlots } from './project-slots.ts';
import { createProviderBreaker } from './provider-breaker.ts';
import { createReadiness } from './readiness.ts';
import { type Recorder, startRecorder } from './recorder/recorder.ts';
import { createRunMetrics } from './run-metrics.ts';
import { processOwner } from './runner/marker.ts';
import { createWorktrees } from './runner/worktrees.ts';
import { createApp } from './server.ts';
import { startTaskWorker, type WorkerTimings } from './worker.ts';

/** A running orchestrator. */
export interface Orchestrator {
  readonly port: number;
  /** Takes no more tasks, waits for those under way up to DRAIN_MINUTES, gives back what is left, and ends. */
  readonly stop: () => Promise<void>;
  /** Makes a `stop` under way wait no longer. */
  readonly hurry: () => void;
}

/** What a test may set otherwise. */
export interface OrchestratorOptions {
  readonly timings?: WorkerTimings;
}

const MINUTE_MS = 60_000;
const SCRAPE_WITHIN_MS = 2_000;
const CLOSE_WITHIN_MS = 5_000;
const KEPT_DECISIONS = 2_000;

/**
 * Builds the orchestrator from its parts and starts it. Redis may come later: until then it is not ready.
 * @throws OperatorError if it cannot listen, UsageError if projects.json is wrong.
 */
export async function startOrchestrator(
  config: Config,
  work: WorkConfig,
  log: Log,
  { timings }: OrchestratorOptions = {},
): Promise<Orchestrator> {
  readProjects(config.projectsFile);
  const redis = connectForGood(work);
  const shortRedis = connectForGood(work, SCRAPE_WITHIN_MS);
  const connections = [redis, shortRedis];
  for (const connection of connections) connection.on('error', warnOnce(log));
  const queue = openTaskQueue(redis);
  const limit = { day: work.budgetDayUsd, week: work.budgetWeekUsd, month: work.budgetMonthUsd };
  const budget = createBudget({ redis, limit, timezone: config.timezone });
  const launcher = createAgentLauncher(work);
  const readiness = createReadiness({ redis: shortRedis, config, launcher, problem: () => recorder?.problem() });
  const runs = createRunMetrics(work.fallbackModels);
  const notifier = createNotifier(redis);
  let isStopping = false;
  let recorder: Recorder | undefined;

  const parts: Parts = {
    redis,
    queue,
    budget,
    slots: createProjectSlots(redis),
    breaker: createProviderBreaker(redis, (gate) => keeper.close(gate)),
    worktrees: createWorktrees({ root: join(work.workDir, 'worktrees'), log }),
    notifier,
    metrics: runs,
    log,
    settings: {
      attempts: work.taskAttempts,
      fallbackModels: work.fallbackModels.length,
      fallbackChain: work.fallbackModels,
      onUsageLimit: work.onUsageLimit,
      idleMs: work.agentIdleMinutes * MINUTE_MS,
      logsFolder: join(work.workDir, 'logs'),
    },
    hostId: `${hostname()}:${work.workDir}`,
    projects: () => readProjects(config.projectsFile),
    agentFor: async (task, project) => {
      const launch = launcher.launchFor(task, project);
      if (!project.isDemo) await launcher.check();
      return launch;
    },
    closeGate: (gate) => keeper.close(gate),
    onOverloaded: () => autoscaler.noteOverloadedAnswer(),
  };
  const worker = startTaskWorker(parts, connectForGood(work), timings);
  const autoscaler = createAutoscaler({
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
  const keeper = startGateKeeper({
    redis,
    setPaused: worker.setPaused,
    mayWork: () => !isStopping && readiness.redisFault() === undefined,
    log,
  });
  const collector = createIdleCollector();
  const metricSources = {
    redis: shortRedis,
    queue: openTaskQueue(shortRedis),
    budget: createBudget({ redis: shortRedis, limit, timezone: config.timezone }),
  };
  const app = await createApp({
    adminPassword: work.adminPassword,
    redis,
    findReasonNotReady: readiness.find,
    collectMetrics: async () => {
      collector.touch();
      return await collectMetrics({
        ...metricSources,
        budgetTaskUsd: work.budgetTaskUsd,
        autoscaler,
        worker,
        runs,
        gates: keeper.closed,
        log,
      });
    },
  });
  const server = await listen(app, {
    host: config.bindHost,
    port: work.orchestratorPort,
    variable: 'ORCHESTRATOR_PORT',
  });
  const { port } = server.address() as AddressInfo;

  const starting = cleanUpAfterCrash(parts)
    // The limits may have been raised meanwhile; if not, the first task closes the gate again.
    .then(() => openGates(redis, ['budget-day', 'budget-week', 'budget-month']))
    .catch((error: unknown) =>
      log.error({ reason: describeError(error) }, 'could not clean up after an earlier crash'),
    );
  if (work.recorder === 'on') {
    recorder = startRecorder({
      redis,
      connection: connectForGood(work),
      memoryPath: config.swarmDbPath,
      timezone: config.timezone,
      budget,
      holder: `${hostname()} ${processOwner() || process.pid}`,
      log,
    });
  }
  autoscaler.start();
  const stopHousekeeping = startHousekeeping(parts, worker.isRunning);
  log.info({ host: config.bindHost, port, recorder: work.recorder }, 'orchestrator is listening');

  let hurry: () => void = () => {};
  const hurried = new Promise<'shutdown-now'>((resolve) => {
    hurry = () => resolve('shutdown-now');
  });
  return {
    port,
    hurry,
    stop: async () => {
      isStopping = true;
      worker.setPaused(true);
      await drain({ worker, drainMs: work.drainMinutes * MINUTE_MS, hurried, log });
      keeper.stop();
      readiness.stop();
      collector.stop();
      await closeServer(server);
      // Redis may be away: then nobody answers, and there is nothing to wait for.
      await within(CLOSE_WITHIN_MS, async () => {
        await Promise.all([autoscaler.stop(), stopHousekeeping(), starting, worker.close()]);
        await recorder?.stop();
        await Promise.all([queue.close(), metricSources.queue.close(), notifier.close()]);
      });
      for (const connection of connections) connection.disconnect();
    },
  };
}

/** Waits for the runs under way; after the deadline, or when somebody is in a hurry, their tasks are given back. */
async function drain({
  worker,
  drainMs,
  hurried,
  log,
}: {
  readonly worker: ReturnType<typeof startTaskWorker>;
  readonly drainMs: number;
  readonly hurried: Promise<'shutdown-now'>;
  readonly log: Log;
}): Promise<void> {
  if (worker.running() === 0) return;
  log.info({ running: worker.running(), drainMinutes: drainMs / MINUTE_MS }, 'waiting for the runs under way');
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<'shutdown'>((resolve) => {
    timer = setTimeout(() => resolve('shutdown'), drainMs);
  });
  const how = await Promise.race([worker.idle().then(() => undefined), deadline, hurried]);
  clearTimeout(timer);
  if (!how) return;
  const stopped = worker.stopRuns(how);
  const stoppedSooner = hurried.then(() => worker.stopRuns('shutdown-now'));
  await Promise.race([stopped, stoppedSooner]);
}

async function within(timeoutMs: number, work: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work(), late]).finally(() => clearTimeout(timer));
}

/** A connection that comes and goes says so once, not with every try. */
function warnOnce(log: Log): (error: Error) => void {
  let last = '';
  return (error) => {
    if (error.message !== last) log.warn({ reason: error.message }, 'Redis cannot be reached');
    last = error.message;
  };
}
