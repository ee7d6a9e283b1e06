import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const LAST_RESORT_MS = 50_000;

/** How a command ended and what it said. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and with what a command runs; nothing of the test's own environment reaches it but PATH. */
export interface CommandOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads on its standard input, which ends after it. */
  readonly input?: string | Buffer;
}

/** Runs `node dist/cli/main.js` with these arguments to its end. */
export function swarm(args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  return startSwarm(args, options).ended;
}

/** Starts `node dist/cli/main.js`; the test's end is its end at the latest. */
export function startSwarm(
  args: readonly string[],
  { cwd, env = {}, input }: CommandOptions,
): { readonly child: ChildProcess; readonly ended: Promise<CommandResult>; readonly output: () => string } {
  const mark = process.env.SWARM_TEST_RUN ? { SWARM_TEST_RUN: process.env.SWARM_TEST_RUN } : {};
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...mark, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // A command that refuses its input does not read it to the end.
  child.stdin.on('error', () => undefined).end(input);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const lastResort = setTimeout(() => child.kill('SIGKILL'), LAST_RESORT_MS);
  const ended = new Promise<CommandResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  }).finally(() => clearTimeout(lastResort));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, ended, output: () => stdout + stderr };
}
