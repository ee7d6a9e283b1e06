import type { Config } from '../lib/config.ts';
import type { Family } from '../lib/exposition.ts';
import type { MemoryView } from '../lib/memory/reader.ts';

/** What a collector is given for one scrape. */
export interface CollectorContext {
  readonly memory: MemoryView;
  readonly config: Config;
}

/** One subject's metrics. `collect` only reads; whatever it throws costs its own series and no others. */
export interface Collector {
  readonly name: string;
  readonly collect: (context: CollectorContext) => readonly Family[];
}

/** How a collector fared in the last scrape. */
export interface CollectorResult {
  readonly name: string;
  readonly families: readonly Family[];
  readonly durationSeconds: number;
  readonly error: unknown;
}

/** Runs one collector, times it, and turns failure into data. */
export function runCollector(collector: Collector, context: CollectorContext): CollectorResult {
  const startedMs = performance.now();
  const seconds = (): number => (performance.now() - startedMs) / 1_000;
  try {
    const families = collector.collect(context);
    return { name: collector.name, families, durationSeconds: seconds(), error: undefined };
  } catch (error) {
    return { name: collector.name, families: [], durationSeconds: seconds(), error };
  }
}
