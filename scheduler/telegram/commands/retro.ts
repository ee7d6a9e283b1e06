import { tell } from '../catalogue.ts';
import type { BotCommand } from '../context.ts';
import { REPLIES } from '../words/replies.ts';

/** `/retro`: the last retrospective that was told. */
export const retro: BotCommand = {
  names: { it: 'retro', en: 'retro' },
  about: { it: 'L’ultima retrospettiva', en: 'The last retrospective' },
  run: async ({ phone, speaker }) => {
    const last = phone.outbox.latest('retro');
    return { text: last ? tell(last.kind, last.facts, speaker) : speaker.say(REPLIES.noRetro) };
  },
};
