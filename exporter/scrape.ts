import type { Config } from '../lib/config.ts';
import { describeError } from '../lib/errors.ts';
import { type Family, gauge } from '../lib/exposition.ts';
import { isLoading } from '../lib/memory/memory-error.ts';
import type { MemoryReader, MemoryView } from '../lib/memory/reader.ts';
import { readVersion, type Version } from '../lib/version.ts';
import { type Collector, type CollectorResult, runCollector } from './collector.ts';

/** What is known of one collector's last run. */
export interface CollectorHealth {
  readonly name: string;
  readonly durationSeconds: number;
  readonly error: string | undefined;
}

/** What a scrape found: the metrics, and how reading went. */
export interface Scrape {
  readonly families: readonly Family[];
  /** Undefined while the memory can be read. */
  readonly problem: string | undefined;
  /** The problem is only that the first pass is not over. */
  readonly isLoading: boolean;
  readonly collectors: readonly CollectorHealth[];
  readonly facts: MemoryFacts | undefined;
}

/** A few facts about the memory for people. */
export interface MemoryFacts {
  readonly tasks: number;
  readonly unknown: number;
  readonly successRatio24h: number | undefined;
  readonly unknown24h: number;
  readonly lastTaskMs: number | undefined;
  readonly modifiedMs: number;
  readonly schema: string;
  readonly isDemo: boolean;
}

/** Runs scrapes; keeps nothing between them but what the status page shows as the last error. */
export interface Scraper {
  readonly scrape: () => Promise<Scrape>;
  /** The last thing that went wrong since the start, and when. */
  readonly lastError: () => { readonly message: string; readonly atMs: number } | undefined;
}

/** A scraper of one memory with these collectors. `facts` picks what people are told from a view. */
export function createScraper(options: {
  readonly config: Config;
  readonly reader: MemoryReader;
  readonly collectors: readonly Collector[];
  readonly facts: (view: MemoryView) => MemoryFacts;
  readonly afterScrape?: () => void;
}): Scraper {
  const version = readVersion();
  let lastError: { message: string; atMs: number } | undefined;

  const readAll = (): Promise<{ results: readonly CollectorResult[]; facts: MemoryFacts }> =>
    options.reader.read((memory) => {
      const context = { memory, config: options.config };
      return { results: options.collectors.map((each) => runCollector(each, context)), facts: options.facts(memory) };
    });

  const scrape = async (): Promise<Scrape> => {
    const startedMs = performance.now();
    const read = await readAll().catch((error: unknown) => ({ error }));
    const problem = 'error' in read ? describeError(read.error) : undefined;
    const results = 'error' in read ? failedResults(options.collectors, read.error) : read.results;
    const collectors = results.map(({ name, durationSeconds, error }) => ({
      name,
      durationSeconds,
      error: error === undefined ? undefined : describeError(error),
    }));
    const message = problem ?? collectors.find((each) => each.error !== undefined)?.error;
    if (message !== undefined) lastError = { message, atMs: Date.now() };
    options.afterScrape?.();
    return {
      problem,
      isLoading: 'error' in read && isLoading(read.error),
      collectors,
      facts: 'error' in read ? undefined : read.facts,
      families: [
        ...results.flatMap((result) => result.families),
        ...selfFamilies(collectors, problem === undefined, version, (performance.now() - startedMs) / 1_000),
      ],
    };
  };
  return { scrape, lastError: () => lastError };
}

/** When the memory cannot be read, every collector fails for that reason. */
function failedResults(collectors: readonly Collector[], error: unknown): CollectorResult[] {
  return collectors.map(({ name }) => ({ name, families: [], durationSeconds: 0, error }));
}

/** The metrics about the scrape itself. */
function selfFamilies(
  collectors: readonly CollectorHealth[],
  isUp: boolean,
  { version, revision }: Version,
  seconds: number,
): Family[] {
  return [
    gauge('swarm_up', 'Whether the swarm memory could be read (1) or not (0).', [[Number(isUp)]]),
    gauge('swarm_scrape_duration_seconds', 'How long reading and counting took for this scrape.', [[seconds]]),
    gauge(
      'swarm_collector_success',
      'Whether a collector delivered its metrics (1) or not (0).',
      collectors.map(({ name, error }) => [Number(error === undefined), { collector: name }]),
    ),
    gauge(
      'swarm_collector_duration_seconds',
      'How long each collector took.',
      collectors.map(({ name, durationSeconds }) => [durationSeconds, { collector: name }]),
    ),
    gauge('swarm_build_info', 'What is running.', [[1, { version, revision, node: process.version }]]),
  ];
}
