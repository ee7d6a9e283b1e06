import { describeError } from '../lib/errors.ts';
import { readTaskStates } from '../lib/queue/task-state.ts';
import type { Parts } from './parts.ts';
import { pruneTaskLogs } from './runner/kept-logs.ts';
import { isOwnerGone } from './runner/marker.ts';
import { sweepOrphans } from './runner/sweep.ts';

/** A chore that is done now and then; it fails alone. */
interface Chore {
  readonly name: string;
  readonly everyMs: number;
  readonly work: (parts: Parts, isRunning: (taskId: string) => boolean) => Promise<void>;
}

const [SECOND_MS, MINUTE_MS, DAY_MS] = [1_000, 60_000, 86_400_000];
const LOGS_KEPT_MS = 30 * DAY_MS;
const LOGS_KEPT_BYTES = 500_000_000;

/** Every chore. To add one: a function below, and a line here. */
const CHORES: readonly Chore[] = [
  { name: 'call parked tasks', everyMs: 5 * SECOND_MS, work: callParked },
  { name: 'release money nobody spends', everyMs: MINUTE_MS, work: releaseMoney },
  { name: 'prune worktrees', everyMs: 60 * MINUTE_MS, work: pruneWorktrees },
  { name: 'prune logs', everyMs: 60 * MINUTE_MS, work: pruneLogs },
];

/** Does every chore at its pace, one at a time, until the function it returns is called. */
export function startHousekeeping(parts: Parts, isRunning: (taskId: string) => boolean): () => Promise<void> {
  let working = Promise.resolve();
  const timers = CHORES.map(({ name, everyMs, work }) =>
    setInterval(() => {
      working = working
        .then(() => work(parts, isRunning))
        .catch((error: unknown) => parts.log.warn({ chore: name, reason: describeError(error) }, 'a chore failed'));
    }, everyMs),
  );
  return async () => {
    for (const timer of timers) clearInterval(timer);
    await working;
  };
}

/** What an earlier process of this machine left when it died: its agents are ended, and its tasks are free at once. */
export async function cleanUpAfterCrash(parts: Parts): Promise<void> {
  const swept = await sweepOrphans();
  parts.metrics.countOrphans(swept);
  const ids = await parts.queue.activeIds();
  const states = await readTaskStates(parts.redis, ids);
  const left = ids.filter((_, index) => {
    const { run } = states[index].progress;
    return run !== undefined && run.host === parts.hostId && isOwnerGone(run.owner);
  });
  for (const id of left) await parts.queue.unlock(id);
  if (swept > 0 || left.length > 0) parts.log.warn({ swept, tasks: left }, 'cleaned up after a crash');
}

/** For a call that got lost between a slot that became free and the task that waited for it. */
async function callParked({ projects, slots, queue }: Parts): Promise<void> {
  for (const { name, concurrency } of projects().values()) {
    for (const id of await slots.takeCallable(name, concurrency)) await queue.promote(id);
  }
}

/** Reservations of tasks that have ended, or are gone. */
async function releaseMoney({ budget, queue }: Parts): Promise<void> {
  for (const claim of await budget.holders()) {
    const view = await queue.show(claim.id);
    if (view === undefined || view.endedAt !== undefined) await budget.release(claim);
  }
}

async function pruneWorktrees({ worktrees, log }: Parts, isInUse: (taskId: string) => boolean): Promise<void> {
  const pruned = await worktrees.prune({ isInUse });
  if (pruned.removed > 0) log.info({ ...pruned }, 'pruned worktrees');
}

async function pruneLogs({ settings }: Parts): Promise<void> {
  await pruneTaskLogs({ folder: settings.logsFolder, maxAgeMs: LOGS_KEPT_MS, maxTotalBytes: LOGS_KEPT_BYTES });
}
