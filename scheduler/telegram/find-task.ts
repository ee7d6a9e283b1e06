import type { TaskQueue } from '../../lib/queue/task-queue.ts';
import type { TaskView } from '../../lib/queue/task-view.ts';
import type { Reply } from './chat.ts';
import type { Context } from './context.ts';
import { REPLIES } from './words/replies.ts';

const ENDED_SEARCHED = 300;

/** The task of an id, or of the beginning of one as it is written in a command; a reply that says so if there is none. */
export async function findTask(queue: TaskQueue, given: string, { speaker }: Context): Promise<TaskView | Reply> {
  const id = given.trim().slice(0, 64);
  const exact = /^[\w-]+$/.test(id) ? await queue.show(id) : undefined;
  if (exact) return exact;
  const begin = id.replace(/\W/g, '_');
  const all = begin.length < 3 ? [] : await queue.list(ENDED_SEARCHED);
  const found = all.filter((view) => view.id.replace(/\W/g, '_').startsWith(begin));
  if (found.length > 1) return { text: speaker.say(REPLIES.manyTasks, { id }) };
  const whole = found[0] && (await queue.show(found[0].id));
  return whole ?? { text: speaker.say(REPLIES.noTask, { id }) };
}

/** Whether it was found. */
export function isTask(found: TaskView | Reply): found is TaskView {
  return 'state' in found;
}
