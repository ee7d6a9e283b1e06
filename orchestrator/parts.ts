import type { Redis } from 'ioredis';
import type { Log } from '../lib/log.ts';
import type { Project } from '../lib/projects.ts';
import type { Gate } from '../lib/queue/gates.ts';
import type { Notifier } from '../lib/queue/notification.ts';
import type { EndResult } from '../lib/queue/result.ts';
import type { Task } from '../lib/queue/task.ts';
import type { TaskQueue } from '../lib/queue/task-queue.ts';
import type { Budget } from './budget.ts';
import type { PolicySettings } from './policy.ts';
import type { ProjectSlots } from './project-slots.ts';
import type { ProviderBreaker } from './provider-breaker.ts';
import type { RunMetrics } from './run-metrics.ts';
import type { ProjectCheck } from './runner/preflight.ts';
import type { RunRequest } from './runner/run-agent.ts';
import type { RunEnd } from './runner/run-end.ts';
import type { Worktrees } from './runner/worktrees.ts';

/** What the orchestrator is made of, for those who work on tasks. */
export interface Parts {
  readonly redis: Redis;
  readonly queue: TaskQueue;
  readonly budget: Budget;
  readonly slots: ProjectSlots;
  readonly breaker: ProviderBreaker;
  readonly worktrees: Worktrees;
  readonly notifier: Notifier;
  readonly metrics: RunMetrics;
  readonly log: Log;
  readonly settings: PolicySettings & {
    readonly fallbackChain: readonly string[];
    readonly idleMs: number;
    readonly logsFolder: string;
  };
  /** This machine and its folder of worktrees: sessions and worktrees of another are out of reach. */
  readonly hostId: string;
  /** Read anew each time, so that a project added to the file needs no restart. */
  readonly projects: () => ReadonlyMap<string, Project>;
  /** How an agent is started for a task. @throws OperatorError if it cannot be. */
  readonly agentFor: (task: Task, project: Project) => Promise<AgentLaunch>;
  /** @throws ProjectError if a project cannot be worked on as it is. */
  readonly checkProject: (project: ProjectCheck) => Promise<void>;
  readonly runAgent: (request: RunRequest) => Promise<RunEnd>;
  /** Pauses the queue, for everybody. */
  readonly closeGate: (gate: Gate) => Promise<void>;
  /** A model answered 429 or 529: the autoscaler wants to know. */
  readonly onOverloaded: () => void;
}

/** A program that runs an agent, and its environment without the markers of a run. */
export interface AgentLaunch {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** What becomes of a job once its task has been worked on. */
export type Conclusion =
  | { readonly kind: 'ended'; readonly end: EndResult }
  /** Until then, or until a slot of the project is free that it is parked for. */
  | { readonly kind: 'delayed'; readonly untilMs: number; readonly parkedIn?: string }
  /** Back among the waiting. */
  | { readonly kind: 'requeued' }
  /** Somebody else has taken the task up since: what was done here does not count. */
  | { readonly kind: 'lost' };
