import { type AttemptUsage, currentAttempt, type TaskProgress } from '../lib/queue/progress.ts';
import type { Tokens } from '../lib/queue/result.ts';
import type { ModelUsage } from './runner/model-usage.ts';

/** A run that is over, as far as the books are concerned. */
export interface RunBill {
  /** What this run alone has cost, US dollars. */
  readonly costUsd: number;
  readonly usage: readonly ModelUsage[];
  readonly turns: number;
  readonly durationMs: number;
  readonly endedAtMs: number;
}

/**
 * What a run has cost that was stopped before it could say so, from its tokens, at the list price of the dearest models
 * that agents use by default (US dollars for a million: 5 in, 25 out): rather too much than money nobody counts.
 */
export function estimateCostUsd(usage: readonly ModelUsage[]): number {
  return usage.reduce((sum, { tokens }) => sum + 5e-6 * weigh(tokens), 0);
}

/** The progress of a task with one more run in its books; the run's cost is shared among its models by their tokens. */
export function accountRun(progress: TaskProgress, bill: RunBill, fallbackModel: string): TaskProgress {
  const attempt = currentAttempt(progress);
  const parts = bill.usage.length > 0 ? bill.usage : [{ model: fallbackModel, tokens: NO_TOKENS }];
  const weights = parts.map(({ tokens }) => weigh(tokens));
  const total = weights.reduce((sum, each) => sum + each, 0);
  let { usage } = progress;
  for (const [index, { model, tokens }] of parts.entries()) {
    const share = total === 0 ? 1 / parts.length : weights[index] / total;
    usage = merge(usage, {
      attempt,
      model,
      tokens,
      costUsd: bill.costUsd * share,
      // Turns are not told apart by model.
      turns: index === 0 ? bill.turns : 0,
      endedAtMs: bill.endedAtMs,
    });
  }
  return { ...progress, usage, agentMs: progress.agentMs + bill.durationMs };
}

const NO_TOKENS: Tokens = { input: 0, output: 0, cacheRead: 0, cacheCreation: 0 };

/** Relative prices of kinds of tokens, which are alike for all models: output 5, cache read 0.1, cache creation 1.25. */
function weigh({ input, output, cacheRead, cacheCreation }: Tokens): number {
  return input + 5 * output + 0.1 * cacheRead + 1.25 * cacheCreation;
}

function merge(usage: readonly AttemptUsage[], added: AttemptUsage): readonly AttemptUsage[] {
  const isSame = ({ attempt, model }: AttemptUsage): boolean => attempt === added.attempt && model === added.model;
  const known = usage.find(isSame);
  if (!known) return [...usage, added];
  const sum = {
    ...added,
    tokens: addTokens(known.tokens, added.tokens),
    costUsd: known.costUsd + added.costUsd,
    turns: known.turns + added.turns,
  };
  return usage.map((each) => (isSame(each) ? sum : each));
}

function addTokens(one: Tokens, other: Tokens): Tokens {
  return {
    input: one.input + other.input,
    output: one.output + other.output,
    cacheRead: one.cacheRead + other.cacheRead,
    cacheCreation: one.cacheCreation + other.cacheCreation,
  };
}
