import type { Tokens } from '../../lib/queue/result.ts';

/** What was used of one model. */
export interface ModelUsage {
  readonly model: string;
  readonly tokens: Tokens;
  /** US dollars, list price; unknown for a run that was stopped before it said so. */
  readonly costUsd?: number;
}

/** What the command line says of a session at the end of a run. */
export interface SessionTotals {
  readonly totalCostUsd: number;
  readonly usage: readonly ModelUsage[];
}

const NO_TOKENS: Tokens = { input: 0, output: 0, cacheRead: 0, cacheCreation: 0 };

/** One entry for each model, in the order in which they first turn up. */
export function sumByModel(usage: readonly ModelUsage[]): ModelUsage[] {
  const sums = new Map<string, ModelUsage>();
  for (const each of usage) {
    const sum = sums.get(each.model);
    sums.set(each.model, sum ? combine(sum, each, 1) : each);
  }
  return [...sums.values()];
}

/**
 * What one run used, out of what was said at its end. Measured: 2.1.197 tells of the run alone, 2.1.330 of the whole session,
 * unless the run before was killed with SIGKILL, whose figures it forgets. So the messages of this run decide (`seen`): what
 * they do not account for is either near nothing, or near what was said before. Messages show input exactly, output too low.
 */
export function ownUsage(said: SessionTotals, seen: readonly ModelUsage[], before?: SessionTotals): SessionTotals {
  if (!before) return said;
  const unseen = inputSide(said.usage) - inputSide(seen);
  const earlier = inputSide(before.usage);
  if (earlier === 0 || unseen < earlier / 2) return said;
  const usage = said.usage.map((each) => {
    const old = before.usage.find(({ model }) => model === each.model);
    return old ? combine(each, old, -1) : each;
  });
  return {
    totalCostUsd: Math.max(0, said.totalCostUsd - before.totalCostUsd),
    usage: usage.filter(({ tokens }) => Object.values(tokens).some((count) => count > 0)),
  };
}

function inputSide(usage: readonly ModelUsage[]): number {
  return usage.reduce((sum, { tokens }) => sum + tokens.input + tokens.cacheRead + tokens.cacheCreation, 0);
}

function combine(left: ModelUsage, right: ModelUsage, sign: 1 | -1): ModelUsage {
  const kinds = Object.keys(NO_TOKENS) as (keyof Tokens)[];
  const tokens = kinds.map((kind) => [kind, Math.max(0, left.tokens[kind] + sign * right.tokens[kind])]);
  const isPriced = left.costUsd !== undefined || right.costUsd !== undefined;
  const costUsd = Math.max(0, (left.costUsd ?? 0) + sign * (right.costUsd ?? 0));
  return {
    model: left.model,
    tokens: Object.fromEntries(tokens) as Tokens,
    ...(isPriced ? { costUsd } : {}),
  };
}
