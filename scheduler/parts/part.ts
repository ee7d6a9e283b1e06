import type { Stop } from '../../lib/lifecycle.ts';
import type { Tools } from '../tools.ts';

/** What became of a part: it runs until it is stopped, or it is not set up (off), and why. */
export type PartState = { readonly stop: Stop } | { readonly off: string };

/** Something that runs as long as the scheduler does: a listener, a bot. It is started by the one process that has the lead. */
export interface Part {
  readonly name: string;
  /** An error is told, keeps the scheduler from being ready, stops nothing else, and is followed by another try. */
  readonly start: (tools: Tools) => Promise<PartState>;
}
