import { describeError } from '../../lib/errors.ts';
import { tellMessages } from '../outbox.ts';
import type { Part } from './part.ts';

const EVERY_MS = 30_000;

/** Tells what jobs have left to tell, as soon as the queue can be reached. */
export const createOutboxPart = (everyMs = EVERY_MS): Part => ({
  name: 'outbox',
  start: async (tools) => {
    let telling: Promise<void> | undefined;
    const tell = async (): Promise<void> => {
      try {
        await tellMessages(tools);
      } catch (error) {
        tools.log.error({ reason: describeError(error) }, 'the outbox could not be used');
      }
    };
    const timer = setInterval(() => {
      telling ??= tell().finally(() => {
        telling = undefined;
      });
    }, everyMs);
    return {
      stop: async () => {
        clearInterval(timer);
        await telling;
      },
    };
  },
});
