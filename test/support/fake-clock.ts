/** A clock that stands where a test puts it. */
export interface FakeClock {
  readonly now: () => number;
  /** Puts it to a moment of ISO 8601. */
  readonly set: (moment: string) => void;
}

/** A clock that stands at a moment of ISO 8601. */
export function fakeClock(moment: string): FakeClock {
  let nowMs = Date.parse(moment);
  return {
    now: () => nowMs,
    set: (next) => {
      nowMs = Date.parse(next);
    },
  };
}
