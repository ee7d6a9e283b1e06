import { describeError } from '../lib/errors.ts';
import type { Part, PartState } from './parts/part.ts';
import type { Tools } from './tools.ts';

/** The parts of this process, once they were started. */
export interface RunningParts {
  /** Starts every part, once; one that failed to start is tried again when it is called after a pause. */
  readonly start: () => Promise<void>;
  /** Those that are not set up, and why. */
  readonly off: () => Readonly<Record<string, string>>;
  /** Why those that are set up and do not run do not; undefined if there are none. */
  readonly problem: () => string | undefined;
  readonly stop: () => Promise<void>;
}

/** How long a part that failed to start is left alone. */
const RETRY_MS = 15_000;

/** What became of a part: see `PartState`, or it failed, and is to be tried again. */
type Outcome = PartState | { readonly failed: string; readonly retryAtMs: number };

/** Parts that one does not start or stop stops no other. */
export function createParts(parts: readonly Part[], tools: Tools, retryMs = RETRY_MS): RunningParts {
  const outcomes = new Map<Part, Outcome>();
  let starting: Promise<void> | undefined;
  let isStopping = false;

  const startPart = async (part: Part): Promise<Outcome> => {
    const log = tools.log.child({ part: part.name });
    const before = outcomes.get(part);
    const last = before !== undefined && 'failed' in before ? before.failed : undefined;
    try {
      const state = await part.start({ ...tools, log });
      if ('off' in state) log.info({ reason: state.off }, 'off');
      else if (last !== undefined) log.info('runs at last');
      return state;
    } catch (error) {
      const failed = describeError(error);
      // Once for each reason, not with every try.
      if (failed !== last) log.error({ reason: failed }, 'does not run, and is tried again: everything else does');
      return { failed, retryAtMs: performance.now() + retryMs };
    }
  };

  const isDue = (part: Part): boolean => {
    const outcome = outcomes.get(part);
    return outcome === undefined || ('failed' in outcome && outcome.retryAtMs <= performance.now());
  };

  const startDue = async (): Promise<void> => {
    for (const part of parts) if (!isStopping && isDue(part)) outcomes.set(part, await startPart(part));
  };

  /** Parts with a reason of one kind, in their order. */
  const reasons = (reasonOf: (outcome: Outcome) => string | undefined): [name: string, reason: string][] =>
    parts.flatMap((part) => {
      const outcome = outcomes.get(part);
      const reason = outcome && reasonOf(outcome);
      return reason === undefined ? [] : [[part.name, reason]];
    });

  return {
    off: () => Object.fromEntries(reasons((outcome) => ('off' in outcome ? outcome.off : undefined))),
    problem: () => {
      const failed = reasons((outcome) => ('failed' in outcome ? outcome.failed : undefined));
      return failed.map(([name, reason]) => `${name} does not run: ${reason}`).join(' ') || undefined;
    },
    start: () => {
      starting ??= startDue().finally(() => {
        starting = undefined;
      });
      return starting;
    },
    stop: async () => {
      isStopping = true;
      await starting;
      for (const part of parts.toReversed()) await stopPart(outcomes.get(part), tools);
    },
  };
}

async function stopPart(outcome: Outcome | undefined, { log }: Tools): Promise<void> {
  if (outcome === undefined || !('stop' in outcome)) return;
  try {
    await outcome.stop();
  } catch (error) {
    log.warn({ reason: describeError(error) }, 'a part did not stop cleanly');
  }
}
