import type { Tools } from '../tools.ts';

/** The slot a job is run for. */
export interface SlotInfo {
  /** Its time, UTC milliseconds: the same however often it is tried, so that ids made of it are. */
  readonly slotMs: number;
  /** When this run began. */
  readonly nowMs: number;
  readonly latenessMs: number;
  readonly isLate: boolean;
  /** Asked for by hand, at no time of the timetable. */
  readonly isManual: boolean;
}

/** What a job works with. */
export interface JobContext extends Tools {
  readonly slot: SlotInfo;
  /** Aborted when the scheduler stops, or the job has taken longer than it may. */
  readonly signal: AbortSignal;
}

/** What a run has to say, for `swarm schedule list` and the log: one line. */
export interface JobReport {
  readonly summary: string;
}

/**
 * Something that is done at times. If the process dies it is run again for the same slot, so doing it twice must be as good
 * as doing it once. An error fails the slot; an UnreachableError has it tried again every minute while its window is open.
 */
export interface Job {
  /** As in the timetable. */
  readonly name: string;
  /** How long a run may take; 15 minutes if it does not say. */
  readonly timeoutMs?: number;
  // biome-ignore lint/suspicious/noConfusingVoidType: a job with nothing to say returns nothing
  readonly run: (context: JobContext) => Promise<JobReport | void>;
}
