import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';

/** What the runs of a task said, line by line, for those who want to know what happened. */
export interface TaskLog {
  /** A line as it came. */
  readonly write: (line: string) => void;
  /** A line of our own. */
  readonly note: (fact: Readonly<Record<string, unknown>>) => void;
  /** Until everything is written. Never rejects: a full disk costs lines, not runs. */
  readonly flush: () => Promise<void>;
  readonly close: () => Promise<void>;
  /** How many lines were lost, and why the first of them was. */
  readonly lost: () => { readonly lines: number; readonly reason: string | undefined };
}

/** Where the log of a task is, and how large it may become. */
export interface TaskLogOptions {
  readonly folder: string;
  readonly taskId: string;
  /** Of one file; when it is full it is kept as `.1`, and what was there before is gone. */
  readonly maxBytes?: number;
}

const DEFAULT_MAX_BYTES = 10_000_000;
/** A picture that an agent looked at, for instance. */
const LONGEST_LINE = 1_000_000;
const KEPT_OF_LONG_LINE = 1_000;

/** The file of a task's log. @throws Error if the id could be something else than a file name. */
export function taskLogPath(folder: string, taskId: string): string {
  if (!/^[\w-]{1,64}$/.test(taskId)) throw new Error('Could not name the log of a task: its id is no file name.');
  return join(folder, `${taskId}.jsonl`);
}

/**
 * Opens the log of a task for appending. Its file is made with the first line, and readable by its owner alone: it holds
 * prompts and what agents read.
 * @throws Error if the id could be something else than a file name.
 */
export function openTaskLog({ folder, taskId, maxBytes = DEFAULT_MAX_BYTES }: TaskLogOptions): TaskLog {
  const path = taskLogPath(folder, taskId);
  const longestBatch = Math.min(LONGEST_LINE, maxBytes);
  const pending: string[] = [];
  let file: FileHandle | undefined;
  let bytes = 0;
  let lost: { readonly lines: number; readonly reason: string | undefined } = { lines: 0, reason: undefined };
  let writing: Promise<void> = Promise.resolve();

  async function openFile(): Promise<FileHandle> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const opened = await open(path, 'a', 0o600);
    bytes = (await opened.stat()).size;
    return opened;
  }

  async function closeFile(): Promise<void> {
    const closing = file;
    file = undefined;
    await closing?.close();
  }

  async function append(text: string): Promise<void> {
    const data = Buffer.from(text);
    file ??= await openFile();
    if (bytes > 0 && bytes + data.length > maxBytes) {
      await closeFile();
      await rename(path, `${path}.1`);
      file = await openFile();
    }
    await file.appendFile(data);
    bytes += data.length;
  }

  async function writePending(): Promise<void> {
    while (pending.length > 0) {
      const lines = takeBatch(pending, longestBatch);
      try {
        await append(lines.join(''));
      } catch (error) {
        const { code = String(error) } = error as NodeJS.ErrnoException;
        lost = { lines: lost.lines + lines.length, reason: lost.reason ?? code };
        // Opened anew with the next line: its size is not what we think.
        await closeFile().catch(() => {});
      }
    }
  }

  function write(line: string): void {
    pending.push(`${line.length >= LONGEST_LINE ? cutLine(line) : line}\n`);
    if (pending.length === 1) writing = writing.then(writePending);
  }

  return {
    write,
    note: (fact) => write(JSON.stringify({ type: 'swarm', at: new Date().toISOString(), ...fact })),
    flush: () => writing,
    close: () => {
      writing = writing.then(closeFile).catch(() => {});
      return writing;
    },
    lost: () => lost,
  };
}

/** Takes the first of the lines, and as many more as stay below a number of bytes together. */
function takeBatch(lines: string[], maxBytes: number): string[] {
  let bytes = 0;
  const end = lines.findIndex((line, index) => {
    bytes += Buffer.byteLength(line);
    return index > 0 && bytes > maxBytes;
  });
  return lines.splice(0, end === -1 ? lines.length : end);
}

function cutLine(line: string): string {
  return JSON.stringify({
    type: 'swarm',
    event: 'long line',
    characters: line.length,
    begin: line.slice(0, KEPT_OF_LONG_LINE),
  });
}
