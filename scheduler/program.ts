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

/** What a script that runs apart is told. */
export interface ApartOptions {
  /** CommonJS; finds `args` from `process.argv[1]` on. */
  readonly script: string;
  readonly args: readonly string[];
  /** What it reads from stdin. */
  readonly input: string;
  readonly timeoutMs: number;
}

/**
 * Runs a script of ours in a process of its own, with nothing of our environment: what it takes of memory is given back when
 * it ends, and if it crashes we do not. Gives what it wrote.
 * @throws Error with what went wrong, if it fails or does not end in time.
 */
export function runApart({ script, args, input, timeoutMs }: ApartOptions): Promise<Buffer> {
  const options = {
    env: {},
    timeout: timeoutMs,
    maxBuffer: MOST_OUTPUT_BYTES,
    killSignal: 'SIGKILL',
    encoding: 'buffer',
  } as const;
  return new Promise((resolve, reject) => {
    const child = execFile(process.execPath, ['-e', script, ...args], options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const said = /^\w*Error: .+$/m.exec(stderr.toString())?.[0];
      return reject(new Error(said ?? `it ended with ${error.signal ?? error.code}`));
    });
    // It may have ended before it read anything: how is told above.
    child.stdin?.on('error', () => undefined).end(input);
  });
}
