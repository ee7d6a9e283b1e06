import type { BotCommand } from '../context.ts';
import { join } from '../html.ts';
import { REPLIES } from '../words/replies.ts';

/** `/aiuto`: every command. */
export const help: BotCommand = {
  names: { it: 'aiuto', en: 'help' },
  about: { it: 'I comandi', en: 'The commands' },
  run: async ({ speaker, commands }) => {
    const lines = commands.map(({ names, about }) => ({ html: `/${speaker.plain(names)} – ${speaker.plain(about)}` }));
    return { text: speaker.say(REPLIES.help, { list: join(lines) }) };
  },
};
