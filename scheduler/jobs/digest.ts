import { utc } from '../ledger.ts';
import { gatherDigest } from '../telegram/digest.ts';
import { createOutbox } from '../telegram/outbox.ts';
import { createPhone } from '../telegram/phone.ts';
import type { Job } from './job.ts';

/**
 * The daily digest. It goes into the outbox of the phone directly, so that it also tells of a Redis that does not answer.
 * One for each day: done twice it is told once.
 */
export const digest: Job = {
  name: 'digest',
  run: async (context) => {
    const phone = createPhone(context);
    if (typeof phone === 'string') return { summary: `nobody to tell: ${phone}` };
    const facts = await gatherDigest(context, phone.speaker);
    const day = utc(context.slot.slotMs);
    const key = `digest-${day.replace(/\W/g, '-')}`;
    createOutbox(context.db, context.clock).add({ key, kind: 'digest', facts, at: utc(context.clock()) });
    return { summary: `${facts.tasks ?? 'unknown'} tasks` };
  },
};
