import { describeError } from './errors.ts';
import { type Family, gauge } from './exposition.ts';
import type { Log } from './log.ts';
import { readVersion } from './version.ts';

/** One subject of a room's metrics; it fails alone. */
export interface Collector<Sources> {
  readonly name: string;
  readonly collect: (sources: Sources) => Promise<readonly Family[]> | readonly Family[];
  /** What there is to say when it could not be asked. */
  readonly familiesOnFailure?: () => readonly Family[];
}

const WITHIN_MS = 3_000;

/** All metrics of a room. A collector that fails, or takes more than 3 s, is a sample of value 0 and a log line. */
export async function collectAll<Sources>(
  collectors: readonly Collector<Sources>[],
  sources: Sources,
  log: Log,
): Promise<readonly Family[]> {
  const results = await Promise.all(collectors.map((collector) => runCollector(collector, sources, log)));
  const { version, revision } = readVersion();
  return [
    ...results.flatMap(({ families }) => families),
    gauge(
      'swarm_collector_success',
      'Whether a collector delivered its metrics (1) or not (0).',
      results.map(({ name, isSuccess }) => [Number(isSuccess), { collector: name }]),
    ),
    gauge('swarm_build_info', 'What is running.', [[1, { version, revision, node: process.version }]]),
  ];
}

async function runCollector<Sources>(collector: Collector<Sources>, sources: Sources, log: Log) {
  const { name, collect, familiesOnFailure } = collector;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${WITHIN_MS / 1_000} s`)), WITHIN_MS);
  });
  try {
    return { name, isSuccess: true, families: await Promise.race([collect(sources), late]) };
  } catch (error) {
    log.warn({ collector: name, reason: describeError(error) }, 'a collector failed');
    return { name, isSuccess: false, families: familiesOnFailure?.() ?? [] };
  } finally {
    clearTimeout(timer);
  }
}
