import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, OperatorError, UnreachableError } from '../../lib/errors.ts';
import { oneLine } from '../queue/describe-task.ts';
import { createLineReader } from './lines.ts';
import { MAX_LINE_BYTES } from './protocol.ts';

/** A line to the receiver, through ssh or whatever stands in for it. */
export interface Link {
  readonly send: (message: object) => void;
  /**
   * The receiver's next line.
   * @throws UnreachableError if it cannot be reached, says nothing for `timeoutMs`, or lacks its Redis; OperatorError if it
   * ended for another reason.
   */
  readonly receive: (timeoutMs: number) => Promise<string>;
  /** Hangs up, and waits for the end of the other side. */
  readonly close: () => Promise<void>;
}

const KEPT_COMPLAINT = 4_000;
const LONGEST_COMPLAINT = 1_000;
const ENDS_WITHIN_MS = 10_000;
const LAST_WORDS_WITHIN_MS = 500;
/** ssh ends so if it gets no connection; a shell, if there is no such program, or it may not be run. */
const NOT_REACHED: readonly (number | null)[] = [EXIT.unreachable, 255, 126, 127, null];

/** Starts a command whose standard input and output lead to the receiver at `host`. */
export function openLink(host: string, [program = '', ...args]: readonly string[]): Link {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = endOf(child);
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-KEPT_COMPLAINT);
  });
  // A receiver that is gone is told of by its end.
  child.stdin.on('error', () => undefined);
  const lines = createLineReader(child.stdout, MAX_LINE_BYTES);
  const close = async (): Promise<void> => {
    child.stdin.end();
    // Nothing more is wanted of it, and what talks on and on would never end.
    child.stdout.destroy();
    const timer = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS);
    await ended;
    clearTimeout(timer);
  };
  return {
    send: (message) => child.stdin.write(`${JSON.stringify(message)}\n`),
    receive: async (timeoutMs) => {
      const line = await lines.next(timeoutMs);
      if (line !== undefined) return line;
      child.stdin.end();
      throw explainEnd(host, await ended, complaint);
    },
    close,
  };
}

interface End {
  readonly code: number | null;
  readonly error?: Error;
}

/** Its last words come a moment after its end, or never: a connection that ssh shares stays open, and holds them. */
async function endOf(child: ChildProcess): Promise<End> {
  const closed = once(child, 'close').catch(() => undefined);
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    await Promise.race([closed, sleep(LAST_WORDS_WITHIN_MS)]);
    return { code };
  } catch (error) {
    return { code: null, error: error as Error };
  } finally {
    child.stderr?.destroy();
  }
}

function explainEnd(host: string, { code, error }: End, complaint: string): OperatorError {
  const said = oneLine(complaint || (error?.message ?? `it ended with exit code ${code}`), LONGEST_COMPLAINT);
  const message = `Could not ship to "${host}": ${said.replace(/\.$/, '')}.`;
  return NOT_REACHED.includes(code)
    ? new UnreachableError(
        message,
        'Nothing is lost: the next ship sends what is missing. docs/ship.md tells how to find out what is wrong.',
      )
    : new OperatorError(message, 'Nothing is lost: what has not arrived is sent again the next time.');
}
