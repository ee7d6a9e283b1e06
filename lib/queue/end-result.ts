import type { Outcome } from './outcome.ts';
import { spentUsd, type TaskProgress } from './progress.ts';
import type { EndResult, Result, Tokens, Usage } from './result.ts';
import type { Task } from './task.ts';

const LONGEST_ERROR = 4_000;

/** How a task ended, as the recorder writes it down. */
export function endResult(
  task: Task,
  progress: TaskProgress,
  { outcome, error, nowMs }: { readonly outcome: Outcome; readonly error?: string | undefined; readonly nowMs: number },
): EndResult {
  return {
    ...common(task),
    kind: 'end',
    round: progress.round,
    prompt: task.prompt,
    outcome,
    ...(error === undefined ? {} : { error: error.slice(0, LONGEST_ERROR) }),
    attempts: progress.failures + (progress.runs > 0 ? 1 : 0),
    durationMs: Math.round(progress.agentMs),
    ...(progress.session === undefined ? {} : { sessionId: progress.session.id }),
    ...(task.parentTaskId === undefined ? {} : { parentTaskId: task.parentTaskId }),
    // A person who approves it, or has it tried again, was needed.
    isAutonomous: task.approval === 'not-needed' && progress.round === 0,
    ...optionalModel(progress, task),
    costUsd: spentUsd(progress),
    tokens: sumTokens(progress),
    turns: progress.usage.reduce((sum, { turns }) => sum + turns, 0),
    ...(progress.branch === undefined ? {} : { branch: progress.branch }),
    ...(progress.answer === undefined ? {} : { answer: progress.answer }),
    ...(progress.refused === undefined ? {} : { refused: [...progress.refused] }),
    endedAt: new Date(nowMs).toISOString(),
    usage: usageRows(progress),
  };
}

/** An attempt that failed and is made again, likewise; `progress` counts it among the failures already. */
export function retryResult(
  task: Task,
  progress: TaskProgress,
  failed: {
    readonly outcome: Outcome;
    readonly error?: string | undefined;
    readonly durationMs: number;
    readonly nowMs: number;
  },
): Result {
  return {
    ...common(task),
    kind: 'retry',
    attempt: progress.attemptsBefore + progress.failures,
    prompt: task.prompt,
    outcome: failed.outcome,
    ...(failed.error === undefined ? {} : { error: failed.error.slice(0, LONGEST_ERROR) }),
    durationMs: Math.round(failed.durationMs),
    ...(progress.session === undefined ? {} : { sessionId: progress.session.id }),
    endedAt: new Date(failed.nowMs).toISOString(),
    usage: usageRows(progress),
  };
}

/** What a task has cost so far, for a task that goes back without having used an attempt. */
export function usageResult(task: Task, progress: TaskProgress): Result {
  return { ...common(task), kind: 'usage', usage: usageRows(progress) };
}

function common(task: Task) {
  return { version: 1, taskId: task.id, agent: task.agent, project: task.project, source: task.source } as const;
}

function optionalModel(progress: TaskProgress, task: Task): { model?: string } {
  const model = progress.usage.at(-1)?.model ?? task.model;
  return model === undefined ? {} : { model };
}

function sumTokens({ usage }: TaskProgress): Tokens {
  const sum = (kind: keyof Tokens): number => usage.reduce((total, { tokens }) => total + tokens[kind], 0);
  return {
    input: sum('input'),
    output: sum('output'),
    cacheRead: sum('cacheRead'),
    cacheCreation: sum('cacheCreation'),
  };
}

function usageRows({ usage }: TaskProgress): Usage[] {
  return usage.map(({ endedAtMs, ...row }) => ({ ...row, endedAt: new Date(endedAtMs).toISOString() }));
}
