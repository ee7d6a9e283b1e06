import type { Stop } from '../../lib/lifecycle.ts';
import type { Tools } from '../tools.ts';

/** What became of a part: it runs until it is stopped, or it is off, and why. */
export type PartState = { readonly stop: Stop } | { readonly off: string };

/** Something that runs as long as the scheduler does: a listener, a bot. It is started by the one process that has the lead. */
export interface Part {
  readonly name: string;
  /** An error is told and stops nothing else. */
  readonly start: (tools: Tools) => Promise<PartState>;
}
