import type { Redis } from 'ioredis';
import type { TaskProgress } from '../../../lib/queue/progress.ts';
import type { EndResult } from '../../../lib/queue/result.ts';
import { runSteps } from '../../../lib/queue/script.ts';
import { finishing, saving, type TaskClaim } from '../../../lib/queue/task-state.ts';

/** Saves how far a task has come, and nothing else; whether it was still the claim's to say. */
export async function saveProgress(redis: Redis, claim: TaskClaim, progress: TaskProgress): Promise<boolean> {
  const [isSaved] = await runSteps(redis, saving(claim, progress));
  return isSaved === true;
}

/** Ends a task, and nothing else; whether it was still the claim's to end. */
export async function finishTask(
  redis: Redis,
  claim: TaskClaim,
  progress: TaskProgress,
  end: EndResult,
): Promise<boolean> {
  const [isFinished] = await runSteps(redis, ...finishing(claim, progress, end));
  return isFinished === true;
}
