import { totalmem } from 'node:os';
import type { Redis } from 'ioredis';
import { type Collector, collectAll } from '../lib/collect.ts';
import { type Family, gauge } from '../lib/exposition.ts';
import type { Log } from '../lib/log.ts';
import { GATES, type Gate } from '../lib/queue/gates.ts';
import { parseRedisInfo } from '../lib/queue/redis-info.ts';
import type { TaskQueue } from '../lib/queue/task-queue.ts';
import type { Autoscaler } from './autoscaler/autoscaler.ts';
import { VETO_REASONS } from './autoscaler/saturation.ts';
import { type Budget, PERIODS } from './budget.ts';
import type { RunMetrics } from './run-metrics.ts';
import type { TaskWorker } from './worker.ts';

/** What metrics are read from. */
export interface MetricSources {
  readonly redis: Redis;
  readonly queue: TaskQueue;
  readonly budget: Budget;
  readonly budgetTaskUsd: number;
  readonly autoscaler: Autoscaler;
  readonly worker: TaskWorker;
  readonly runs: RunMetrics;
  readonly gates: () => readonly Gate[];
  readonly log: Log;
}

/** Every collector of the orchestrator, in the order of the exposition. To add one: a function below, and a line here. */
const COLLECTORS: readonly Collector<MetricSources>[] = [
  { name: 'queue', collect: collectQueue },
  { name: 'gates', collect: collectGates },
  { name: 'runs', collect: ({ runs }) => runs.families() },
  { name: 'workers', collect: collectWorkers },
  { name: 'budget', collect: collectBudget },
  { name: 'redis', collect: collectRedis, familiesOnFailure: () => [redisUp(false)] },
];

/** All metrics of the orchestrator. A collector that fails, or takes more than 3 s, is a sample of value 0 and a log line. */
export function collectMetrics(sources: MetricSources): Promise<readonly Family[]> {
  return collectAll(COLLECTORS, sources, sources.log);
}

async function collectQueue({ queue }: MetricSources): Promise<readonly Family[]> {
  const [counts, oldestMs, results] = await Promise.all([queue.counts(), queue.oldestWaitingMs(), queue.results()]);
  const states = {
    waiting: (counts.wait ?? 0) + (counts.prioritized ?? 0),
    delayed: counts.delayed ?? 0,
    active: counts.active ?? 0,
    completed: counts.completed ?? 0,
    failed: counts.failed ?? 0,
  };
  const ageSeconds = oldestMs === undefined ? 0 : Math.max(0, Date.now() - oldestMs) / 1_000;
  return [
    gauge(
      'swarm_queue_jobs',
      'Tasks on the queue by state; completed and failed are those still kept there.',
      Object.entries(states).map(([state, value]) => [value, { state }]),
    ),
    gauge('swarm_queue_oldest_waiting_seconds', 'How long the task that came first has waited; 0 if none waits.', [
      [ageSeconds],
    ]),
    gauge('swarm_results_waiting', 'Results that are not in the swarm memory yet.', [[results.waiting]]),
    gauge('swarm_results_refused', 'Results that the recorder could not read, and keeps for a person to look at.', [
      [results.refused],
    ]),
  ];
}

function collectGates({ gates }: MetricSources): readonly Family[] {
  const closed = gates();
  const limit = closed.find(({ reason }) => reason === 'usage-limit');
  return [
    gauge(
      'swarm_queue_paused',
      'Whether no task is taken for this reason (1).',
      GATES.map((reason) => [Number(closed.some((gate) => gate.reason === reason)), { reason }]),
    ),
    gauge(
      'swarm_agent_limit_resets_timestamp_seconds',
      'When the usage limit of the agents is lifted; 0 without a limit.',
      [[(limit?.untilMs ?? 0) / 1_000]],
    ),
  ];
}

function collectWorkers({ autoscaler, worker }: MetricSources): readonly Family[] {
  const latest = autoscaler.latest();
  return [
    gauge('swarm_workers', 'Workers: how many there are meant to be, and how many have a task.', [
      [autoscaler.target(), { kind: 'target' }],
      [worker.running(), { kind: 'running' }],
    ]),
    gauge(
      'swarm_autoscaler_signal',
      'The parts of the demand for workers, each relative to its target, and their weighted sum.',
      latest
        ? [...Object.entries(latest.demand.parts), ['sum', latest.demand.signal] as const].map(([part, value]) => [
            value,
            { part },
          ])
        : [],
    ),
    gauge(
      'swarm_autoscaler_veto',
      'Whether the machine forbids more workers for this reason (1).',
      VETO_REASONS.map((reason) => [Number(latest?.veto === reason), { reason }]),
    ),
  ];
}

async function collectBudget({ budget, budgetTaskUsd }: MetricSources): Promise<readonly Family[]> {
  const { spent, reservedUsd, limit } = await budget.figures();
  return [
    gauge('swarm_budget_usd', 'What agents may spend, have spent and have reserved, US dollars.', [
      [budgetTaskUsd, { period: 'task', kind: 'limit' }],
      ...PERIODS.flatMap((period) => [
        [limit[period], { period, kind: 'limit' }] as const,
        [spent[period], { period, kind: 'spent' }] as const,
        [reservedUsd, { period, kind: 'reserved' }] as const,
      ]),
    ]),
  ];
}

async function collectRedis({ redis }: MetricSources): Promise<readonly Family[]> {
  const info = parseRedisInfo(await redis.info());
  return [
    redisUp(true),
    gauge('swarm_redis_memory_bytes', 'Memory of Redis: in use, its limit (that of the machine if it has none).', [
      [info.usedMemoryBytes, { kind: 'used' }],
      [info.maxMemoryBytes || totalmem(), { kind: 'limit' }],
    ]),
    gauge('swarm_redis_clients', 'Connections to Redis.', [[info.clients]]),
    gauge('swarm_redis_persistent', 'Whether Redis writes down what it is told, and could the last time (1).', [
      [info.isPersistent === undefined ? undefined : Number(info.isPersistent)],
    ]),
  ];
}

function redisUp(isUp: boolean): Family {
  return gauge('swarm_redis_up', 'Whether Redis answers (1) or not (0).', [[Number(isUp)]]);
}
