import type { BotCommand } from '../context.ts';
import { readLastRetro } from '../reports.ts';
import { TOLD } from '../words/notifications.ts';
import { REPLIES } from '../words/replies.ts';

const LONGEST_TEXT = 900;

/** `/retro`: the last retrospective in short, and the whole of it as a file. */
export const retro: BotCommand = {
  names: { it: 'retro', en: 'retro' },
  about: { it: 'L’ultima retrospettiva', en: 'The last retrospective' },
  run: async ({ db, speaker }) => {
    const last = readLastRetro(db);
    if (last === undefined) return { text: speaker.say(REPLIES.noRetro) };
    const text = speaker.say(TOLD.retro, { text: speaker.quote(last.shortText, LONGEST_TEXT) });
    return { text, file: { kind: 'document', name: 'retro.md', bytes: Buffer.from(last.markdown) } };
  },
};
