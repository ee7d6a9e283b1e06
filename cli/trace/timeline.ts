import type { describeTask } from '../queue/describe-task.ts';

/** Where something is known from. At the same millisecond one comes before the next: an agent ends, then its task. */
export const SOURCES = ['agent', 'memory', 'queue'] as const;
export type Source = (typeof SOURCES)[number];

/** Something that happened to a task, as one source tells it. */
export interface Happening {
  /** Milliseconds since 1970; undefined if the source does not say. */
  readonly atMs: number | undefined;
  readonly event: string;
  readonly detail?: string | undefined;
}

/** Facts about a task as `queue show` gives them, as far as they are known. */
export type TaskFacts = { readonly [Fact in keyof ReturnType<typeof describeTask>]?: unknown };

/** What one source knows of an id. */
export interface SourceReport {
  readonly source: Source;
  readonly happenings: readonly Happening[];
  readonly task?: TaskFacts | undefined;
  /** Why it tells nothing; undefined if it does. */
  readonly missing?: string | undefined;
}

/** A line of a trace. */
export interface TraceLine {
  /** UTC, ISO 8601; null if unknown. */
  readonly at: string | null;
  readonly source: Source;
  readonly event: string;
  readonly detail: string | null;
}

const LONGEST_EVENT = 100;
const LONGEST_DETAIL = 2_000;

/** What all sources tell, in order of time; what has no time stands with what its source told before it. */
export function mergeReports(reports: readonly SourceReport[]): TraceLine[] {
  const placed = reports.flatMap(({ source, happenings }) => {
    let lastMs = Number.NEGATIVE_INFINITY;
    return happenings.map((happening) => {
      lastMs = happening.atMs ?? lastMs;
      return { source, happening, placeMs: lastMs };
    });
  });
  placed.sort((one, other) => {
    const earlier = one.placeMs === other.placeMs ? 0 : one.placeMs - other.placeMs;
    return earlier || SOURCES.indexOf(one.source) - SOURCES.indexOf(other.source);
  });
  return placed.map(({ source, happening: { atMs, event, detail } }) => ({
    at: atMs === undefined ? null : new Date(atMs).toISOString(),
    source,
    event: event.slice(0, LONGEST_EVENT),
    detail: detail?.slice(0, LONGEST_DETAIL) ?? null,
  }));
}
