import { writeSync } from 'node:fs';

/** Where the lines of a log go. */
export interface LogOutput {
  readonly write: (line: string) => void;
}

const BUSY_PAUSE_MS = 5;
/** A reader that is merely slow catches up within half a second; one that is not there is not waited for again. */
const BUSY_TRIES = 100;

/**
 * Lines for a file descriptor, each written before the call returns. What cannot be written (the disk is full, the reader is
 * gone) is left out and counted, and stops nothing: the number follows as a line of its own once there is room again.
 */
export function createLogOutput(fd: number): LogOutput {
  let lost = 0;
  let isTorn = false;

  /** Writes all of it, or says why not. */
  const put = (text: string): string | undefined => {
    const bytes = Buffer.from(text);
    let from = 0;
    let triesLeft = lost === 0 ? BUSY_TRIES : 1;
    while (from < bytes.length) {
      try {
        from += writeSync(fd, bytes, from);
      } catch (error) {
        const { code = String(error) } = error as NodeJS.ErrnoException;
        triesLeft -= 1;
        if (code === 'EAGAIN' && triesLeft > 0) {
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_PAUSE_MS);
          continue;
        }
        isTorn ||= from > 0;
        return code;
      }
    }
    isTorn = false;
    return undefined;
  };

  let reason = '';
  return {
    write: (line) => {
      const told =
        lost === 0 ? '' : `${JSON.stringify({ level: 40, lost, reason, msg: 'lines of this log are lost' })}\n`;
      const failure = put(`${isTorn ? '\n' : ''}${told}${line}`);
      lost = failure === undefined ? 0 : lost + 1;
      reason = failure ?? '';
    },
  };
}
