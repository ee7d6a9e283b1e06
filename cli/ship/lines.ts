import { OperatorError, UnreachableError } from '../../lib/errors.ts';
import { createLineSplitter } from '../../orchestrator/runner/line-splitter.ts';

/** Lines of a stream, one after another. */
export interface LineReader {
  /**
   * The next line, `undefined` after the last.
   * @throws UnreachableError if none comes within `timeoutMs`; OperatorError for one that is too long.
   */
  readonly next: (timeoutMs: number) => Promise<string | undefined>;
}

/** A reader of lines of at most `maxBytes`. */
export function createLineReader(input: AsyncIterable<Buffer>, maxBytes: number): LineReader {
  const lines = splitLines(input, maxBytes);
  return {
    next: async (timeoutMs) => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(silent(timeoutMs)), timeoutMs);
      });
      try {
        const { value, done } = await Promise.race([lines.next(), late]);
        return done ? undefined : value;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

async function* splitLines(input: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<string, undefined> {
  let ready: string[] = [];
  let tooLong = false;
  const splitter = createLineSplitter({
    maxBytes,
    onLine: (line) => ready.push(line),
    onTooLong: () => {
      tooLong = true;
    },
  });
  const take = (): string[] => {
    if (tooLong)
      throw new OperatorError(`Could not accept a line of more than ${maxBytes} bytes.`, 'Is it swarm that sends it?');
    const taken = ready;
    ready = [];
    return taken;
  };
  for await (const chunk of input) {
    splitter.push(chunk);
    yield* take();
  }
  splitter.end();
  yield* take();
  return undefined;
}

function silent(timeoutMs: number): UnreachableError {
  return new UnreachableError(
    `Could not go on: the other side said nothing for ${Math.round(timeoutMs / 1_000)} s.`,
    'Look at the connection and at the machine there, then ship again.',
  );
}
