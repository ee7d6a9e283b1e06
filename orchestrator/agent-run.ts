import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeError } from '../lib/errors.ts';
import type { Project } from '../lib/projects.ts';
import { retryResult, usageResult } from '../lib/queue/end-result.ts';
import type { Outcome } from '../lib/queue/outcome.ts';
import { currentAttempt, type TaskProgress } from '../lib/queue/progress.ts';
import type { Task } from '../lib/queue/task.ts';
import { checkClaim } from '../lib/queue/task-state.ts';
import { addTrace } from '../lib/queue/trace.ts';
import { accountRun, estimateCostUsd } from './account.ts';
import { claimOf, finish, type Hold, save } from './hold.ts';
import type { AgentLaunch, Conclusion, Parts } from './parts.ts';
import { decideNext, type Next } from './policy.ts';
import { composePrompt } from './prompt.ts';
import { agentArguments } from './runner/agent-arguments.ts';
import { processOwner } from './runner/marker.ts';
import type { RunEnd } from './runner/run-end.ts';
import { openTaskLog } from './runner/task-log.ts';
import type { Worktree } from './runner/worktrees.ts';

/** What a run needs that was found before it. */
export interface Admission {
  readonly project: Project;
  readonly launch: AgentLaunch;
  readonly remainingUsd: number;
}

const REOPEN_AFTER_MS = 2_000;
const CHECK_EVERY_MS = 1_000;
const RENEW_SLOT_EVERY_MS = 30_000;
const [START_MS, EXIT_MS, KILL_MS] = [30_000, 10_000, 10_000];
/** After these a session is worth going on with, when a person has the task tried again. */
const RESUMABLE_ENDS: readonly Outcome[] = ['needs-attention', 'budget', 'max-turns', 'timeout', 'cancelled', 'auth'];

/** One run of an agent, from its worktree to what becomes of the task; the money is reserved. */
export async function runOnce(parts: Parts, hold: Hold, admission: Admission): Promise<Conclusion> {
  const { task } = hold;
  let worktree: Worktree;
  try {
    worktree = await openWorktree(parts, task, admission.project);
  } catch (error) {
    return finish(parts, hold, 'bad-request', describeError(error, 2_000));
  }
  const started = await begin(parts, hold, admission);
  if (!started) return { kind: 'lost' };
  const ended = await runWatched(parts, hold, { ...admission, ...started, worktree });
  if (ended === 'lost') return { kind: 'lost' };
  // Only who wanted to go on with a session can have missed it.
  const end = { ...ended, isUnknownSession: ended.isUnknownSession && started.isResume };
  if (!(await book(parts, hold, { end, runId: started.runId, model: started.model }))) return { kind: 'lost' };
  const next = decideNext(end, hold.progress, parts.settings, { nowMs: Date.now(), random: Math.random() });
  return conclude(parts, hold, { end, next, worktree });
}

/** Once more after a moment if need be: whoever had the task before, and was too slow, may just be opening it. */
async function openWorktree({ worktrees }: Parts, { id: taskId }: Task, project: Project): Promise<Worktree> {
  try {
    return await worktrees.open({ taskId, project });
  } catch {
    await sleep(REOPEN_AFTER_MS);
    return await worktrees.open({ taskId, project });
  }
}

interface Started {
  readonly runId: string;
  readonly model: string | undefined;
  readonly sessionId: string;
  readonly isResume: boolean;
}

/** Writes down that a run begins, before it does: whoever finds this after a crash knows what to look for. */
async function begin(parts: Parts, hold: Hold, { project }: Admission): Promise<Started | undefined> {
  const { task, progress } = hold;
  const model = modelOf(parts, task, project, progress.fallback);
  const { session } = progress;
  const isResume = session?.isResumable === true && session.host === parts.hostId;
  const sessionId = isResume ? session.id : randomUUID();
  const runId = randomBytes(8).toString('hex');
  const attempt = currentAttempt(progress);
  const isSaved = await save(parts, hold, {
    runs: progress.runs + 1,
    run: { runId, host: parts.hostId, owner: processOwner(), attempt, model, startedAtMs: Date.now() },
    ...(isResume ? {} : { session: { id: sessionId, host: parts.hostId, isResumable: false } }),
  });
  if (!isSaved) return undefined;
  const how = isResume ? 'goes on with its session' : 'starts';
  void addTrace(
    parts.redis,
    task.id,
    'agent',
    `${task.agent} ${how}, attempt ${attempt}${model ? `, model ${model}` : ''}`,
  );
  parts.log.info({ ...logFields(hold), runId, isResume, model }, 'an agent starts');
  return { runId, model, sessionId, isResume };
}

