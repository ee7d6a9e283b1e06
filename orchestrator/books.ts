import { addTrace } from '../lib/queue/trace.ts';
import { accountRun, estimateCostUsd } from './account.ts';
import { claimOf, type Hold, logFields, save } from './hold.ts';
import type { Parts } from './parts.ts';
import type { RunEnd } from './runner/run-end.ts';

/**
 * Writes the run into the books of the task, and settles the money; false if the task is somebody else's by now. The run stays
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
  if (!(await save(parts, hold, change))) return false;
  const { run: _, ...rest } = hold.progress;
  hold.progress = rest;
  // What our own shutdown stops goes on later: nobody's failure, and no waste.
  parts.metrics.observeRun(task.agent, end.isInterrupted ? 'cancelled' : end.outcome, end.durationMs / 1_000);
  if (end.outcome === 'overloaded' || end.outcome === 'rate-limited') parts.onOverloaded();
  await Promise.all([end.isInterrupted || parts.breaker.note(model, end.outcome), settle(parts, hold)]);
  const detail = `${end.outcome}, ${(end.durationMs / 1_000).toFixed(1)} s, ${costUsd.toFixed(4)} USD`;
  void addTrace(parts.redis, task.id, 'agent ended', detail);
  parts.log.info(
    { ...logFields(hold), runId, outcome: end.outcome, costUsd, durationMs: end.durationMs },
    'an agent ended',
  );
  return true;
}

/** Tells the budget what the task has cost so far, and people when most of it is spent. */
export async function settle(parts: Parts, hold: Hold): Promise<void> {
  const totalUsd = hold.progress.usage.reduce((sum, { costUsd }) => sum + costUsd, 0);
  for (const { period, spentUsd, limitUsd } of await parts.budget.settle(claimOf(hold), totalUsd)) {
    const key = `budget-${period}-${new Date().toISOString().slice(0, 10)}`;
    await parts.notifier.notify({ kind: 'budget-notice', key, facts: { period, spentUsd, limitUsd } });
  }
}

function optionalError(error: string | undefined): { lastError?: string } {
  return error === undefined ? {} : { lastError: error.slice(0, 2_000) };
}
