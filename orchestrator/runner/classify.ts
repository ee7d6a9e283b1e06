import type { Outcome } from '../../lib/queue/outcome.ts';
import type { Exit } from './agent-process.ts';
import { namesOfDenied, type ResultEvent } from './events.ts';
import { isPlausibleReset, parseReset } from './limit-reset.ts';
import { judgeRefusal } from './refusals.ts';
import type { Seen } from './stream.ts';
import type { TimerName } from './watchdog.ts';

/** Why a run was told to stop. After `shutdown` it is given back; `shutdown-now` is the same in a hurry. */
export type StopReason = 'cancel' | 'shutdown' | 'shutdown-now';

/** All that is known of a run when it is over. */
export interface RunFacts {
  readonly seen: Seen;
  /** `undefined` if no process was started. */
  readonly exit: Exit | undefined;
  /** Why the operating system did not start one. */
  readonly startError?: NodeJS.ErrnoException | undefined;
  /** The timer that ended it, if one did. */
  readonly firedTimer: TimerName | undefined;
  readonly stopReason: StopReason | undefined;
  /** An answer in the form of a schema was asked for. */
  readonly isSchemaAsked: boolean;
  readonly nowMs: number;
}

/** What became of a run. */
export interface Classified {
  readonly outcome: Outcome;
  /** One line for people: what happened, and what to do about it. */
  readonly error?: string;
  /** When the account's limit ends, as far as it was told. */
  readonly resetsAtMs?: number;
  /** There is no such session (any more): start anew. */
  readonly isUnknownSession?: boolean;
  /** Stopped because we shut down: its work goes on later. */
  readonly isInterrupted?: boolean;
}

const LONGEST_ERROR = 500;
const NO_FORM = 'It did not answer in the form that was asked for.';
const UNKNOWN_SESSION =
  /no conversation found|no (?:such )?session|(?:session|conversation)\b.{0,80}\b(?:not found|does not exist)/i;

/**
 * How a run ended. A result that says all is well stands, whatever was done to the process afterwards; else what was done to
 * it is the reason; else what it said.
 */
export function classifyRun(facts: RunFacts): Classified {
  const { error, ...rest } = decide(facts);
  return error === undefined ? rest : { ...rest, error: oneLine(error) };
}

function decide(facts: RunFacts): Classified {
  const { result } = facts.seen;
  if (facts.startError) return judgeStartError(facts.startError);
  if (result && isSuccess(result) && isTrustedExit(facts)) return judgeSuccess(result, facts.isSchemaAsked);
  if (facts.stopReason === 'cancel') return { outcome: 'cancelled', error: 'It was cancelled while it ran.' };
  if (facts.stopReason) {
    const error = 'It was stopped because the orchestrator shut down.';
    return { outcome: 'crashed', error, isInterrupted: true };
  }
  const stopped = judgeTimer(facts.firedTimer);
  if (stopped) return stopped;
  if (result && !isSuccess(result)) return judgeErrorResult(result, facts);
  return judgeNoResult(facts);
}

function isSuccess(result: ResultEvent): boolean {
  return result.subtype === 'success' && !result.isError && result.apiStatus === undefined;
}

/** After a stop or a timer the exit code is of our making. */
function isTrustedExit({ exit, firedTimer, stopReason }: RunFacts): boolean {
  return exit?.code === 0 || firedTimer !== undefined || stopReason !== undefined;
}

function judgeSuccess(result: ResultEvent, isSchemaAsked: boolean): Classified {
  if (result.denials.length > 0) {
    const error = `It was refused the use of ${namesOfDenied(result.denials).join(', ')}, so its work may be incomplete. Look at it, and do by hand what is missing.`;
    return { outcome: 'needs-attention', error };
  }
  if (isSchemaAsked && (result.structuredOutput ?? undefined) === undefined) {
    return { outcome: 'needs-attention', error: NO_FORM };
  }
  return { outcome: 'ok' };
}