/** Runs the agent while looking every second whether the task is still ours and wanted. */
async function runWatched(
  parts: Parts,
  hold: Hold,
  {
    launch,
    remainingUsd,
    runId,
    model,
    sessionId,
    isResume,
    worktree,
    project,
  }: Admission & Started & { readonly worktree: Worktree },
): Promise<RunEnd | 'lost'> {
  const { task, progress } = hold;
  const stop = new AbortController();
  const forward = (): void => stop.abort(hold.stop.signal.reason);
  if (hold.stop.signal.aborted) forward();
  hold.stop.signal.addEventListener('abort', forward);
  let isLost = false;
  const check = async (): Promise<void> => {
    const claim = await checkClaim(parts.redis, { id: task.id, generation: hold.generation });
    if (claim === 'ours' || stop.signal.aborted) return;
    isLost = claim === 'lost';
    stop.abort(isLost ? 'shutdown-now' : 'cancel');
  };
  const timers = [
    // Redis may be away for a while: the agent works on meanwhile.
    setInterval(() => void check().catch(() => undefined), CHECK_EVERY_MS),
    setInterval(() => void parts.slots.renew(project.name, task.id).catch(() => undefined), RENEW_SLOT_EVERY_MS),
  ];
  const log = openTaskLog({ folder: parts.settings.logsFolder, taskId: task.id });
  try {
    const end = await parts.runAgent({
      program: launch.program,
      args: [
        ...launch.args,
        ...agentArguments({
          agent: task.agent,
          model,
          maxBudgetUsd: remainingUsd,
          session: { id: sessionId, isResumed: isResume },
        }),
      ],
      environment: launch.environment,
      cwd: worktree.path,
      prompt: composePrompt(task, progress, isResume),
      runId,
      taskId: task.id,
      timers: {
        startMs: START_MS,
        idleMs: parts.settings.idleMs,
        wallMs: task.timeoutMs,
        exitMs: EXIT_MS,
        killMs: KILL_MS,
      },
      signal: stop.signal,
      log,
      sessionBefore: isResume ? progress.session?.totals : undefined,
      onSession: (id) => void noteSession(parts, hold, id).catch(() => undefined),
    });
    // Whoever has the task now also has its books.
    return isLost ? 'lost' : end;
  } finally {
    for (const timer of timers) clearInterval(timer);
    hold.stop.signal.removeEventListener('abort', forward);
    await log.close();
  }
}

/** From now on there is a session to go on with, should we die. */
async function noteSession(parts: Parts, hold: Hold, id: string): Promise<void> {
  const known = hold.progress.session?.id === id ? hold.progress.session : {};
  await save(parts, hold, { session: { ...known, id, host: parts.hostId, isResumable: true } });
}

/**
 * Writes the run into the books of the task, and settles the money; false if the task is somebody else's by now. The run stays
 * noted as under way until it is clear what becomes of the task: should we die before, it counts as a crash of ours.
 */
async function book(
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
  parts.metrics.observeRun(task.agent, end.outcome, end.durationMs / 1_000);
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

async function conclude(
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
  if (!(await save(parts, hold, { waitingFor: { reason: 'retry', untilMs } }))) return { kind: 'lost' };
  if (next.fallback !== before.fallback) {
    const chain = ['default', ...parts.settings.fallbackChain];
    parts.metrics.countFallback(chain[before.fallback], chain[next.fallback]);
  }
  await sendRetry(parts, hold, end.durationMs);
  await addTrace(parts.redis, task.id, 'retry', `in ${Math.round(next.delayMs / 1_000)} s, after ${end.outcome}`);
  return { kind: 'delayed', untilMs };
}

/** Tells the recorder of the attempt that failed last; told twice it is one row. */
export async function sendRetry(parts: Parts, { task, progress }: Hold, durationMs: number): Promise<void> {
  const { lastOutcome: outcome = 'crashed', lastError: error } = progress;
  await parts.queue.sendResult(retryResult(task, progress, { outcome, error, durationMs, nowMs: Date.now() }));
}

async function giveBack(parts: Parts, hold: Hold, next: Next & { kind: 'give-back' }): Promise<Conclusion> {
  const { task } = hold;
  if (!next.isResume) hold.progress = closeSession(hold.progress);
  await parts.budget.release(claimOf(hold));
  if (next.gate) await parts.closeGate(next.gate);
  if (!(await save(parts, hold, {}))) return { kind: 'lost' };
  if (hold.progress.usage.length > 0) await parts.queue.sendResult(usageResult(task, hold.progress));
  await addTrace(parts.redis, task.id, 'given back', next.gate?.text ?? 'the orchestrator stops');
  return { kind: 'requeued' };
}

/** The session stays in the books, but nobody goes on with it. */
function closeSession(progress: TaskProgress): TaskProgress {
  return progress.session ? { ...progress, session: { ...progress.session, isResumable: false } } : progress;
}

function modelOf({ settings }: Parts, task: Task, project: Project, fallback: number): string | undefined {
  return fallback === 0 ? (task.model ?? project.defaultModel) : settings.fallbackChain[fallback - 1];
}

function optionalError(error: string | undefined): { lastError?: string } {
  return error === undefined ? {} : { lastError: error.slice(0, 2_000) };
}

function logFields({ task, progress }: Hold) {
  return { taskId: task.id, attempt: currentAttempt(progress), agent: task.agent, project: task.project };
}
