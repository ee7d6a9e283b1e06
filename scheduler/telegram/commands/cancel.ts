import type { BotCommand, Context } from '../context.ts';
import { findTask, isTask } from '../find-task.ts';
import type { Html } from '../html.ts';
import { REPLIES } from '../words/replies.ts';
import { chooseTask } from './choose-task.ts';
import { idOf, stateWords } from './task.ts';

const WHY = 'Cancelled on the phone.';
const OVER = ['completed', 'failed', 'cancelled'];

/** `/annulla`: cancels a task, the one of an id or one that is chosen. */
export const cancel: BotCommand = {
  names: { it: 'annulla', en: 'cancel' },
  about: { it: 'Annulla un task', en: 'Cancel a task' },
  run: (context, argument) =>
    context.withQueue(async (queue) => {
      if (argument === '') {
        const live = (await queue.list(0)).filter(({ state }) => !OVER.includes(state));
        return chooseTask(context, live, { action: 'task-cancel', none: REPLIES.noneToCancel });
      }
      const found = await findTask(queue, argument, context);
      return isTask(found) ? { text: await cancelTask(context, found.id) } : found;
    }),
  actions: {
    'task-cancel': async (context, args) => ({ reply: { text: await cancelTask(context, idOf(args)) } }),
  },
};

async function cancelTask(context: Context, id: string): Promise<Html> {
  const state = await context.withQueue((queue) => queue.cancel(id, WHY));
  context.audit('cancel', id, state);
  return context.speaker.say(REPLIES.cancelled, { state: stateWords(context, state) });
}
