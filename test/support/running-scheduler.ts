import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, vi } from 'vitest';
import { parseSamples, type Samples } from './running-exporter.ts';

const MAIN = fileURLToPath(new URL('../../dist/scheduler/main.js', import.meta.url));

/** The built program, running on a free port. It is stopped when the test ends, and must then end well unless it was killed. */
export interface RunningScheduler {
  readonly url: string;
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly samples: () => Promise<Samples>;
  readonly readiness: () => Promise<{ readonly status: number; readonly reason?: string }>;
  readonly end: (signal?: NodeJS.Signals) => Promise<readonly [code: number | null, signal: NodeJS.Signals | null]>;
}

/** Starts `dist/scheduler/main.js` in a folder and waits until it answers. */
export async function startScheduler(
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<RunningScheduler> {
  const { PATH, SWARM_TEST_RUN } = process.env;
  const child = spawn(process.execPath, [MAIN], {
    cwd,
    env: { PATH, SWARM_TEST_RUN, SCHEDULER_PORT: '0', REDIS_URL: 'redis://127.0.0.1:1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    expect(await ended, text).toEqual([0, null]);
  });
  const port = await vi.waitFor(
    () => /"port":(\d+)/.exec(text)?.[1] ?? expect.fail(`The scheduler does not listen: ${text}`),
    { timeout: 20_000, interval: 20 },
  );
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    child,
    output: () => text,
    samples: async () => parseSamples(await (await fetch(`${url}/metrics`)).text()),
    readiness: async () => {
      const response = await fetch(`${url}/readyz`);
      const { reason } = (await response.json()) as { reason?: string };
      return { status: response.status, ...(reason === undefined ? {} : { reason }) };
    },
    end: async (signal = 'SIGTERM') => {
      child.kill(signal);
      return await ended;
    },
  };
}
