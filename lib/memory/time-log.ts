/** A column of a time log; its name is known to the log's owner only. */
export type Column = Float64Array | Uint32Array | Uint16Array | Uint8Array;

/**
 * Entries in order of time, column by column, and cursors that mark where each sliding window begins. Compact (a million
 * entries are a few typed arrays) and plain data, so that it can be handed from one thread to another.
 */
export interface TimeLog {
  length: number;
  times: Float64Array;
  columns: Column[];
  readonly windows: { readonly ms: number; from: number }[];
  /** Windows end here; an entry is in a window if its time is later than `nowMs` minus the window. */
  nowMs: number;
}

/** Told about every entry that enters or leaves a window, by the window's place in the list. */
export interface WindowObserver {
  readonly enter: (window: number, entry: number) => void;
  readonly leave: (window: number, entry: number) => void;
}

/** An empty log; `columns` are empty arrays of the wanted kinds. */
export function createTimeLog(columns: readonly Column[], windowsMs: readonly number[], nowMs: number): TimeLog {
  return {
    length: 0,
    times: new Float64Array(0),
    columns: columns.map((column) => resize(column, 0)),
    windows: windowsMs.map((ms) => ({ ms, from: 0 })),
    nowMs,
  };
}

/** Puts an entry in its place; equal times keep the order of insertion. */
export function insertEntry(log: TimeLog, timeMs: number, values: readonly number[], observer: WindowObserver): void {
  if (log.length === log.times.length) grow(log);
  const at = upperBound(log, timeMs);
  shift(log, at, at + 1);
  log.length += 1;
  log.times[at] = timeMs;
  for (let index = 0; index < values.length; index += 1) log.columns[index][at] = values[index];
  for (let index = 0; index < log.windows.length; index += 1) {
    const window = log.windows[index];
    if (timeMs > log.nowMs - window.ms) observer.enter(index, at);
    else window.from += 1;
  }
}

/** Takes out one entry with exactly these values; entries alike are interchangeable. False if there is none. */
export function removeEntry(
  log: TimeLog,
  timeMs: number,
  values: readonly number[],
  observer: WindowObserver,
): boolean {
  let at = upperBound(log, timeMs) - 1;
  while (at >= 0 && log.times[at] === timeMs && !values.every((value, index) => log.columns[index][at] === value))
    at -= 1;
  if (at < 0 || log.times[at] !== timeMs) return false;
  for (let index = 0; index < log.windows.length; index += 1) {
    const window = log.windows[index];
    if (at >= window.from) observer.leave(index, at);
    else window.from -= 1;
  }
  shift(log, at + 1, at);
  log.length -= 1;
  return true;
}

/** Moves every window to end at `nowMs`, forwards or, after a clock was set back, backwards. */
export function advanceTo(log: TimeLog, nowMs: number, observer: WindowObserver): void {
  log.nowMs = nowMs;
  for (let index = 0; index < log.windows.length; index += 1) {
    const window = log.windows[index];
    const begin = nowMs - window.ms;
    while (window.from < log.length && log.times[window.from] <= begin) {
      observer.leave(index, window.from);
      window.from += 1;
    }
    while (window.from > 0 && log.times[window.from - 1] > begin) {
      window.from -= 1;
      observer.enter(index, window.from);
    }
  }
}

/** Forgets entries of `beforeMs` and earlier, once they are a quarter of the log. They must be in no window. */
export function forgetBefore(log: TimeLog, beforeMs: number): void {
  const gone = Math.min(upperBound(log, beforeMs), ...log.windows.map((window) => window.from));
  if (gone === 0 || gone < log.length / 4) return;
  shift(log, gone, 0);
  log.length -= gone;
  for (const window of log.windows) window.from -= gone;
}

/** Gives back what growing took in advance, but for an eighth. */
export function compact(log: TimeLog): void {
  setCapacity(log, log.length + (log.length >>> 3));
}

/** How many entries are later than `afterMs`. */
export function countAfter(log: TimeLog, afterMs: number): number {
  return log.length - upperBound(log, afterMs);
}

/** The place behind the last entry of `timeMs` or earlier; entries mostly arrive in order, so the end is tried first. */
function upperBound(log: TimeLog, timeMs: number): number {
  if (log.length === 0 || log.times[log.length - 1] <= timeMs) return log.length;
  let low = 0;
  let high = log.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (log.times[middle] <= timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function shift(log: TimeLog, from: number, to: number): void {
  if (from === log.length) return;
  log.times.copyWithin(to, from, log.length);
  for (const column of log.columns) column.copyWithin(to, from, log.length);
}

function grow(log: TimeLog): void {
  setCapacity(log, Math.max(64, log.length + (log.length >>> 2)));
}

function setCapacity(log: TimeLog, capacity: number): void {
  log.times = resize(log.times, capacity) as Float64Array;
  log.columns = log.columns.map((column) => resize(column, capacity));
}

function resize(column: Column, capacity: number): Column {
  const Kind = column.constructor as new (length: number) => Column;
  const bigger = new Kind(capacity);
  bigger.set(column.subarray(0, Math.min(column.length, capacity)));
  return bigger;
}
