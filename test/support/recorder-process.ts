import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import type { Result } from '../../lib/queue/result.ts';

const RECORDER = fileURLToPath(new URL('./recorder.mjs', import.meta.url));

/** A report, or the name and the text of the error. */
export interface RecorderAnswer {
  readonly written?: number;
  readonly refused?: readonly unknown[];
  readonly error?: string;
  readonly message?: string;
}

/** A process that writes into one memory. It ends well when the test ends. */
export interface RecorderProcess {
  readonly pid: number;
  readonly write: (results: readonly Result[]) => Promise<RecorderAnswer>;
}

/** Starts the built writer, within a command such as `unshare -m` or `setpriv …` if one is given. */
export async function startRecorder(path: string, within: readonly string[] = []): Promise<RecorderProcess> {
  const [command, ...parameters] = [...within, process.execPath, RECORDER, path];
  const child = spawn(command, parameters, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.stdin.end();
    expect(await ended).toEqual([0, null]);
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done) throw new Error('The recorder ended before it answered.');
    return value;
  };
  expect(await nextLine()).toBe('ready');
  return {
    pid: child.pid as number,
    write: async (results) => {
      child.stdin.write(`${JSON.stringify(results)}\n`);
      return JSON.parse(await nextLine()) as RecorderAnswer;
    },
  };
}
