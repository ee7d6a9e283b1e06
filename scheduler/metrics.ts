import { type Collector, collectAll } from '../lib/collect.ts';
import { type Family, gauge } from '../lib/exposition.ts';
import type { Log } from '../lib/log.ts';
import { collectBackups } from './backup/metrics.ts';
import type { Counters } from './counters.ts';
import { collectGoals } from './goals.ts';
import { collectHealth } from './health/metrics.ts';
import type { MonitorDb } from './monitor-db.ts';
import type { ReplicationWatch } from './replication/metrics.ts';
import { readStanding } from './standing.ts';
import type { ScheduledEntry } from './timetable-file.ts';

/** What metrics are read from. */
export interface MetricSources {
  readonly db: MonitorDb;
  readonly entries: readonly ScheduledEntry[];
  readonly counters: Counters;
  readonly hasSecondPlace: boolean;
  readonly watchReplication: ReplicationWatch;
  readonly nowMs: number;
}

/**
 * Every collector of the scheduler, in the order of the exposition. To add one: a file that reads monitor.db, and a line here;
 * what is counted as it happens is in `counters.ts`.
 */
const COLLECTORS: readonly Collector<MetricSources>[] = [
  { name: 'slots', collect: collectSlots },
  { name: 'backups', collect: ({ db, hasSecondPlace }) => collectBackups(db, hasSecondPlace) },
  { name: 'replication', collect: ({ watchReplication }) => watchReplication() },
  { name: 'health', collect: collectHealth },
  { name: 'goals', collect: collectGoals },
  { name: 'counters', collect: ({ counters }) => counters.families() },
];

/** All metrics of the scheduler; a collector that fails hides no other. */
export function collectMetrics(sources: MetricSources, log: Log): Promise<readonly Family[]> {
  return collectAll(COLLECTORS, sources, log);
}

function collectSlots({ db, entries, nowMs }: MetricSources): readonly Family[] {
  const standings = entries
    .filter(({ cron }) => cron !== undefined)
    .map(({ job }) => ({ job, standing: readStanding(db, job, nowMs) }));
  return [
    gauge(
      'swarm_slot_last_success_timestamp_seconds',
      'When a job of the timetable last succeeded; 0 if it never did.',
      standings.map(({ job, standing }) => [(standing.lastSuccessMs ?? 0) / 1_000, { job }]),
    ),
    gauge(
      'swarm_slot_lateness_seconds',
      'How long the oldest slot of a job since its last success has been waiting to be done; 0 if none is.',
      standings.map(({ job, standing }) => [standing.latenessMs / 1_000, { job }]),
    ),
  ];
}
