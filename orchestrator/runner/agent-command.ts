import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { OperatorError } from '../../lib/errors.ts';

/** A program that runs agents, and the arguments that come before all others. */
export interface AgentCommand {
  readonly program: string;
  readonly args: readonly string[];
}

const VERSION_WITHIN_MS = 10_000;

/**
 * AGENT_COMMAND is a program, whose path may hold blanks; if there is no such program, it is one with arguments.
 * `pathVariable` is the PATH in which it is looked for.
 */
export function parseAgentCommand(text: string, pathVariable: string | undefined): AgentCommand {
  const whole = text.trim();
  if (!/\s/.test(whole) || isProgram(whole, pathVariable)) return { program: whole, args: [] };
  const [program, ...args] = whole.split(/\s+/);
  return { program, args };
}

/**
 * Finds out whether an agent can be started: the program's `--version` ends with exit code 0 within 10 s, whatever it says.
 * @throws OperatorError naming the program, what is wrong with it, and how to get it.
 */
export async function checkAgentCommand(
  { program, args }: AgentCommand,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const reason = await new Promise<string | undefined>((resolve) => {
    const child = spawn(program, [...args, '--version'], { env: environment, stdio: 'ignore', detached: true });
    const timer = setTimeout(() => {
      resolve(`it did not answer --version within ${VERSION_WITHIN_MS / 1_000} s`);
      // With all it may have started.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, VERSION_WITHIN_MS);
    child.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      resolve(error.code === 'ENOENT' ? 'there is no such program' : `it cannot be started (${error.code})`);
    });
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      resolve(code === 0 ? undefined : `its --version ended with ${signal ?? `exit code ${code}`}`);
    });
  });
  if (reason === undefined) return;
  throw new OperatorError(
    `Could not start the agent program "${[program, ...args].join(' ')}": ${reason}.`,
    'Install Claude Code (npm install -g @anthropic-ai/claude-code) and log in by running `claude` once, or set AGENT_COMMAND to the program that runs your agents.',
  );
}

function isProgram(name: string, pathVariable = ''): boolean {
  const folders = name.includes('/') ? [''] : pathVariable.split(delimiter);
  return folders.some((folder) => isExecutable(folder === '' ? name : join(folder, name)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
