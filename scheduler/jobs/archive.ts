import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { assertWritable } from '../../lib/memory/archive-move.ts';
import { withRecorderLease } from '../../lib/queue/recorder-lease.ts';
import { copyOldEventsInThread, deleteArchivedInThread } from '../backup/database-thread.ts';
import { assertRoom } from '../backup/folder.ts';
import { sizeOf } from '../backup/sources.ts';
import type { Job, JobContext } from './job.ts';

const DAY_MS = 86_400_000;

/** Events older than ARCHIVE_AFTER_DAYS are moved into yearly files beside the memory, where they still count. */
export const archive: Job = {
  name: 'archive',
  timeoutMs: 60 * 60_000,
  run: async (context) => {
    const { config, scheduler } = context.settings;
    const days = scheduler.archiveAfterDays;
    if (days === 0) return { summary: 'off: ARCHIVE_AFTER_DAYS is 0' };
    // Also while nothing is old enough: nobody should learn of it after a year.
    assertWritable(config.swarmDbPath);
    const moved = await context.withQueue((_, redis) =>
      withRecorderLease(redis, `archive-${randomUUID()}`, (assertHeld) => move(context, days, assertHeld)),
    );
    return { summary: `${moved} events moved` };
  },
};

/** Copies first, then deletes what is there: whoever is stopped between leaves rows in both, which count once. */
async function move({ settings, clock, signal }: JobContext, days: number, assertHeld: () => void): Promise<number> {
  const { swarmDbPath: path, timezone } = settings.config;
  // An archive is written anew beside the old one.
  assertRoom(dirname(path), 2 * sizeOf(path));
  const nowMs = clock();
  const upToRowid = await copyOldEventsInThread({ path, timezone, nowMs, beforeMs: nowMs - days * DAY_MS }, signal);
  if (upToRowid === undefined) return 0;
  let moved = 0;
  for (;;) {
    signal.throwIfAborted();
    assertHeld();
    const deleted = await deleteArchivedInThread(path, upToRowid, signal);
    if (deleted === 0) return moved;
    moved += deleted;
  }
}
