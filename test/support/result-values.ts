import type { EndResult, Result, Tokens, Usage } from '../../lib/queue/result.ts';

type Of<Kind extends Result['kind']> = Extract<Result, { kind: Kind }>;

const ENDED_AT = '2026-06-15T12:00:00.000Z';
const TOKENS: Tokens = { input: 10, output: 20, cacheRead: 300, cacheCreation: 70 };
const COMMON = {
  version: 1,
  taskId: 'task-1',
  agent: 'cervella-backend',
  project: 'miracollo',
  source: 'cli',
} as const;

/** What one attempt cost: half a dollar and 400 tokens, unless told otherwise. */
export function usageValue(extra: Partial<Usage> = {}): Usage {
  return {
    attempt: 1,
    model: 'claude-sonnet-4-5',
    tokens: TOKENS,
    costUsd: 0.5,
    turns: 7,
    endedAt: ENDED_AT,
    ...extra,
  };
}

/** The end of task-1, which did what it was asked without a person, unless told otherwise. */
export function endResult(extra: Partial<EndResult> = {}): EndResult {
  return {
    ...COMMON,
    kind: 'end',
    round: 0,
    prompt: 'Rivedi il modulo prenotazioni',
    outcome: 'ok',
    attempts: 1,
    durationMs: 60_000,
    sessionId: 'session-1',
    isAutonomous: true,
    model: 'claude-sonnet-4-5',
    costUsd: 0.5,
    tokens: TOKENS,
    turns: 7,
    branch: 'swarm/task-1',
    endedAt: ENDED_AT,
    usage: [usageValue()],
    ...extra,
  };
}

/** The first attempt of task-1, which timed out. */
export function retryResult(extra: Partial<Of<'retry'>> = {}): Of<'retry'> {
  return {
    ...COMMON,
    kind: 'retry',
    attempt: 1,
    prompt: 'Rivedi il modulo prenotazioni',
    outcome: 'timeout',
    error: 'Could not finish within 1800 s.',
    durationMs: 1_800_000,
    sessionId: 'session-1',
    endedAt: ENDED_AT,
    usage: [usageValue()],
    ...extra,
  };
}

/** What task-1 has cost so far. */
export function usageResult(...usage: readonly Usage[]): Of<'usage'> {
  return { ...COMMON, kind: 'usage', usage: [...usage] };
}

/** Somebody mended what task-1 did. */
export function fixResult(extra: Partial<Of<'fix'>> = {}): Of<'fix'> {
  return { version: 1, kind: 'fix', id: 'task-1', at: ENDED_AT, ...extra };
}

/** Ends of so many tasks, the first of them task-`first`. */
export function manyEnds(
  count: number,
  { first = 1, ...extra }: Partial<EndResult> & { readonly first?: number } = {},
) {
  return Array.from({ length: count }, (_, index) => endResult({ taskId: `task-${first + index}`, ...extra }));
}
