/** Something in a log that wants a time. */
export interface Timed {
  atMs: number | undefined;
}

/** Gives times to what is found in an agent's log, whose lines mostly have none. */
export interface LogClock {
  /** Reads on: the next line, parsed. */
  readonly pass: (line: Readonly<Record<string, unknown>>) => void;
  /** Gives what the line holds its time: the line's own, else that of the next line that has one. */
  readonly stamp: (each: Timed) => void;
  /** Gives it the line's own time, else that of the line before. */
  readonly stampBefore: (each: Timed) => void;
  /** The log is over: what still waits has the last time there was. */
  readonly end: () => void;
}

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;

/** A clock for one log, from its beginning. */
export function createLogClock(): LogClock {
  let lastMs: number | undefined;
  let isOwn = false;
  let waiting: Timed[] = [];
  const settle = (atMs: number | undefined): void => {
    for (const each of waiting) each.atMs = atMs;
    waiting = [];
  };
  return {
    pass: (line) => {
      const ownMs = timeOf(line);
      isOwn = ownMs !== undefined;
      if (!isOwn) return;
      // What a run that was cut off left untimed happened before the next one began.
      settle(line.event === 'run started' ? lastMs : ownMs);
      lastMs = ownMs;
    },
    stamp: (each) => {
      each.atMs = lastMs;
      if (!isOwn) waiting.push(each);
    },
    stampBefore: (each) => {
      each.atMs = lastMs;
    },
    end: () => settle(lastMs),
  };
}

/** Our own lines and the agent's have it under different names. */
function timeOf({ type, at, timestamp }: Readonly<Record<string, unknown>>): number | undefined {
  const stated = type === 'swarm' ? at : timestamp;
  if (typeof stated !== 'string' || !MOMENT.test(stated)) return undefined;
  const ms = Date.parse(stated);
  return Number.isNaN(ms) ? undefined : ms;
}
