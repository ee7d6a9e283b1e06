import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, vi } from 'vitest';

/** Starts one of Prometheus's programs; it must end well when the test ends. Returns what it has logged so far. */
export function startProgram(path: string, args: readonly string[]): () => string {
  const child = spawn(path, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, TZ: 'UTC' } });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    log += chunk;
  });
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    expect(await ended, log).toEqual([0, null]);
  });
  return () => log;
}

/** Waits until /-/ready answers 200. */
export async function untilReady(url: string, log: () => string): Promise<void> {
  await vi.waitFor(() => fetch(`${url}/-/ready`).then(({ ok }) => expect(ok, log()).toBe(true)), {
    timeout: 20_000,
    interval: 100,
  });
}
