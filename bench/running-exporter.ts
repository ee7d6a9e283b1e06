import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** The real program on a memory of ours. */
export interface RunningExporter {
  /** Scrapes once over a connection that is kept, as Prometheus does; milliseconds until the last byte. */
  readonly scrape: () => Promise<number>;
  /** Milliseconds from its start to the first /readyz that answers 200. */
  readonly readyAfterMs: number;
  readonly memory: () => { readonly restMb: number; readonly highestMb: number };
  readonly stop: () => Promise<void>;
}

const READY_WITHIN_MS = 120_000;

/** Starts `node dist/exporter/main.js` on a free port and waits until it is ready. */
export async function startRealExporter(databasePath: string): Promise<RunningExporter> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [new URL('../exporter/main.js', import.meta.url).pathname], {
    env: { PATH: process.env.PATH, SWARM_DB_PATH: databasePath, EXPORTER_PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = `http://127.0.0.1:${await readPort(child)}`;
  while (performance.now() - startedMs < READY_WITHIN_MS) {
    const response = await fetch(`${url}/readyz`);
    await response.text();
    if (response.ok) break;
    await sleep(25);
  }
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    scrape: () => scrapeOnce(`${url}/metrics`, agent),
    readyAfterMs: performance.now() - startedMs,
    memory: () => readMemoryUse(child),
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      agent.destroy();
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function scrapeOnce(url: string, agent: Agent): Promise<number> {
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      response.resume();
      response.once('end', () => resolve(performance.now() - startedMs));
    }).once('error', reject);
  });
}

async function readPort(child: ChildProcess): Promise<number> {
  for await (const chunk of child.stdout ?? []) {
    const match = /"port":(\d+)/.exec(String(chunk));
    if (match) return Number(match[1]);
  }
  throw new Error('The exporter ended before it listened.');
}

function readMemoryUse(child: ChildProcess): { restMb: number; highestMb: number } {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const megabytes = (field: string): number =>
    (Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) * 1_024) / 1e6;
  return { restMb: megabytes('VmRSS'), highestMb: megabytes('VmHWM') };
}
