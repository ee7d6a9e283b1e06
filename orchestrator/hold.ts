import { endResult } from '../lib/queue/end-result.ts';
import type { Outcome } from '../lib/queue/outcome.ts';
import type { TaskProgress } from '../lib/queue/progress.ts';
import type { Task } from '../lib/queue/task.ts';
import { finishTask, saveProgress } from '../lib/queue/task-state.ts';
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
  const { task, generation, progress } = hold;
  const end = endResult(task, progress, { outcome, error, nowMs: Date.now() });
  await parts.budget.release(task.id);
  if (!(await finishTask(parts.redis, { id: task.id, generation }, progress, end))) return { kind: 'lost' };
  await parts.queue.sendResult(end);
  await addTrace(parts.redis, task.id, 'ended', `${outcome}${error === undefined ? '' : `: ${error}`}`);
  return { kind: 'ended', end };
}

/** Saves what is known of the task; false if it is somebody else's by now. */
export function save(parts: Parts, hold: Hold, change: Partial<TaskProgress>): Promise<boolean> {
  hold.progress = { ...hold.progress, ...change };
  return saveProgress(parts.redis, { id: hold.task.id, generation: hold.generation }, hold.progress);
}
