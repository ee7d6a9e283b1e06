import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { freePort } from './free-port.ts';
import { findProgram } from './programs.ts';

/** A real Redis of one test: append-only, on a free port, gone when the test ends. */
export interface RunningRedis {
  readonly url: string;
  readonly port: number;
  /** A connection for the test to look and to meddle with. */
  readonly client: Redis;
  /** Ends it at once, as a power cut would. */
  readonly kill: () => Promise<void>;
  /** Starts it again on the same data. */
  readonly start: () => Promise<void>;
  readonly stopped: () => boolean;
}

/** Starts redis-server on the data in `folder`. */
export async function startRedis(folder: string, args: readonly string[] = []): Promise<RunningRedis> {
  mkdirSync(folder, { recursive: true });
  const program = findProgram('redis-server');
  const port = await freePort();
  let child: ChildProcess | undefined;
  const client = new Redis({ port, maxRetriesPerRequest: null, retryStrategy: () => 50 });
  client.on('error', () => undefined);

  const start = async (): Promise<void> => {
    const settings = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      folder,
      '--save',
      '',
      '--appendonly',
      'yes',
    ];
    child = spawn(program, [...settings, '--maxmemory-policy', 'noeviction', ...args], { stdio: 'ignore' });
    await client.ping();
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = child;
    child = undefined;
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return;
    const ended = once(ending, 'exit');
    ending.kill(signal);
    await ended;
  };
  onTestFinished(async () => {
    client.disconnect();
    await end('SIGKILL');
  });
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    client,
    start,
    kill: () => end('SIGKILL'),
    stopped: () => child === undefined,
  };
}
