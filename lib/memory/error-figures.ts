import { errorSignature } from './error-signature.ts';
import { textHash } from './text-hash.ts';
import { advanceTo, createTimeLog, forgetBefore, insertEntry, removeEntry, type TimeLog } from './time-log.ts';
import { WINDOWS_MS } from './windows.ts';

/** Kinds of error, told apart by signature: which are new, which come back. Plain data. */
export interface ErrorFigures {
  readonly log: TimeLog;
  /** When each signature was first seen; -Infinity for one whose row has no time. */
  readonly firstSeenMs: Map<number, number>;
  /** The first times alone, in order: what lies in a window is new there. */
  readonly firsts: TimeLog;
  /** By window: how often each signature occurs in it, and how many occur more than once. */
  readonly windows: { readonly bySignature: Map<number, number>; repeated: number }[];
  /** The longest window. */
  readonly longestMs: number;
}

/** The figures of a memory without errors. */
export function createErrorFigures(nowMs: number, windowsMs = WINDOWS_MS): ErrorFigures {
  return {
    log: createTimeLog([new Float64Array()], windowsMs, nowMs),
    firstSeenMs: new Map(),
    firsts: createTimeLog([], windowsMs, nowMs),
    windows: windowsMs.map(() => ({ bySignature: new Map(), repeated: 0 })),
    longestMs: Math.max(...windowsMs),
  };
}

/** Counts one error message, or with `sign` -1 takes back what an earlier call counted (the first sight stays). */
export function countError(figures: ErrorFigures, message: string, timeMs: number | undefined, sign: 1 | -1 = 1): void {
  const signature = textHash(errorSignature(message));
  if (sign === 1) noteFirst(figures, signature, timeMs ?? Number.NEGATIVE_INFINITY);
  if (timeMs === undefined || timeMs <= figures.log.nowMs - figures.longestMs) return;
  if (sign === 1) insertEntry(figures.log, timeMs, [signature], observer(figures));
  else removeEntry(figures.log, timeMs, [signature], observer(figures));
}

/** Moves the windows to `nowMs`. */
export function advanceErrorFigures(figures: ErrorFigures, nowMs: number): void {
  advanceTo(figures.log, nowMs, observer(figures));
  advanceTo(figures.firsts, nowMs, NOBODY);
  forgetBefore(figures.log, nowMs - figures.longestMs);
  forgetBefore(figures.firsts, nowMs - figures.longestMs);
}

/** Signatures of one window that had never been seen before it. */
export function newSignatures(figures: ErrorFigures, window: number): number {
  return figures.firsts.length - figures.firsts.windows[window].from;
}

/** Signatures that occur twice or more in one window. */
export function repeatedErrors(figures: ErrorFigures, window: number): number {
  return figures.windows[window].repeated;
}

const NOBODY = { enter: () => {}, leave: () => {} };

function noteFirst(figures: ErrorFigures, signature: number, timeMs: number): void {
  const known = figures.firstSeenMs.get(signature);
  if (known !== undefined && known <= timeMs) return;
  figures.firstSeenMs.set(signature, timeMs);
  if (known !== undefined) removeEntry(figures.firsts, known, [], NOBODY);
  if (timeMs > figures.firsts.nowMs - figures.longestMs) insertEntry(figures.firsts, timeMs, [], NOBODY);
}

function observer(figures: ErrorFigures) {
  const count = (sign: 1 | -1) => (index: number, entry: number) => {
    const window = figures.windows[index];
    const signature = figures.log.columns[0][entry];
    const before = window.bySignature.get(signature) ?? 0;
    const after = before + sign;
    window.repeated += Number(after > 1) - Number(before > 1);
    if (after === 0) window.bySignature.delete(signature);
    else window.bySignature.set(signature, after);
  };
  return { enter: count(1), leave: count(-1) };
}
