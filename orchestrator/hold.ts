import { endResult } from '../lib/queue/end-result.ts';
import type { Outcome } from '../lib/queue/outcome.ts';
import { currentAttempt, type TaskProgress } from '../lib/queue/progress.ts';
import { runSteps, type Step } from '../lib/queue/script.ts';
import type { Task } from '../lib/queue/task.ts';
import { finishing, saving, type TaskClaim } from '../lib/queue/task-state.ts';
import { tracing } from '../lib/queue/trace.ts';
import { callNext } from './parked.ts';
import type { Conclusion, Parts } from './parts.ts';

/** A task while somebody works on it. The generation changes when this same process is given the task again. */
export interface Hold {
  readonly task: Task;
  generation: number;
  progress: TaskProgress;
  /** Stops the agent: `cancel`, `shutdown`, `shutdown-now`. */
  readonly stop: AbortController;
}

/** Ends a task for good, tells the recorder, and gives back its money and its slot, all at once. */
export async function finish(
  parts: Parts,
  hold: Hold,
  outcome: Outcome,
  error: string | undefined,
): Promise<Conclusion> {
  const { task, progress } = hold;
  const end = endResult(task, progress, { outcome, error, nowMs: Date.now() });
  const claim = claimOf(hold);
  const [isFinished, , , , next] = await runSteps(
    parts.redis,
    ...finishing(claim, progress, end),
    parts.budget.releasing(claim),
    tracing(task.id, 'ended', `${outcome}${error === undefined ? '' : `: ${error}`}`),
    parts.slots.releasing(task.project, task.id),
  );
  if (!isFinished) return { kind: 'lost' };
  await callNext(parts, task, next);
  return { kind: 'ended', end };
}

/** Saves what is known of the task, and does what else there is in the same moment; false if it is somebody else's by now. */
export async function save(
  parts: Parts,
  hold: Hold,
  change: Partial<TaskProgress>,
  ...also: readonly Step[]
): Promise<boolean> {
  hold.progress = { ...hold.progress, ...change };
  const [isSaved] = await runSteps(parts.redis, saving(claimOf(hold), hold.progress), ...also);
  return isSaved === true;
}

/** What its holder shows when something is to be done to a task. */
export function claimOf({ task, generation }: Hold): TaskClaim {
  return { id: task.id, generation };
}

/** What every line of the log about a task carries. */
export function logFields({ task, progress }: Hold) {
  return { taskId: task.id, attempt: currentAttempt(progress), agent: task.agent, project: task.project };
}
