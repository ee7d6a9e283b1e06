/** Bytes in, lines out. */
export interface LineSplitter {
  readonly push: (chunk: Buffer) => void;
  /** Hands over what came after the last line break. */
  readonly end: () => void;
}

const LINE_BREAK = 10;

/** Splits a stream into lines; of a line longer than `maxBytes` only its length is kept, so that it cannot fill the memory. */
export function createLineSplitter(options: {
  readonly maxBytes: number;
  readonly onLine: (line: string) => void;
  readonly onTooLong: (bytes: number) => void;
}): LineSplitter {
  let parts: Buffer[] = [];
  let bytes = 0;

  function add(part: Buffer): void {
    bytes += part.length;
    if (bytes > options.maxBytes) parts = [];
    else if (part.length > 0) parts.push(part);
  }

  function finish(): void {
    if (bytes > options.maxBytes) options.onTooLong(bytes);
    else if (bytes > 0) options.onLine(Buffer.concat(parts).toString('utf8'));
    parts = [];
    bytes = 0;
  }

  return {
    push: (chunk) => {
      let start = 0;
      for (let at = chunk.indexOf(LINE_BREAK); at !== -1; at = chunk.indexOf(LINE_BREAK, start)) {
        add(chunk.subarray(start, at));
        finish();
        start = at + 1;
      }
      add(chunk.subarray(start));
    },
    end: finish,
  };
}
