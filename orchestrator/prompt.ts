import type { TaskProgress } from '../lib/queue/progress.ts';
import type { Task } from '../lib/queue/task.ts';

const LONGEST_ERROR = 1_000;
const LONGEST_REMINDER = 4_000;

/** What an agent is told: the task; after a failure, what went wrong; in a session that goes on, to go on. */
export function composePrompt(task: Task, progress: TaskProgress, isResume: boolean): string {
  if (isResume) {
    const why = progress.lastOutcome === 'overloaded' ? 'the model was overloaded' : 'the run was interrupted';
    return [
      `Your work on this task stopped because ${why}. Go on where you stopped: look at the state of the working directory first,`,
      'and do not repeat what is done already. The task, for reference:',
      '',
      task.prompt.slice(0, LONGEST_REMINDER),
    ].join('\n');
  }
  if (progress.lastOutcome === undefined) return task.prompt;
  return [
    task.prompt,
    '',
    '---',
    `An earlier attempt at this task ended as "${progress.lastOutcome}".`,
    ...(progress.lastError === undefined ? [] : [`What it reported: ${progress.lastError.slice(0, LONGEST_ERROR)}`]),
    'Its changes may still be in the working directory: look at them before you begin, and avoid what went wrong.',
  ].join('\n');
}
