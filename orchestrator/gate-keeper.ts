import type { Redis } from 'ioredis';
import { describeError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { closeGate, type Gate, readGates } from '../lib/queue/gates.ts';

/** Keeps the worker paused while a gate is closed, whoever closed it. */
export interface GateKeeper {
  /** Closes a gate for everybody, and pauses this worker at once. */
  readonly close: (gate: Gate) => Promise<void>;
  readonly closed: () => readonly Gate[];
  readonly stop: () => void;
}

const LOOK_EVERY_MS = 1_000;

/** Looks at the gates every second. `setPaused` is called each time: with true until they were first read. */
export function startGateKeeper({ redis, setPaused, isStopping, ownFault, log }: GateKeeperOptions): GateKeeper {
  let closed: readonly Gate[] = [];
  let known = '';
  const look = async (): Promise<void> => {
    const own = ownFault();
    closed = [...(await readGates(redis, Date.now())), ...(own ? [own] : [])];
    setPaused(closed.length > 0 || isStopping());
    const reasons = closed.map(({ reason, text }) => `${reason}: ${text}`).join('; ');
    if (reasons !== known) log.info({ reasons }, reasons === '' ? 'the queue is open' : 'the queue is paused');
    known = reasons;
  };
  let isLooking = false;
  const lookOrWarn = async (): Promise<void> => {
    // One at a time: while Redis is away each takes as long as its connection waits.
    if (isLooking) return;
    isLooking = true;
    try {
      await look();
    } catch (error) {
      const own = ownFault();
      closed = own ? [own] : [];
      setPaused(true);
      log.warn({ reason: describeError(error) }, 'cannot see whether the queue is paused');
    } finally {
      isLooking = false;
    }
  };
  void lookOrWarn();
  const timer = setInterval(() => void lookOrWarn(), LOOK_EVERY_MS);
  return {
    close: async (gate) => {
      setPaused(true);
      await closeGate(redis, gate);
      await look();
    },
    closed: () => closed,
    stop: () => clearInterval(timer),
  };
}

interface GateKeeperOptions {
  /** A connection whose commands do not wait for ever. */
  readonly redis: Redis;
  readonly setPaused: (isPaused: boolean) => void;
  readonly isStopping: () => boolean;
  /** A reason of this process alone. */
  readonly ownFault: () => Gate | undefined;
  readonly log: Log;
}
