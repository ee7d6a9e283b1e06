import { closeGate } from '../../../lib/queue/gates.ts';
import type { BotCommand } from '../context.ts';
import { REPLIES } from '../words/replies.ts';

const PAUSED = 'Paused on the phone.';

/** `/pausa`: no more tasks are taken; those under way go on. */
export const pause: BotCommand = {
  names: { it: 'pausa', en: 'pause' },
  about: { it: 'Metti in pausa la coda', en: 'Pause the queue' },
  run: async ({ withQueue, speaker, audit }, argument) => {
    const text = argument || PAUSED;
    await withQueue((_, redis) => closeGate(redis, { reason: 'user', text, untilMs: undefined }));
    audit('pause', 'queue', text);
    return { text: speaker.say(REPLIES.paused) };
  },
};
