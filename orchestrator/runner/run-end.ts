import type { Outcome } from '../../lib/queue/outcome.ts';
import { classifyRun, type RunFacts } from './classify.ts';
import type { Denial } from './events.ts';
import { type ModelUsage, ownUsage, type SessionTotals } from './model-usage.ts';

/** What became of a run, and what it took. */
export interface RunEnd {
  readonly outcome: Outcome;
  /** One line for people: what happened, and what to do about it. */
  readonly error?: string;
  readonly resetsAtMs?: number;
  /** It was stopped because we shut down, and goes on later. */
  readonly isInterrupted: boolean;
  /** The session to resume does not exist: start anew. */
  readonly isUnknownSession: boolean;
  /**
   * There is a session that can be resumed. Measured: killed a tenth of a second after it began, there is; killed at once,
   * there may be none, which the run that resumes it then says.
   */
  readonly hasSession: boolean;
  readonly sessionId?: string;
  /** What this run alone cost, US dollars; unknown if it ended without a result. */
  readonly costUsd?: number;
  /** What this run alone used; without costs, and with output estimated, if it ended without a result. */
  readonly usage: readonly ModelUsage[];
  /** As the command line said it for the session: hand it to the next run that resumes it. */
  readonly sessionTotals?: SessionTotals;
  /** Of this run alone. */
  readonly turns: number;
  readonly durationMs: number;
  readonly resultText?: string;
  readonly structuredOutput?: unknown;
  readonly denials: readonly Denial[];
  /** How often it was answered 429 or 529 and tried again. */
  readonly retriesOverloaded: number;
}

/** The command line refuses to begin a session that it has begun before. */
const SESSION_IN_USE = /session id \S+ is already in use/i;

/** Puts together what is known of a run that is over. `sessionBefore` is of the last run of its session that had a result. */
export function endOfRun(facts: RunFacts, sessionBefore: SessionTotals | undefined, durationMs: number): RunEnd {
  const { seen } = facts;
  const { outcome, error, resetsAtMs, isUnknownSession = false, isInterrupted = false } = classifyRun(facts);
  const { result } = seen;
  const sessionId = seen.sessionId || result?.sessionId;
  const sessionTotals = result && { totalCostUsd: result.totalCostUsd, usage: result.usage };
  const own = sessionTotals && ownUsage(sessionTotals, seen.usage, sessionBefore);
  return {
    outcome,
    ...(error === undefined ? {} : { error }),
    ...(resetsAtMs === undefined ? {} : { resetsAtMs }),
    isInterrupted,
    isUnknownSession,
    hasSession: !isUnknownSession && (seen.hasStarted || SESSION_IN_USE.test(seen.plainText)),
    ...(sessionId ? { sessionId } : {}),
    ...(own ? { costUsd: own.totalCostUsd } : {}),
    usage: own?.usage ?? seen.usage,
    ...(sessionTotals ? { sessionTotals } : {}),
    turns: result?.turns ?? seen.turns,
    durationMs,
    ...(result?.text ? { resultText: result.text } : {}),
    ...(result?.structuredOutput === undefined ? {} : { structuredOutput: result.structuredOutput }),
    denials: result?.denials ?? [],
    retriesOverloaded: seen.overloadedRetries,
  };
}
