import type { BotCommand } from '../context.ts';
import { describeHealth } from '../reports.ts';
import { REPLIES } from '../words/replies.ts';

/** `/salute`: how the projects are, by the last check. */
export const health: BotCommand = {
  names: { it: 'salute', en: 'health' },
  about: { it: 'La salute dei progetti', en: 'The health of the projects' },
  run: async ({ db, speaker }) => ({ text: describeHealth(db, speaker) ?? speaker.say(REPLIES.noHealth) }),
};
