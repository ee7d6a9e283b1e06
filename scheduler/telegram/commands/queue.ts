import { readGates } from '../../../lib/queue/gates.ts';
import { shortId } from '../catalogue.ts';
import type { BotCommand } from '../context.ts';
import { MARKS } from '../describe-task.ts';
import { join } from '../html.ts';
import { REPLIES } from '../words/replies.ts';
import { stateWords } from './task.ts';

const MOST_SHOWN = 25;
const ENDED_SHOWN = 5;

/** `/coda`: what is on the queue, and what ended last. */
export const queue: BotCommand = {
  names: { it: 'coda', en: 'queue' },
  about: { it: 'Che cosa c’è in coda', en: 'What is on the queue' },
  run: async (context) => {
    const { withQueue, clock, speaker } = context;
    const { views, gates } = await withQueue(async (tasks, redis) => ({
      views: await tasks.list(ENDED_SHOWN),
      gates: await readGates(redis, clock()),
    }));
    const lines = views.slice(0, MOST_SHOWN).map((view) => {
      const { agent = '–', project = '–' } = view.task ?? view.end ?? {};
      const state = stateWords(context, view.state);
      return speaker.say(REPLIES.queueLine, {
        mark: MARKS[view.state],
        agent,
        project,
        state,
        short: shortId(view.id),
      });
    });
    const more = views.length - lines.length;
    const rest = more > 0 ? speaker.say(REPLIES.queueMore, { count: more }) : undefined;
    return {
      text: speaker.say(REPLIES.queue, {
        count: views.filter(({ endedAt }) => endedAt === undefined).length,
        paused: gates.length === 0 ? undefined : gates.map(({ reason, text }) => `${reason} (${text})`).join('; '),
        list: views.length === 0 ? speaker.say(REPLIES.queueEmpty) : join([...lines, rest]),
      }),
    };
  },
};
