import type { BotCommand, Context } from '../context.ts';
import { findTask, isTask } from '../find-task.ts';
import type { Html } from '../html.ts';
import { REPLIES } from '../words/replies.ts';
import { chooseTask } from './choose-task.ts';
import { idOf, stateWords } from './task.ts';

const ENDED_LOOKED_AT = 50;

/** `/riprova`: has a task tried again, the one of an id or one that is chosen. */
export const retry: BotCommand = {
  names: { it: 'riprova', en: 'retry' },
  about: { it: 'Riprova un task fallito', en: 'Try a failed task again' },
  run: (context, argument) =>
    context.withQueue(async (queue) => {
      if (argument === '') {
        const ended = await queue.list(ENDED_LOOKED_AT);
        const failed = ended.filter(({ state }) => state === 'failed' || state === 'cancelled');
        return chooseTask(context, failed, { action: 'task-retry', none: REPLIES.noneToRetry });
      }
      const found = await findTask(queue, argument, context);
      return isTask(found) ? { text: await retryTask(context, found.id) } : found;
    }),
  actions: {
    'task-retry': async (context, args) => ({ reply: { text: await retryTask(context, idOf(args)) } }),
  },
};

async function retryTask(context: Context, id: string): Promise<Html> {
  const state = await context.withQueue((queue) => queue.retry(id));
  context.audit('retry', id, state);
  return context.speaker.say(REPLIES.retried, { state: stateWords(context, state) });
}
