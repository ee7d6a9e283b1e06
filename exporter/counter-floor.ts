/** Keeps counters from going down when a row that came late joins a task counted before. */
export interface CounterFloor {
  /** The value to show: what is true now, or what was shown before if that is more. */
  readonly hold: (series: string, value: number) => number;
  /** Forgets what was shown: rows were deleted or the file replaced, and then counters must go down with it. */
  readonly beginEpoch: (epoch: number) => void;
}

/** A floor that remembers nothing yet. */
export function createCounterFloor(): CounterFloor {
  const shown = new Map<string, number>();
  let current: number | undefined;
  return {
    hold: (series, value) => {
      const held = Math.max(value, shown.get(series) ?? value);
      shown.set(series, held);
      return held;
    },
    beginEpoch: (epoch) => {
      if (epoch !== current) shown.clear();
      current = epoch;
    },
  };
}
