import { execFile } from 'node:child_process';
import { readEnvironment } from '../lib/config.ts';

/** How a program ended. */
export interface ProgramEnd {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  /** The folder it works in. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

const MOST_OUTPUT_BYTES = 8 * 2 ** 20;

/**
 * Asks one of the programs that only look at something, without a shell, and with nothing of our environment but PATH and
 * HOME. Undefined if it is not here, did not end in time or said too much: then the question has no answer.
 */
export function askProgram(
  program: 'systemctl' | 'npm',
  args: readonly string[],
  { folder, signal, timeoutMs }: ProgramOptions,
): Promise<ProgramEnd | undefined> {
  const { PATH, HOME } = readEnvironment();
  const options = {
    cwd: folder,
    env: { PATH, HOME, LANG: 'C' },
    signal,
    timeout: timeoutMs,
    maxBuffer: MOST_OUTPUT_BYTES,
  };
  return new Promise((resolve) => {
    execFile(program, args, { ...options, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : error.code;
      resolve(typeof exitCode === 'number' ? { exitCode, stdout, stderr } : undefined);
    });
  });
}
