import { spentUsd } from '../../lib/queue/progress.ts';
import type { TaskView } from '../../lib/queue/task-view.ts';
import { answerButtons } from './ask-buttons.ts';
import type { Keyboard } from './buttons.ts';
import { escapeText, type Html } from './html.ts';
import type { Speaker } from './speaker.ts';
import { describeCalls } from './tool-requests.ts';
import { LABELS } from './words/buttons.ts';
import { OUTCOME_WORDS, STATE_WORDS, TOLD } from './words/notifications.ts';
import { REPLIES } from './words/replies.ts';

const LONGEST_PROMPT = 1_500;

/** A task with all its facts, and the page of the review it led to. */
export function describeTask(view: TaskView, speaker: Speaker, reviewLink?: string): Html {
  const { say, plain, money, moment, quote } = speaker;
  const { id, state, task, progress, outcome, error, end, endedAt } = view;
  const facts = task ?? end;
  const words = outcome === undefined ? undefined : OUTCOME_WORDS[outcome];
  return say(REPLIES.task, {
    id,
    state: plain(STATE_WORDS[state]),
    agent: facts?.agent ?? '–',
    project: facts?.project ?? '–',
    outcome: words && plain(words),
    error: error === undefined ? undefined : quote(error, 1_000),
    calls: describeCalls(end?.refused, speaker),
    granted: task?.grantedTools?.join('; '),
    cost: money(end?.costUsd ?? spentUsd(progress)),
    budget: task ? money(task.budgetUsd) : '–',
    attempts: end?.attempts ?? progress.failures + (progress.runs > 0 ? 1 : 0),
    model: end?.model ?? task?.model,
    branch: progress.branch ?? end?.branch,
    link: reviewLink === undefined ? undefined : say(TOLD.review, { url: escapeText(reviewLink) }),
    waitsFor: state === 'delayed' || state === 'waiting' ? progress.waitingFor?.reason : undefined,
    asked: task ? moment(Date.parse(task.requestedAt)) : undefined,
    source: facts?.source,
    ended: endedAt === undefined ? undefined : moment(Date.parse(endedAt)),
    prompt: facts ? quote(facts.prompt, LONGEST_PROMPT) : undefined,
  });
}

/** What can be done with a task as it stands; `isToolAsked` if a person may still grant it what it was refused. */
export function taskButtons({ id, state, progress }: TaskView, isToolAsked = false): Keyboard {
  const args = { id, round: progress.round };
  const looks = [
    { label: LABELS.log, action: 'task-log', args },
    { label: LABELS.trace, action: 'task-trace', args },
  ];
  switch (state) {
    case 'needs-approval':
      return [answerButtons(args, 'task'), looks];
    case 'failed':
    case 'cancelled':
      return [
        ...(isToolAsked ? [answerButtons(args, 'tool')] : []),
        looks,
        [{ label: LABELS.retry, action: 'task-retry', args, isOnce: true }],
      ];
    case 'completed':
      return [looks, [{ label: LABELS.fix, action: 'task-fix', args, isOnce: true }]];
    default:
      return [looks, [{ label: LABELS.cancel, action: 'task-cancel', args, isOnce: true }]];
  }
}

/** How a state looks at a glance. */
export const MARKS: Readonly<Record<TaskView['state'], string>> = {
  waiting: '🕒',
  'needs-approval': '🙋',
  delayed: '⏳',
  active: '🏃',
  completed: '✅',
  failed: '❌',
  cancelled: '⏹',
};
