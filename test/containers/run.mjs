// Programs that must succeed.
import { spawnSync } from 'node:child_process';

/**
 * Runs a program and gives what it printed; the output is shown if it fails.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ env?: Readonly<Record<string, string | undefined>>, cwd?: string }} [options]
 */
export function run(program, args, { env = {}, cwd } = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 64e6,
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (status === 0) return stdout;
  const reason = error?.message ?? `exit code ${status}`;
  throw new Error(`Could not run ${program} ${args.join(' ')}: ${reason}\n${stdout}${stderr}`.slice(-8_000));
}
