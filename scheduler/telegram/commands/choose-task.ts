import type { TaskView } from '../../../lib/queue/task-view.ts';
import type { Words } from '../../words.ts';
import type { Keyboard } from '../buttons.ts';
import type { Reply } from '../chat.ts';
import type { Context } from '../context.ts';
import { MARKS } from '../describe-task.ts';
import { REPLIES } from '../words/replies.ts';

const MOST_OFFERED = 8;

/** Asks which of some tasks an order is about. */
export function chooseTask(
  { speaker }: Context,
  views: readonly TaskView[],
  { action, none }: { readonly action: string; readonly none: Words },
): Reply {
  if (views.length === 0) return { text: speaker.say(none) };
  const buttons: Keyboard = views.slice(0, MOST_OFFERED).map((view) => {
    const { agent = '–', project = '–', prompt = '' } = view.task ?? view.end ?? {};
    const label = speaker.clean(`${MARKS[view.state]} ${agent} · ${project} · ${prompt.replace(/\s+/g, ' ')}`, 60);
    return [{ label, action, args: { id: view.id }, isOnce: true }];
  });
  return { text: speaker.say(REPLIES.whichTask), buttons };
}
