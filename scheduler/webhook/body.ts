import type { Readable } from 'node:stream';

/** What became of a body: its bytes, or why there are none. */
export type Body = Buffer | 'too-large' | 'busy';

/** How much may come, in bytes. */
export interface BodyLimits {
  /** Of one body. */
  readonly longest: number;
  /** Of all that are held at once: nobody has proved yet who they are. */
  readonly together: number;
}

/** So much more than its limit is let run by, so that whoever sends can read the answer; then the connection is cut. */
const PATIENCE = 4;

/** A reader of bodies. What is too large is not kept, but let run by. */
export function createBodyReader({ longest, together }: BodyLimits): (stream: Readable) => Promise<Body> {
  let held = 0;
  return async (stream) => {
    const chunks: Buffer[] = [];
    let [length, kept] = [0, 0];
    let refusal: Exclude<Body, Buffer> | undefined;
    const drop = (why: Exclude<Body, Buffer>): void => {
      refusal = why;
      chunks.length = 0;
      held -= kept;
      kept = 0;
    };
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        length += chunk.length;
        if (length > longest * PATIENCE) break;
        if (length > longest) drop('too-large');
        else if (held + chunk.length > together) drop('busy');
        if (refusal !== undefined) continue;
        chunks.push(chunk);
        held += chunk.length;
        kept += chunk.length;
      }
      return refusal ?? Buffer.concat(chunks);
    } finally {
      held -= kept;
    }
  };
}
