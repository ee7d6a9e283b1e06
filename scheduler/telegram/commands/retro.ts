import { render } from '../chart/render.ts';
import type { BotCommand } from '../context.ts';
import { readLastRetro } from '../reports.ts';
import { retroPicture } from '../retro-picture.ts';
import { TOLD } from '../words/notifications.ts';
import { REPLIES } from '../words/replies.ts';

const LONGEST_TEXT = 900;

/** `/retro`: the last retrospective in short, with its picture, and the whole of it as a file. */
export const retro: BotCommand = {
  names: { it: 'retro', en: 'retro' },
  about: { it: 'L’ultima retrospettiva', en: 'The last retrospective' },
  run: async ({ db, speaker, log }) => {
    const last = readLastRetro(db);
    if (last === undefined) return { text: speaker.say(REPLIES.noRetro) };
    const text = speaker.say(TOLD.retro, { text: speaker.quote(last.shortText, LONGEST_TEXT) });
    const picture = retroPicture(last.week, speaker);
    const pictures = picture ? await render(picture, log) : [];
    const page = { kind: 'document', name: 'retro.md', bytes: Buffer.from(last.markdown) } as const;
    return { text, files: [...pictures, page] };
  },
};
