import { open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { taskLogPath } from './task-log.ts';

/** What may be kept of the logs of tasks. */
export interface LogLimits {
  readonly folder: string;
  readonly maxAgeMs: number;
  readonly maxTotalBytes: number;
  /** The logs of tasks that are being worked on stay. */
  readonly isInUse?: (taskId: string) => boolean;
  readonly nowMs?: number;
}

interface LogFile {
  readonly path: string;
  readonly taskId: string;
  readonly bytes: number;
  readonly changedMs: number;
}

const NAME = /^([\w-]{1,64})\.jsonl(?:\.1)?$/;
const DEFAULT_READ_BYTES = 1_000_000;

/**
 * The last lines of a task's log, oldest first: as many whole lines as fit in `maxBytes`; none if there is no log.
 * @throws Error if the id could be something else than a file name.
 */
export async function readTaskLog(options: {
  readonly folder: string;
  readonly taskId: string;
  readonly maxBytes?: number;
}): Promise<readonly string[]> {
  const { folder, taskId, maxBytes = DEFAULT_READ_BYTES } = options;
  const path = taskLogPath(folder, taskId);
  const current = await readEnd(path, maxBytes);
  const older = current.length < maxBytes ? await readEnd(`${path}.1`, maxBytes - current.length) : '';
  return (older + current).split('\n').filter((line) => line !== '');
}

/** Removes logs that are too old, and then the oldest until the rest is small enough. */
export async function pruneTaskLogs(
  limits: LogLimits,
): Promise<{ readonly removed: number; readonly keptBytes: number }> {
  const { folder, maxAgeMs, maxTotalBytes, isInUse = () => false, nowMs = Date.now() } = limits;
  const files = (await listLogs(folder)).toSorted((one, other) => other.changedMs - one.changedMs);
  let keptBytes = 0;
  let removed = 0;
  for (const { path, taskId, bytes, changedMs } of files) {
    const isWithinLimits = nowMs - changedMs <= maxAgeMs && keptBytes + bytes <= maxTotalBytes;
    if (isWithinLimits || isInUse(taskId)) {
      keptBytes += bytes;
    } else {
      await rm(path, { force: true });
      removed += 1;
    }
  }
  return { removed, keptBytes };
}

async function listLogs(folder: string): Promise<LogFile[]> {
  const names = await readdir(folder).catch(() => []);
  const files = await Promise.all(
    names.map(async (name): Promise<LogFile | undefined> => {
      const path = join(folder, name);
      const taskId = NAME.exec(name)?.[1];
      const found = taskId === undefined ? undefined : await stat(path).catch(() => undefined);
      return taskId && found?.isFile() ? { path, taskId, bytes: found.size, changedMs: found.mtimeMs } : undefined;
    }),
  );
  return files.filter((each) => each !== undefined);
}

/** Whole lines of the end of a file; nothing of a file that is not there. */
async function readEnd(path: string, maxBytes: number): Promise<string> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return '';
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - maxBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    const text = buffer.toString('utf8', 0, bytesRead);
    return start === 0 ? text : text.slice(text.indexOf('\n') + 1);
  } finally {
    await file.close();
  }
}
