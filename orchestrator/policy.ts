import type { Gate } from '../lib/queue/gates.ts';
import type { Outcome } from '../lib/queue/outcome.ts';
import type { TaskProgress } from '../lib/queue/progress.ts';

/** What the policy looks at: how a run ended, and what came before. */
export interface Ended {
  readonly outcome: Outcome;
  readonly error?: string | undefined;
  readonly resetsAtMs?: number | undefined;
  /** Our own shutdown stopped it. */
  readonly isInterrupted: boolean;
  /** The session that was to be resumed does not exist. */
  readonly isUnknownSession: boolean;
  readonly hasSession: boolean;
}

/** What the user has set. */
export interface PolicySettings {
  readonly attempts: number;
  /** How many models there are to fall back on. */
  readonly fallbackModels: number;
  readonly onUsageLimit: 'wait' | 'stop';
}

/** What happens next to a task. */
export type Next =
  | { readonly kind: 'end'; readonly outcome: Outcome; readonly error: string | undefined }
  /** Another attempt: the failed one is used up. */
  | { readonly kind: 'retry'; readonly delayMs: number; readonly isResume: boolean; readonly fallback: number }
  /** Back to the queue, no attempt used. */
  | { readonly kind: 'give-back'; readonly isResume: boolean; readonly gate?: Gate };

const FIRST_BACKOFF_MS = { crashed: 5_000, stuck: 5_000, overloaded: 10_000 } as const;
const LONGEST_BACKOFF_MS = 600_000;
/** A limit is lifted at its time, give or take a clock. */
const RESET_MARGIN_MS = 15_000;
/** How long to wait for a limit that does not say when it ends. */
const UNKNOWN_RESET_MS = 30 * 60_000;
/** No limit is longer than a week; a time further away is a clock that is wrong. */
const LONGEST_RESET_MS = 8 * 86_400_000;

/**
 * Decides by outcome (facts/queue.md, "Our own policy, by cause"). An agent's failure uses an attempt; a usage limit, a
 * shutdown or a session that is gone uses none.
 */
export function decideNext(
  ended: Ended,
  progress: TaskProgress,
  settings: PolicySettings,
  { nowMs, random }: { readonly nowMs: number; readonly random: number },
): Next {
  const { outcome, error } = ended;
  if (ended.isInterrupted) return { kind: 'give-back', isResume: ended.hasSession };
  if (ended.isUnknownSession) return { kind: 'give-back', isResume: false };
  if (outcome === 'rate-limited')
    return { kind: 'give-back', isResume: ended.hasSession, gate: limitGate(ended, settings, nowMs) };
  if (!isWorthAnotherTry(outcome) || progress.failures + 1 >= settings.attempts) return { kind: 'end', outcome, error };
  return {
    kind: 'retry',
    delayMs: backoffMs(outcome, progress.failures, random),
    // An agent that crashed begins anew; one whose model was overloaded has lost nothing.
    isResume: outcome === 'overloaded' && ended.hasSession,
    fallback: outcome === 'overloaded' ? Math.min(progress.fallback + 1, settings.fallbackModels) : progress.fallback,
  };
}

function isWorthAnotherTry(outcome: Outcome): outcome is keyof typeof FIRST_BACKOFF_MS {
  return outcome in FIRST_BACKOFF_MS;
}

/** Doubles with each failure; a quarter more or less, so that tasks that failed together do not come back together. */
function backoffMs(outcome: keyof typeof FIRST_BACKOFF_MS, failures: number, random: number): number {
  const backoff = Math.min(FIRST_BACKOFF_MS[outcome] * 2 ** failures, LONGEST_BACKOFF_MS);
  return Math.round(backoff * (0.75 + random / 2));
}

function limitGate({ resetsAtMs, error }: Ended, { onUsageLimit }: PolicySettings, nowMs: number): Gate {
  const text = error ?? 'The usage limit of the agents is reached.';
  if (onUsageLimit === 'stop') return { reason: 'usage-limit', text, untilMs: undefined };
  const isPlausible = resetsAtMs !== undefined && resetsAtMs > nowMs && resetsAtMs < nowMs + LONGEST_RESET_MS;
  return {
    reason: 'usage-limit',
    text,
    untilMs: isPlausible ? resetsAtMs + RESET_MARGIN_MS : nowMs + UNKNOWN_RESET_MS,
  };
}
