import type { Outcome } from './outcome.ts';
import type { RefusedCall } from './refused-call.ts';
import type { Tokens } from './result.ts';
import type { ReviewAnswer } from './review.ts';

/** A run of an agent that is under way; found at the start of another, it says that our process died under it. */
export interface RunUnderWay {
  readonly runId: string;
  /** The machine and folder whose worktrees and sessions it uses. */
  readonly host: string;
  /** The process that started it, told from every other that has had its number. */
  readonly owner: string;
  readonly attempt: number;
  readonly model: string | undefined;
  readonly startedAtMs: number;
}

/** What one attempt has cost with one model, over all its runs. */
export interface AttemptUsage {
  readonly attempt: number;
  readonly model: string;
  readonly tokens: Tokens;
  readonly costUsd: number;
  readonly turns: number;
  readonly endedAtMs: number;
}

/** What an agent says of its session when a run ends. */
export interface SessionTotals {
  readonly totalCostUsd: number;
  readonly usage: readonly { readonly model: string; readonly tokens: Tokens; readonly costUsd?: number }[];
}

/** How far a task has come; kept in Redis between its runs. */
export interface TaskProgress {
  /** 0, and one more each time a person has it tried again after its end. */
  readonly round: number;
  /** Attempts of earlier rounds. */
  readonly attemptsBefore: number;
  /** Attempts an agent has failed in this round and that were followed by another. */
  readonly failures: number;
  /** How often an agent was started in the attempt under way: again after a usage limit, a shutdown or a crash of ours. */
  readonly runs: number;
  /** How often our own process, or its machine, died under the task in this round. */
  readonly crashes: number;
  readonly run?: RunUnderWay;
  readonly session?: {
    readonly id: string;
    readonly host: string;
    /** The agent has said that it began, so that there is something to resume. */
    readonly isResumable: boolean;
    /** What the agent last said of the whole session; its next run is told apart from it. */
    readonly totals?: SessionTotals;
  };
  /** Which of the fallback models is next: 0 is the task's own. */
  readonly fallback: number;
  readonly lastOutcome?: Outcome;
  readonly lastError?: string;
  /** Time of agents in this round. */
  readonly agentMs: number;
  readonly usage: readonly AttemptUsage[];
  readonly branch?: string;
  readonly answer?: ReviewAnswer;
  /** What its last run was refused, and a person may grant. */
  readonly refused?: readonly RefusedCall[];
  /** Why it waits although it could be taken, and until when. */
  readonly waitingFor?: { readonly reason: string; readonly untilMs: number };
}

/** A task nobody has begun. */
export const NO_PROGRESS: TaskProgress = {
  round: 0,
  attemptsBefore: 0,
  failures: 0,
  runs: 0,
  crashes: 0,
  fallback: 0,
  agentMs: 0,
  usage: [],
};

/** The number of the attempt under way, or of the next one: from 1, over all rounds. */
export function currentAttempt({ attemptsBefore, failures }: TaskProgress): number {
  return attemptsBefore + failures + 1;
}

/** What a task has cost in this round, US dollars: each round has the task's whole budget. */
export function spentUsd({ usage, attemptsBefore }: TaskProgress): number {
  return usage.reduce((sum, { attempt, costUsd }) => sum + (attempt > attemptsBefore ? costUsd : 0), 0);
}

/** The progress of a task that a person has tried again after its end. */
export function nextRound(progress: TaskProgress): TaskProgress {
  const { run: _run, waitingFor: _waitingFor, refused: _refused, ...kept } = progress;
  return {
    ...kept,
    round: progress.round + 1,
    attemptsBefore: currentAttempt(progress),
    failures: 0,
    runs: 0,
    crashes: 0,
    fallback: 0,
    agentMs: 0,
  };
}
