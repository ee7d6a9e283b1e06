/** What can be seen at one moment of a memory and of the program that copies it. Moments are milliseconds since 1970. */
export interface Sighting {
  readonly atMs: number;
  /** When the memory was last written to. */
  readonly writtenMs: number;
  /** Files that were uploaded since that program started. */
  readonly uploads: number;
}

/** How the copying goes, from all sightings so far. */
export interface Progress {
  readonly last: Sighting;
  /** Since when something written has had no upload after it; undefined if nothing waits, 'unknown' before there was anything to tell by. */
  readonly waitingSinceMs: number | 'unknown' | undefined;
}

/**
 * Progress with one more sighting. Uploads go in the order of writing, so the first one after a write ends its waiting: of a store that is
 * slow, but takes what it gets, no lag shows. A program that began again has told nothing yet.
 */
export function progressAfter(before: Progress | undefined, now: Sighting): Progress {
  if (before === undefined || now.uploads < before.last.uploads) return { last: now, waitingSinceMs: 'unknown' };
  if (now.uploads > before.last.uploads) return { last: now, waitingSinceMs: undefined };
  const { last, waitingSinceMs } = before;
  const isWaiting = typeof waitingSinceMs === 'number';
  if (isWaiting || now.writtenMs === last.writtenMs) return { last: now, waitingSinceMs };
  return { last: now, waitingSinceMs: Math.min(now.writtenMs, now.atMs) };
}

/** How long the oldest write that is not copied has waited, milliseconds; 0 if none does, undefined if nobody can tell. */
export function lagOf({ last, waitingSinceMs }: Progress): number | undefined {
  if (waitingSinceMs === 'unknown') return undefined;
  return waitingSinceMs === undefined ? 0 : last.atMs - waitingSinceMs;
}
