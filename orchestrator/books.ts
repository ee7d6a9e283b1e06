import { runSteps } from '../lib/queue/script.ts';
import { saving } from '../lib/queue/task-state.ts';
import { tracing } from '../lib/queue/trace.ts';
import { accountRun, estimateCostUsd } from './account.ts';
import type { Spent } from './budget.ts';
import { claimOf, type Hold, logFields } from './hold.ts';
import type { Parts } from './parts.ts';
import type { RunEnd } from './runner/run-end.ts';

/**
 * Writes the run into the books of the task, and settles the money, at once; false if the task is somebody else's by now. The run stays
 * noted as under way until it is clear what becomes of the task: should we die before, it counts as a crash of ours.
 */
export async function book(
  parts: Parts,
  hold: Hold,
  { end, runId, model }: { readonly end: RunEnd; readonly runId: string; readonly model: string | undefined },
): Promise<boolean> {
  const { task, progress } = hold;
  const costUsd = end.costUsd ?? estimateCostUsd(end.usage);
  const booked = accountRun(
    progress,
    { costUsd, usage: end.usage, turns: end.turns, durationMs: end.durationMs, endedAtMs: Date.now() },
    model ?? 'unknown',
  );
  const session = booked.session && {
    ...booked.session,
    isResumable: end.hasSession && !end.isUnknownSession,
    ...(end.sessionTotals ? { totals: end.sessionTotals } : {}),
  };
  const change = { ...booked, ...(session ? { session } : {}), lastOutcome: end.outcome, ...optionalError(end.error) };
  const detail = `${end.outcome}, ${(end.durationMs / 1_000).toFixed(1)} s, ${costUsd.toFixed(4)} USD`;
  const totalUsd = change.usage.reduce((sum, each) => sum + each.costUsd, 0);
  const claim = claimOf(hold);
  const [isSaved, , crossed = []] = await runSteps(
    parts.redis,
    saving(claim, change),
    tracing(task.id, 'agent ended', detail),
    parts.budget.settling(claim, totalUsd),
  );
  if (!isSaved) return false;
  const { run: _, ...rest } = change;
  hold.progress = rest;
  // What our own shutdown stops goes on later: nobody's failure, and no waste.
  parts.metrics.observeRun(task.agent, end.isInterrupted ? 'cancelled' : end.outcome, end.durationMs / 1_000);
  if (end.outcome === 'overloaded' || end.outcome === 'rate-limited') parts.onOverloaded();
  if (!end.isInterrupted) await parts.breaker.note(model, end.outcome);
  for (const each of crossed) await notifySpent(parts, each);
  parts.log.info(
    { ...logFields(hold), runId, outcome: end.outcome, costUsd, durationMs: end.durationMs },
    'an agent ended',
  );
  return true;
}

/** Tells people that most of a period's money is spent. */
async function notifySpent({ notifier }: Parts, { period, spentUsd, limitUsd }: Spent): Promise<void> {
  const key = `budget-${period}-${new Date().toISOString().slice(0, 10)}`;
  await notifier.notify({ kind: 'budget-notice', key, facts: { period, spentUsd, limitUsd } });
}

function optionalError(error: string | undefined): { lastError?: string } {
  return error === undefined ? {} : { lastError: error.slice(0, 2_000) };
}
