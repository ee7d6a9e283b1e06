import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, vi } from 'vitest';

const MAIN = fileURLToPath(new URL('../../dist/exporter/main.js', import.meta.url));
const WAIT_MS = 30_000;

/** What the exporter answered. */
export interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly headers: Headers;
  readonly body: string;
}

/** How a process ended: an exit code, or the signal that killed it. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The value of each series by its text, for example `swarm_window_tasks{window="1h",outcome="failed"}`. */
export type Samples = ReadonlyMap<string, number>;

/** The built program, running on a free port. It is stopped when the test ends, and must then end well. */
export interface RunningExporter {
  readonly url: string;
  readonly pid: number;
  readonly get: (path: string, accept?: string) => Promise<Answer>;
  /** The text form of /metrics, parsed. */
  readonly samples: () => Promise<Samples>;
  /** The reason /readyz gives, `ready` if it gives none. */
  readonly readiness: () => Promise<string>;
  /** Everything written to standard output and standard error so far. */
  readonly output: () => string;
  /** Sends a signal and waits for the end. */
  readonly end: (signal?: NodeJS.Signals) => Promise<Ending>;
}

export interface ExporterOptions {
  readonly databasePath: string;
  /** Environment variables besides; nothing of the test's own environment reaches the program but PATH. */
  readonly env?: Readonly<Record<string, string>>;
  /** A command that runs the program, with its arguments: `unshare -m`, `setpriv …`. */
  readonly within?: readonly string[];
}

/** Starts `node dist/exporter/main.js` and waits until it answers. */
export async function startExporter(options: ExporterOptions): Promise<RunningExporter> {
  const { child, ended, output } = spawnExporter(options);
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      expect(await ended).toEqual({ code: 0, signal: null });
    }
  });
  const port = await vi.waitFor(() => portIn(output(), child.exitCode), { timeout: WAIT_MS, interval: 10 });
  const url = `http://127.0.0.1:${port}`;
  const get = async (path: string, accept = '*/*'): Promise<Answer> => {
    const response = await fetch(url + path, { headers: { Accept: accept } });
    const { status, headers } = response;
    return { status, headers, type: headers.get('content-type'), body: await response.text() };
  };
  expect((await get('/healthz')).status).toBe(200);
  return {
    url,
    pid: child.pid as number,
    get,
    samples: async () => parseSamples((await get('/metrics')).body),
    readiness: async () => {
      const { status, body } = await get('/readyz');
      const answer = JSON.parse(body) as { status: string; reason?: string };
      expect({ status, said: answer.status }).toEqual(
        answer.reason === undefined ? { status: 200, said: 'ready' } : { status: 503, said: 'not ready' },
      );
      return answer.reason ?? answer.status;
    },
    output,
    end: (signal = 'SIGTERM') => {
      child.kill(signal);
      return ended;
    },
  };
}

/** Runs the program where it is expected to end by itself. */
export async function runExporterToEnd(options: ExporterOptions): Promise<Ending & { readonly output: string }> {
  const { ended, output } = spawnExporter(options);
  return { ...(await ended), output: output() };
}

function spawnExporter({ databasePath, env = {}, within = [] }: ExporterOptions) {
  const [command, ...parameters] = [...within, process.execPath, MAIN];
  // By SWARM_TEST_RUN `npm test` knows the processes that its tests started.
  const { PATH, SWARM_TEST_RUN } = process.env;
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(command, parameters, {
    env: { PATH, SWARM_TEST_RUN, SWARM_DB_PATH: databasePath, EXPORTER_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  const lastResort = setTimeout(() => child.kill('SIGKILL'), WAIT_MS * 2);
  const ended = new Promise<Ending>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  }).finally(() => clearTimeout(lastResort));
  return { child, ended, output: () => text };
}

function portIn(output: string, exitCode: number | null): number {
  const line = output.split('\n').find((each) => each.includes('"port":') && each.endsWith('}'));
  if (line) return (JSON.parse(line) as { port: number }).port;
  throw new Error(`The exporter does not listen${exitCode === null ? '' : ` and ended with ${exitCode}`}: ${output}`);
}

/** The samples of the text form. A label value may hold anything, also braces and blanks. */
export function parseSamples(text: string): Samples {
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const match = /^([a-zA-Z_:][\w:]*(?:\{.*\})?) (\S+)$/.exec(line);
        if (!match) throw new Error(`Not a sample: ${line}`);
        return [match[1], Number(match[2])];
      }),
  );
}

/** The names of the metrics that have a sample. */
export function metricNames(samples: Samples): ReadonlySet<string> {
  return new Set([...samples.keys()].map((series) => series.replace(/\{.*/s, '')));
}
