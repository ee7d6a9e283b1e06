import type { TaskProgress } from '../lib/queue/progress.ts';
import type { Task } from '../lib/queue/task.ts';

const LONGEST_ERROR = 1_000;
const LONGEST_REMINDER = 4_000;

/** What an agent is told: the task; after a failure, what went wrong; in a session that goes on, to go on. */
export function composePrompt(task: Task, progress: TaskProgress, isResume: boolean): string {
  const granted = grantsOf(task);
  if (isResume) {
    return [
      `Your work on this task stopped because ${whyStopped(task, progress)}. Go on where you stopped: look at the state of the working directory first,`,
      'and do not repeat what is done already.',
      ...granted,
      'The task, for reference:',
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
    ...granted,
  ].join('\n');
}

function whyStopped({ grantedTools }: Task, { lastOutcome }: TaskProgress): string {
  if (lastOutcome === 'overloaded') return 'the model was overloaded';
  return lastOutcome === 'needs-attention' && grantedTools ? 'you were refused a tool' : 'the run was interrupted';
}

/** To the letter, since the rules are. */
function grantsOf({ grantedTools = [] }: Task): readonly string[] {
  if (grantedTools.length === 0) return [];
  return [
    'A person has allowed you, for this task, what follows and nothing else besides; give a command exactly as it stands here,',
    'with nothing before or after it:',
    ...grantedTools.map((rule) => `- ${rule}`),
  ];
}
