import type { AddressInfo } from 'node:net';
import { schedule } from 'node-cron';
import { closeServer, listen } from '../lib/http-server.ts';
import type { Log } from '../lib/log.ts';
import { createIdleCollector } from '../lib/memory-footprint.ts';
import { assemble, type Overrides } from './assemble.ts';
import { isSecondPlaceWanted } from './backup/second-place.ts';
import { collectMetrics } from './metrics.ts';
import { PARTS } from './parts/all.ts';
import type { Part } from './parts/part.ts';
import { createReplicationWatch } from './replication/metrics.ts';
import { createParts } from './running-parts.ts';
import { createApp } from './server.ts';
import type { Settings } from './settings.ts';

/** A running scheduler. */
export interface Scheduler {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

/** How often it looks whether somebody asked for a run by hand, or whether the lead is free. */
const LOOK_EVERY_MS = 2_000;

/**
 * Starts the scheduler: at once what is due, then each minute. Redis may come and go. While another process has the lead on
 * the same monitor.db this one waits, and is not ready.
 * @throws OperatorError if it cannot listen or use monitor.db, UsageError if the timetable or projects.json is wrong.
 */
export async function startScheduler(
  settings: Settings,
  log: Log,
  overrides: Overrides & { readonly parts?: readonly Part[]; readonly retryPartsMs?: number } = {},
): Promise<Scheduler> {
  const machinery = assemble(settings, log, overrides);
  const { tools, entries, lead, runner } = machinery;
  const parts = createParts(overrides.parts ?? PARTS, tools, overrides.retryPartsMs);
  const collector = createIdleCollector();
  const hasSecondPlace = isSecondPlaceWanted(settings.scheduler);
  const watchReplication = createReplicationWatch({
    url: settings.scheduler.litestreamMetricsUrl,
    memoryPath: settings.config.swarmDbPath,
    clock: tools.clock,
  });
  const app = createApp({
    partsOff: parts.off,
    findReasonNotReady: () =>
      lead.isHeld() ? parts.problem() : 'another process works on this monitor.db: this one waits',
    collectMetrics: () => {
      collector.touch();
      const { db, counters, clock } = tools;
      return collectMetrics({ db, entries, counters, hasSecondPlace, watchReplication, nowMs: clock() }, log);
    },
  });
  const { bindHost: host } = settings.config;
  const place = { host, port: settings.scheduler.schedulerPort, variable: 'SCHEDULER_PORT' };
  const server = await listen(app, place).catch(async (error: unknown) => {
    await machinery.close();
    throw error;
  });
  const { port } = server.address() as AddressInfo;
  log.info({ host, port, jobs: entries.length, monitorDb: settings.scheduler.monitorDbPath }, 'scheduler is listening');

  const look = (): void => {
    runner.beginDue();
    if (lead.isHeld()) void parts.start();
  };
  runner.tick();
  look();
  const minutes = schedule('* * * * *', () => runner.tick(), { suppressMissedWarning: true });
  const looks = setInterval(look, LOOK_EVERY_MS);
  collector.touch();
  return {
    port,
    stop: async () => {
      clearInterval(looks);
      await minutes.destroy();
      await parts.stop();
      await machinery.close();
      collector.stop();
      await closeServer(server);
    },
  };
}
