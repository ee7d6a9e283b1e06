import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeError } from '../lib/errors.ts';
import type { Project } from '../lib/projects.ts';
import { currentAttempt, type TaskProgress } from '../lib/queue/progress.ts';
import type { Task } from '../lib/queue/task.ts';
import { checkClaim } from '../lib/queue/task-state.ts';
import { tracing } from '../lib/queue/trace.ts';
import { book } from './books.ts';
import { conclude } from './conclude-run.ts';
import { finish, type Hold, logFields, save } from './hold.ts';
import type { AgentLaunch, Conclusion, Parts } from './parts.ts';
import { decideNext } from './policy.ts';
import { composePrompt } from './prompt.ts';
import { judgeAnswer } from './review-answer.ts';
import { agentArguments } from './runner/agent-arguments.ts';
import { processOwner } from './runner/marker.ts';
import { describeDenials } from './runner/refused-calls.ts';
import { layReviewFile } from './runner/review-file.ts';
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
  const { end, answer } = judgeAnswer(task, {
    ...ended,
    isUnknownSession: ended.isUnknownSession && started.isResume,
  });
  if (!(await book(parts, hold, { end, runId: started.runId, model: started.model }))) return { kind: 'lost' };
  if (answer) hold.progress = { ...hold.progress, answer };
  if (end.outcome === 'needs-attention') hold.progress = { ...hold.progress, ...refusedCalls(task, end) };
  const next = decideNext(end, hold.progress, parts.settings, { nowMs: Date.now(), random: Math.random() });
  return conclude(parts, hold, { end, next, worktree });
}

/** Once more after a moment if need be: whoever had the task before, and was too slow, may just be opening it. */
async function openWorktree({ worktrees }: Parts, { id: taskId, review }: Task, project: Project): Promise<Worktree> {
  const open = async (): Promise<Worktree> => {
    const worktree = await worktrees.open({ taskId, project, commit: review?.baseCommit });
    if (review) await layReviewFile(worktree.path, review.material);
    return worktree;
  };
  try {
    return await open();
  } catch {
    await sleep(REOPEN_AFTER_MS);
    return await open();
  }
}

/** What a person may be asked to grant. Whatever strangers have talked a reviewer into wishing for, nobody is asked. */
function refusedCalls({ review, grantedTools }: Task, { denials }: RunEnd): Pick<TaskProgress, 'refused'> {
  const refused = review === undefined ? describeDenials(denials, grantedTools) : [];
  return refused.length === 0 ? {} : { refused };
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
  const change = {
    runs: progress.runs + 1,
    run: { runId, host: parts.hostId, owner: processOwner(), attempt, model, startedAtMs: Date.now() },
    ...(isResume ? {} : { session: { id: sessionId, host: parts.hostId, isResumable: false } }),
  };
  const how = isResume ? 'goes on with its session' : 'starts';
  const detail = `${task.agent} ${how}, attempt ${attempt}${model ? `, model ${model}` : ''}`;
  if (!(await save(parts, hold, change, tracing(task.id, 'agent', detail)))) return undefined;
  parts.metrics.announceRun(task.agent);
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
          isReview: task.review !== undefined,
          grantedTools: task.grantedTools,
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

function modelOf({ settings }: Parts, task: Task, project: Project, fallback: number): string | undefined {
  return fallback === 0 ? (task.model ?? project.defaultModel) : settings.fallbackChain[fallback - 1];
}
