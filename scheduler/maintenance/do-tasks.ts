import { describeError } from '../../lib/errors.ts';
import { same } from '../words.ts';
import { readEarlier, type TaskResult } from './results.ts';
import { type Finding, type MaintenanceTask, notHere, type WorkContext } from './task.ts';

const LONGEST_REASON = 200;

/** Does what is done by itself, one after another; each fails alone. */
export async function doTasks(
  tasks: readonly MaintenanceTask[],
  context: Omit<WorkContext, 'earlier'>,
): Promise<readonly TaskResult[]> {
  const results: TaskResult[] = [];
  for (const task of tasks) {
    context.signal.throwIfAborted();
    if (task.by === 'itself') results.push({ task, finding: await doTask(task, context) });
  }
  return results;
}

async function doTask(
  task: Extract<MaintenanceTask, { by: 'itself' }>,
  context: Omit<WorkContext, 'earlier'>,
): Promise<Finding> {
  const { db, nowMs, log } = context;
  const earlier: WorkContext['earlier'] = (figure, daysAgo) => readEarlier(db, task.id, { figure, daysAgo, nowMs });
  try {
    return await task.work({ ...context, earlier });
  } catch (error) {
    log.warn({ task: task.id, reason: describeError(error) }, 'a task of the maintenance failed');
    return notHere(same(describeError(error, LONGEST_REASON)));
  }
}
