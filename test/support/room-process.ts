import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, vi } from 'vitest';

const STARTED_WITHIN_MS = 40_000;

/** How a process ended. */
export type RoomEnd = readonly [code: number | null, signal: NodeJS.Signals | null];

/** A built room, running and listening. */
export interface RoomProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** Everything written to standard output and standard error so far. */
  readonly output: () => string;
  /** Sends a signal and waits for the end. */
  readonly end: (signal?: NodeJS.Signals) => Promise<RoomEnd>;
}

/** Which room, where and with what; `endSignals` are what ends it without waiting. */
export interface RoomOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A command that runs the program, with its arguments. */
  readonly within?: readonly string[];
  readonly endSignals?: readonly NodeJS.Signals[];
  /** The program, if it is not the built one. */
  readonly main?: string;
}

/** Starts `dist/ROOM/main.js` and waits until it listens; it must end well when the test ends, unless it was killed. */
export async function startRoom(
  room: 'orchestrator' | 'scheduler',
  { cwd, env, within = [], endSignals = ['SIGTERM'], main = builtMain(room) }: RoomOptions,
): Promise<RoomProcess> {
  const { PATH, SWARM_TEST_RUN } = process.env;
  const [program, ...args] = [...within, process.execPath, main];
  const child = spawn(program, args, {
    cwd,
    env: { PATH, SWARM_TEST_RUN, ...env },
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
    for (const signal of endSignals) child.kill(signal);
    expect(await ended, text).toEqual([0, null]);
  });
  const port = await vi.waitFor(
    () => {
      const line = text.split('\n').find((each) => each.includes(`${room} is listening`));
      if (line) return (JSON.parse(line) as { port: number }).port;
      if (child.exitCode !== null || child.signalCode !== null) return undefined;
      throw new Error(`The ${room} does not listen: ${text}`);
    },
    { timeout: STARTED_WITHIN_MS, interval: 20 },
  );
  if (port === undefined) {
    await ended;
    throw new Error(`The ${room} ended before it listened: ${text}`);
  }
  return {
    child,
    url: `http://127.0.0.1:${port}`,
    output: () => text,
    end: async (signal = 'SIGTERM') => {
      child.kill(signal);
      return await ended;
    },
  };
}

function builtMain(room: string): string {
  return fileURLToPath(new URL(`../../dist/${room}/main.js`, import.meta.url));
}
