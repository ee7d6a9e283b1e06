import { endResult } from '../lib/queue/end-result.ts';
import type { Outcome } from '../lib/queue/outcome.ts';
import { currentAttempt, type TaskProgress } from '../lib/queue/progress.ts';
import type { Task } from '../lib/queue/task.ts';
import { finishTask, saveProgress, type TaskClaim } from '../lib/queue/task-state.ts';
import { addTrace } from '../lib/queue/trace.ts';
import type { Conclusion, Parts } from './parts.ts';

/** A task while somebody works on it. The generation changes when this same process is given the task again. */
export interface Hold {
  readonly task: Task;
  generation: number;
  progress: TaskProgress;
  /** Stops the agent: `cancel`, `shutdown`, `shutdown-now`. */
  readonly stop: AbortController;
}

/** Ends a task for good, and tells the recorder. */
export async function finish(
  parts: Parts,
  hold: Hold,
  outcome: Outcome,
  error: string | undefined,
): Promise<Conclusion> {
  const { task, progress } = hold;
  const end = endResult(task, progress, { outcome, error, nowMs: Date.now() });
  const claim = claimOf(hold);
  // Sent together, done in this order: the money is free before the task is over.
  const [, isFinished] = await Promise.all([
    parts.budget.release(claim),
    finishTask(parts.redis, claim, progress, end),
  ]);
  if (!isFinished) return { kind: 'lost' };
  await parts.queue.sendResult(end);
  void addTrace(parts.redis, task.id, 'ended', `${outcome}${error === undefined ? '' : `: ${error}`}`);
  return { kind: 'ended', end };
}

/** Saves what is known of the task; false if it is somebody else's by now. */
export function save(parts: Parts, hold: Hold, change: Partial<TaskProgress>): Promise<boolean> {
  hold.progress = { ...hold.progress, ...change };
  return saveProgress(parts.redis, claimOf(hold), hold.progress);
}

/** What its holder shows when something is to be done to a task. */
export function claimOf({ task, generation }: Hold): TaskClaim {
  return { id: task.id, generation };
}

/** What every line of the log about a task carries. */
export function logFields({ task, progress }: Hold) {
  return { taskId: task.id, attempt: currentAttempt(progress), agent: task.agent, project: task.project };
}
