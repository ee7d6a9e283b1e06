import { describeError } from '../lib/errors.ts';
import type { Stop } from '../lib/lifecycle.ts';
import type { Part } from './parts/part.ts';
import type { Tools } from './tools.ts';

/** The parts of this process, once they were started. */
export interface RunningParts {
  /** Starts every part, once. */
  readonly start: () => Promise<void>;
  /** Those that do not run, and why. */
  readonly off: () => Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;
}

/** Parts that one does not start or stop stops no other. */
export function createParts(parts: readonly Part[], tools: Tools): RunningParts {
  const off: Record<string, string> = {};
  const stops: Stop[] = [];
  let starting: Promise<void> | undefined;

  const startPart = async (part: Part): Promise<void> => {
    const log = tools.log.child({ part: part.name });
    try {
      const state = await part.start({ ...tools, log });
      if ('stop' in state) {
        stops.push(state.stop);
        return;
      }
      off[part.name] = state.off;
      log.info({ reason: state.off }, 'off');
    } catch (error) {
      off[part.name] = describeError(error);
      log.error({ reason: describeError(error) }, 'does not run: everything else does');
    }
  };

  const startAll = async (): Promise<void> => {
    for (const part of parts) await startPart(part);
  };

  return {
    off: () => off,
    start: () => {
      starting ??= startAll();
      return starting;
    },
    stop: async () => {
      await starting;
      for (const stop of stops.toReversed()) {
        try {
          await stop();
        } catch (error) {
          tools.log.warn({ reason: describeError(error) }, 'a part did not stop cleanly');
        }
      }
    },
  };
}
