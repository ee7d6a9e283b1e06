import { join } from 'node:path';
import { startFakeLitestream } from './fake-litestream.ts';
import { makeMemory, tempDir } from './memory-builder.ts';
import { seedMonitorDb } from './monitor-seed.ts';
import { type RunningScheduler, startScheduler } from './running-scheduler.ts';

/** Starts the built scheduler without Redis, so that each of its metrics has a sample. */
export async function startSeededScheduler(): Promise<RunningScheduler & { readonly folder: string }> {
  const folder = seedMonitorDb(tempDir());
  makeMemory({ path: join(folder, 'data/swarm_memory.db') });
  const litestream = await startFakeLitestream({ isBusy: true });
  const scheduler = await startScheduler(folder, { LITESTREAM_METRICS_URL: litestream.url });
  // The lag of a replication is known once something was uploaded.
  await scheduler.samples();
  return { ...scheduler, folder };
}
