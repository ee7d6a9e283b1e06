import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, vi } from 'vitest';
import { parse } from 'yaml';
import { freePort } from './free-port.ts';
import { tempDir } from './memory-builder.ts';
import { findProgram } from './programs.ts';
import { startProgram } from './running-program.ts';

/** What an instant query found: its series and their values, or why it could not be answered. */
export type QueryOutcome =
  | { readonly values: readonly number[]; readonly series: readonly Series[] }
  | { readonly error: string };

/** One series of an answer, and its value of now. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A real Prometheus that scrapes every job of the repository's configuration. */
export interface PrometheusWithJobs {
  /** An instant query of any length. */
  readonly ask: (expression: string) => Promise<QueryOutcome>;
}

interface QueryAnswer {
  readonly error?: string;
  readonly data?: {
    readonly resultType: string;
    readonly result: readonly { readonly metric: Readonly<Record<string, string>>; readonly value: [number, string] }[];
  };
}

/**
 * Starts Prometheus with the jobs of prometheus/prometheus.yml, so also with what they drop, scraped every second, and
 * waits until every target was scraped three times. Prometheus scrapes itself where a job has no target here. The rules are
 * those given.
 */
export async function startPrometheusWithJobs(
  targets: Readonly<Record<string, readonly string[]>>,
  rules: object,
): Promise<PrometheusWithJobs> {
  const folder = tempDir();
  const port = await freePort();
  const own = `127.0.0.1:${port}`;
  const { scrape_configs: jobs } = parse(readFileSync(CONFIG, 'utf8')) as { scrape_configs: { job_name: string }[] };
  expect(Object.keys(targets).filter((name) => !jobs.some(({ job_name }) => job_name === name))).toEqual([]);
  const scrape_configs = jobs.map((job) => ({
    ...job,
    static_configs: [{ targets: targets[job.job_name] ?? [own] }],
  }));
  const global = { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' };
  writeFileSync(join(folder, 'rules.yml'), JSON.stringify(rules));
  writeFileSync(
    join(folder, 'prometheus.yml'),
    JSON.stringify({ global, rule_files: [join(folder, 'rules.yml')], scrape_configs }),
  );
  const log = startProgram(findProgram('prometheus'), [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${own}`,
  ]);
  const ask = async (expression: string): Promise<QueryOutcome> => {
    const response = await fetch(`http://${own}/api/v1/query`, {
      method: 'POST',
      body: new URLSearchParams({ query: expression }),
    });
    const { data, error } = (await response.json()) as QueryAnswer;
    if (data?.resultType !== 'vector') return { error: error ?? `A ${data?.resultType} instead of a vector` };
    const series = data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
    return { series, values: series.map(({ value }) => value) };
  };
  const expected = scrape_configs.reduce(
    (sum, { static_configs }) => sum + (static_configs[0]?.targets.length ?? 0),
    0,
  );
  await vi.waitFor(
    async () => expect(await ask('count(sum_over_time(up[1m]) >= 3)'), log()).toMatchObject({ values: [expected] }),
    { timeout: 30_000, interval: 250 },
  );
  return { ask };
}

/** Serves on /metrics what `textOf` gives for the first scrape, the second, and so on; returns host and port. */
export async function serveMetrics(textOf: (scrape: number) => string): Promise<string> {
  let scrape = 0;
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/plain; version=0.0.4').end(textOf(scrape));
    scrape += 1;
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const CONFIG = fileURLToPath(new URL('../../prometheus/prometheus.yml', import.meta.url));
