import { OPENED_BY_A_PERSON, openGates } from '../../../lib/queue/gates.ts';
import type { BotCommand } from '../context.ts';
import { REPLIES } from '../words/replies.ts';

/** `/riprendi`: tasks are taken again. */
export const resume: BotCommand = {
  names: { it: 'riprendi', en: 'resume' },
  about: { it: 'Riapri la coda', en: 'Open the queue again' },
  run: async ({ withQueue, speaker, audit }) => {
    await withQueue((_, redis) => openGates(redis, OPENED_BY_A_PERSON));
    audit('resume', 'queue', 'open');
    return { text: speaker.say(REPLIES.resumed) };
  },
};