/** What a second try would not mend, and what it may: no memory, no process numbers, no files left. */
function judgeStartError({ code, message }: NodeJS.ErrnoException): Classified {
  if (['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE'].includes(code ?? '')) {
    return { outcome: 'crashed', error: `The system could not start another process (${code}).` };
  }
  const error = `The agent could not be started: ${message}. Check AGENT_COMMAND and the project's folder, then retry the task.`;
  return { outcome: 'bad-request', error };
}

function judgeTimer(timer: TimerName | undefined): Classified | undefined {
  switch (timer) {
    case 'start':
      return { outcome: 'stuck', error: 'It did not begin its work in time. The machine may be short of memory.' };
    case 'idle':
      return { outcome: 'stuck', error: 'It said nothing for too long (AGENT_IDLE_MINUTES).' };
    case 'wall':
      return {
        outcome: 'timeout',
        error: 'Its time was up. Give it more with --timeout (AGENT_TIMEOUT_MINUTES), or make the task smaller.',
      };
    default:
      // The time to exit after a result: the result counts.
      return undefined;
  }
}

function judgeErrorResult(result: ResultEvent, { seen, nowMs }: RunFacts): Classified {
  const said = [result.text, ...result.errors].filter((text) => text !== '').join('; ');
  if (UNKNOWN_SESSION.test(result.errors.join('\n').slice(0, LONGEST_ERROR))) return unknownSession(said);
  switch (result.subtype) {
    case 'error_max_budget_usd':
      return { outcome: 'budget', error: `${sentence(said)} Retry it with a larger --budget-usd, or make it smaller.` };
    case 'error_max_turns':
      return { outcome: 'max-turns', error: `${sentence(said)} Make the task smaller, or split it.` };
    case 'error_max_structured_output_retries':
      return { outcome: 'needs-attention', error: NO_FORM };
  }
  const { outcome, remedy } = judgeRefusal({ status: result.apiStatus, code: seen.apiError, text: said });
  const error = `${sentence(said || `It ended with ${result.subtype || 'an error'}`)}${remedy ? ` ${remedy}` : ''}`;
  const resetsAtMs = outcome === 'rate-limited' ? resetOf(seen, said, nowMs) : undefined;
  return { outcome, error, ...(resetsAtMs === undefined ? {} : { resetsAtMs }) };
}

function resetOf({ limit }: Seen, said: string, nowMs: number): number | undefined {
  const told = limit?.status === 'rejected' ? limit.resetsAtMs : undefined;
  return told !== undefined && isPlausibleReset(told, nowMs) ? told : parseReset(said, nowMs);
}

/** Plain text and no event at all is how the command line refuses what it was asked: an agent it does not know, for instance. */
function judgeNoResult({ seen, exit }: RunFacts): Classified {
  const said = seen.plainText.trim();
  if (UNKNOWN_SESSION.test(said.slice(0, LONGEST_ERROR))) return unknownSession(said);
  const isRefusal = seen.events === 0 && said !== '' && (exit?.code === 1 || exit?.code === 2);
  if (isRefusal) {
    return { outcome: 'bad-request', error: `${sentence(said)} Correct the task (agent, model) and retry it.` };
  }
  const how = exit?.signal ? `was ended by ${exit.signal}` : `ended with exit code ${exit?.code ?? 'unknown'}`;
  const when = seen.result ? 'after its result' : 'without a result';
  return { outcome: 'crashed', error: sentence(`It ${how} ${when}${said ? `: ${said}` : ''}`) };
}

function unknownSession(said: string): Classified {
  return { outcome: 'bad-request', error: `${sentence(said)} Retry the task: it begins anew.`, isUnknownSession: true };
}

function sentence(text: string): string {
  const cut = text.length > LONGEST_ERROR - 150 ? `${text.slice(0, LONGEST_ERROR - 150)}…` : text;
  return /[.!?…]$/.test(cut) ? cut : `${cut}.`;
}

/** Text from outside: without control characters, and cut. */
function oneLine(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.length > LONGEST_ERROR ? `${line.slice(0, LONGEST_ERROR - 1)}…` : line;
}
