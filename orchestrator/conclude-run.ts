import { describeError } from '../lib/errors.ts';
import { retryResult, usageResult } from '../lib/queue/end-result.ts';
import type { Outcome } from '../lib/queue/outcome.ts';
import type { TaskProgress } from '../lib/queue/progress.ts';
import { sending } from '../lib/queue/results.ts';
import { tracing } from '../lib/queue/trace.ts';
import { claimOf, finish, type Hold, save } from './hold.ts';
import type { Conclusion, Parts } from './parts.ts';
import type { Next } from './policy.ts';
import type { RunEnd } from './runner/run-end.ts';
import type { Worktree } from './runner/worktrees.ts';

/** After these a session is worth going on with, when a person has the task tried again. */
const RESUMABLE_ENDS: readonly Outcome[] = ['needs-attention', 'budget', 'max-turns', 'timeout', 'cancelled', 'auth'];

/** Does with a task what the policy has decided after a run. */
export async function conclude(
  parts: Parts,
  hold: Hold,
  { end, next, worktree }: { readonly end: RunEnd; readonly next: Next; readonly worktree: Worktree },
): Promise<Conclusion> {
  switch (next.kind) {
    case 'end':
      return await endTask(parts, hold, { next, worktree });
    case 'retry':
      return await retry(parts, hold, { end, next });
    case 'give-back':
      return await giveBack(parts, hold, next);
  }
}

async function endTask(
  parts: Parts,
  hold: Hold,
  { next, worktree }: { readonly next: Next & { kind: 'end' }; readonly worktree: Worktree },
): Promise<Conclusion> {
  const { task } = hold;
  if (!RESUMABLE_ENDS.includes(next.outcome)) hold.progress = closeSession(hold.progress);
  try {
    const message = `${task.agent}: ${task.prompt.replace(/\s+/g, ' ').slice(0, 150)}`;
    const outcome = next.outcome === 'ok' ? 'done' : 'failed';
    const { branch } = await parts.worktrees.close({ worktree, outcome, message });
    if (branch !== undefined) hold.progress = { ...hold.progress, branch };
  } catch (error) {
    // What the agent did is still in the worktree; a person has to save it.
    const problem = `${next.error ? `${next.error} ` : ''}${describeError(error, 1_000)}`;
    return finish(parts, hold, next.outcome === 'ok' ? 'needs-attention' : next.outcome, problem);
  }
  return finish(parts, hold, next.outcome, next.error);
}

async function retry(
  parts: Parts,
  hold: Hold,
  { end, next }: { readonly end: RunEnd; readonly next: Next & { kind: 'retry' } },
): Promise<Conclusion> {
  const { task } = hold;
  const before = hold.progress;
  const untilMs = Date.now() + next.delayMs;
  const kept = next.isResume ? before : closeSession(before);
  hold.progress = { ...kept, failures: before.failures + 1, runs: 0, fallback: next.fallback };
  const failed = { outcome: end.outcome, error: before.lastError, durationMs: end.durationMs, nowMs: Date.now() };
  const isSaved = await save(
    parts,
    hold,
    { waitingFor: { reason: 'retry', untilMs } },
    sending(retryResult(task, hold.progress, failed)),
    tracing(task.id, 'retry', `in ${Math.round(next.delayMs / 1_000)} s, after ${end.outcome}`),
  );
  if (!isSaved) return { kind: 'lost' };
  if (next.fallback !== before.fallback) {
    const chain = ['default', ...parts.settings.fallbackChain];
    parts.metrics.countFallback(chain[before.fallback], chain[next.fallback]);
  }
  return { kind: 'delayed', untilMs };
}

async function giveBack(parts: Parts, hold: Hold, next: Next & { kind: 'give-back' }): Promise<Conclusion> {
  const { task } = hold;
  if (!next.isResume) hold.progress = closeSession(hold.progress);
  if (next.gate) await parts.closeGate(next.gate);
  const isSaved = await save(
    parts,
    hold,
    {},
    parts.budget.releasing(claimOf(hold)),
    tracing(task.id, 'given back', next.gate?.text ?? 'the orchestrator stops'),
    ...(hold.progress.usage.length > 0 ? [sending(usageResult(task, hold.progress))] : []),
  );
  return isSaved ? { kind: 'requeued' } : { kind: 'lost' };
}

/** The session stays in the books, but nobody goes on with it. */
function closeSession(progress: TaskProgress): TaskProgress {
  return progress.session ? { ...progress, session: { ...progress.session, isResumable: false } } : progress;
}
