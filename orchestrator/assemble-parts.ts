import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Config, WorkConfig } from '../lib/config.ts';
import type { Log } from '../lib/log.ts';
import { readProjects } from '../lib/projects.ts';
import { createNotifier } from '../lib/queue/notification.ts';
import { openTaskQueue } from '../lib/queue/task-queue.ts';
import type { AgentLauncher } from './agent-launch.ts';
import { createBudget } from './budget.ts';
import type { Parts } from './parts.ts';
import { createProjectSlots } from './project-slots.ts';
import { createProviderBreaker } from './provider-breaker.ts';
import { createRunMetrics } from './run-metrics.ts';
import { createProjectCheck } from './runner/preflight.ts';
import { runAgent } from './runner/run-agent.ts';
import { createWorktrees } from './runner/worktrees.ts';

const MINUTE_MS = 60_000;

/** What parts are assembled from. */
export interface PartsOptions {
  readonly config: Config;
  readonly work: WorkConfig;
  readonly redis: Redis;
  readonly launcher: AgentLauncher;
  readonly log: Log;
  readonly closeGate: Parts['closeGate'];
  readonly onOverloaded: Parts['onOverloaded'];
}

/** Everything that works on tasks, as the settings want it. */
export function assembleParts({ config, work, redis, launcher, log, closeGate, onOverloaded }: PartsOptions): Parts {
  const limit = { day: work.budgetDayUsd, week: work.budgetWeekUsd, month: work.budgetMonthUsd };
  return {
    redis,
    queue: openTaskQueue(redis),
    budget: createBudget({ redis, limit, timezone: config.timezone }),
    slots: createProjectSlots(redis),
    breaker: createProviderBreaker(redis, closeGate),
    worktrees: createWorktrees({ root: join(work.workDir, 'worktrees'), log }),
    notifier: createNotifier(redis),
    metrics: createRunMetrics(work.fallbackModels),
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
    checkProject: createProjectCheck(),
    runAgent,
    closeGate,
    onOverloaded,
  };
}
