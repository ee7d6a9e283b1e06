import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { parse } from 'yaml';
import { freePort } from './free-port.ts';
import { tempDir } from './memory-builder.ts';
import { findProgram } from './programs.ts';
import { startProgram, untilReady } from './running-program.ts';

/** A real Prometheus with data of its own, which goes when the test ends. */
export interface RunningPrometheus {
  readonly url: string;
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
export function startPrometheus(target: string): Promise<RunningPrometheus> {
  const job = { job_name: 'swarm-exporter', static_configs: [{ targets: [target] }] };
  return launch(() => ({ global: EVERY_SECOND, scrape_configs: [job] }));
}

/**
 * Starts Prometheus with the configuration and the rules of the repository. Only times are shortened (a rule waits three
 * seconds and keeps firing for ten) and only targets replaced; what is not under test is stood in for by Prometheus itself.
 */
export function startPrometheusWithRules(exporter: string, alertmanager: string): Promise<RunningPrometheus> {
  const text = readFileSync(join(PROMETHEUS_FOLDER, 'prometheus.yml'), 'utf8');
  const { scrape_configs: jobs, ...rest } = parse(text) as { scrape_configs: { job_name: string }[] };
  return launch((port, folder) => {
    mkdirSync(join(folder, 'rules'));
    for (const name of readdirSync(join(PROMETHEUS_FOLDER, 'rules'))) {
      const rules = readFileSync(join(PROMETHEUS_FOLDER, 'rules', name), 'utf8');
      const hurried = rules.replace(/( for): .*/g, '$1: 3s').replace(/(keep_firing_for): .*/g, '$1: 10s');
      writeFileSync(join(folder, 'rules', name), hurried);
    }
    const targets: Readonly<Record<string, string>> = { 'swarm-exporter': exporter, alertmanager };
    const own = `127.0.0.1:${port}`;
    return {
      ...rest,
      global: EVERY_SECOND,
      alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager] }] }] },
      scrape_configs: jobs.map((job) => ({
        ...job,
        static_configs: [{ targets: [targets[job.job_name] ?? own] }],
      })),
    };
  });
}

const EVERY_SECOND = { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' };
const PROMETHEUS_FOLDER = fileURLToPath(new URL('../../prometheus/', import.meta.url));

/** Starts Prometheus with a configuration that may depend on its port and its folder. */
async function launch(configure: (port: number, folder: string) => object): Promise<RunningPrometheus> {
  const folder = tempDir();
  const config = join(folder, 'prometheus.yml');
  const port = await freePort();
  writeFileSync(config, JSON.stringify(configure(port, folder)));
  const log = startProgram(findProgram('prometheus'), [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    // What fires before Alertmanager has been discovered is dropped, and sent again only after this time.
    '--rules.alert.resend-delay=2s',
  ]);
  const get = async <T>(path: string): Promise<T> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    if (!response.ok) throw new Error(`Prometheus answered ${response.status} to ${path}: ${log()}`);
    return (await response.json()) as T;
  };
  await untilReady(`http://127.0.0.1:${port}`, log);
  return {
    url: `http://127.0.0.1:${port}`,
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
