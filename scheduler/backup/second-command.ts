import { spawn } from 'node:child_process';
import { environmentWithoutSecrets, readEnvironment } from '../../lib/config.ts';
import { OperatorError } from '../../lib/errors.ts';

const TIMEOUT_MS = 10 * 60_000;
const LONGEST_OUTPUT = 300;

/**
 * Runs BACKUP_SECOND_COMMAND by the shell, with a file as its last argument and without our secrets in its environment.
 * @throws OperatorError with the end of what it said, if it fails or takes longer than ten minutes.
 */
export async function runSecondCommand(command: string, file: string, signal?: AbortSignal): Promise<void> {
  const child = spawn('/bin/sh', ['-c', `${command} "$1"`, 'swarm-backup', file], {
    env: environmentWithoutSecrets(readEnvironment()),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that what it started ends with it.
    detached: true,
  });
  let output = '';
  const listen = (text: string): void => {
    output = (output + text).slice(-LONGEST_OUTPUT);
  };
  child.stdout.setEncoding('utf8').on('data', listen);
  child.stderr.setEncoding('utf8').on('data', listen);
  let reason: string | undefined;
  const end = (why: string): void => {
    reason = why;
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  const stop = (): void => end('it was stopped');
  const timer = setTimeout(() => end('it took longer than ten minutes'), TIMEOUT_MS);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) =>
      child.once('error', reject).once('close', resolve),
    );
    if (code === 0) return;
    const said = output.replace(/[\p{Cc}\s]+/gu, ' ').trim();
    throw new OperatorError(
      `Could not send "${file}" to the second place: ${reason ?? `the command ended with ${code}`}${said ? ` (${said})` : ''}.`,
      'Run BACKUP_SECOND_COMMAND by hand with a file as its last argument.',
    );
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}
