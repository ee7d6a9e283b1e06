import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, vi } from 'vitest';
import { freePort } from './free-port.ts';
import { tempDir } from './memory-builder.ts';
import { findProgram } from './programs.ts';

/** A real Prometheus with data of its own, which goes when the test ends. */
export interface RunningPrometheus {
  /** An instant query: by series, its labels without the ones a scrape adds, the value. */
  readonly query: (expression: string) => Promise<Record<string, number>>;
  /** Health and last error of each target. */
  readonly targets: () => Promise<readonly { readonly health: string; readonly lastError: string }[]>;
}

interface QueryAnswer {
  readonly data: { readonly result: { metric: Record<string, string>; value: [number, string] }[] };
}
interface TargetsAnswer {
  readonly data: { readonly activeTargets: { health: string; lastError: string }[] };
}

/** Starts Prometheus with one target, scraped every second, and waits until it answers. */
export async function startPrometheus(target: string): Promise<RunningPrometheus> {
  const folder = tempDir();
  const config = join(folder, 'prometheus.yml');
  writeFileSync(
    config,
    JSON.stringify({
      global: { scrape_interval: '1s', scrape_timeout: '1s' },
      scrape_configs: [{ job_name: 'swarm-exporter', static_configs: [{ targets: [target] }] }],
    }),
  );
  const port = await freePort();
  const child = spawn(
    findProgram('prometheus'),
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    log += chunk;
  });
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    expect(await ended, log).toEqual([0, null]);
  });
  const get = async <T>(path: string): Promise<T> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    if (!response.ok) throw new Error(`Prometheus answered ${response.status} to ${path}: ${log}`);
    return (await response.json()) as T;
  };
  await vi.waitFor(() => fetch(`http://127.0.0.1:${port}/-/ready`).then(({ ok }) => expect(ok, log).toBe(true)), {
    timeout: 20_000,
    interval: 100,
  });
  return {
    query: async (expression) => {
      const { data } = await get<QueryAnswer>(`/api/v1/query?query=${encodeURIComponent(expression)}`);
      return Object.fromEntries(data.result.map(({ metric, value }) => [nameOf(metric), Number(value[1])]));
    },
    targets: async () => (await get<TargetsAnswer>('/api/v1/targets')).data.activeTargets,
  };
}

function nameOf({ __name__ = '', instance: _instance, job: _job, ...labels }: Record<string, string>): string {
  const text = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return text.length === 0 ? __name__ : `${__name__}{${text.join()}}`;
}
