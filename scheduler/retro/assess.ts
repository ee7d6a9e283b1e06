import { KPI_TARGETS } from '../../lib/memory/kpis.ts';
import type { AgentOfPeriod } from '../../lib/memory/period/agents.ts';

/** So few outcomes say nothing of an agent. */
export const LEAST_OUTCOMES = 5;
const LEAST_TASKS = 5;
const LEAST_DURATIONS = 3;
/** Where all failed, so many say enough. */
const LEAST_ALL_FAILED = 3;
const LEAST_OF_A_KIND = 2;
const LEAST_WASTE_USD = 0.1;
const MOST_WASTE = 0.3;
/** Rows of hooks that did not say which agent it was, and what many agents are put together under. */
const NO_AGENTS: ReadonlySet<string> = new Set(['subagent', 'unknown', 'other']);

/** Why an agent needs help; figures for a sentence. */
export type Trouble =
  | { readonly kind: 'failures'; readonly count: number; readonly of: number }
  | { readonly kind: 'fixes'; readonly count: number; readonly of: number }
  | { readonly kind: 'retries'; readonly count: number; readonly of: number }
  | { readonly kind: 'slow'; readonly seconds: number }
  | { readonly kind: 'waste'; readonly wastedUsd: number; readonly usd: number };

/** An agent that needs help, and every reason. */
export interface AgentInNeed {
  readonly agent: string;
  readonly troubles: readonly Trouble[];
}

/** How many outcomes of an agent are known. */
export function knownOf({ success, failed }: AgentOfPeriod): number {
  return success + failed;
}

/** Whether it is one agent. */
export function isAgent({ agent }: AgentOfPeriod): boolean {
  return !NO_AGENTS.has(agent);
}

/**
 * Agents that work well, best first: enough known outcomes, the target reached, nothing in which they need help. Of two, the
 * better is the one whose success is the surer: 20 of 20 is more than 5 of 5.
 */
export function bestAgents(agents: readonly AgentOfPeriod[]): readonly AgentOfPeriod[] {
  return agents
    .filter((each) => isAgent(each) && knownOf(each) >= LEAST_OUTCOMES && troublesOf(each).length === 0)
    .filter(({ success, failed }) => success / (success + failed) >= KPI_TARGETS.success_ratio)
    .toSorted((one, other) => sureSuccess(other) - sureSuccess(one));
}

/** Agents that need help, those with most failures first. */
export function agentsInNeed(agents: readonly AgentOfPeriod[]): readonly AgentInNeed[] {
  return agents
    .filter(isAgent)
    .map((each) => ({ each, troubles: troublesOf(each) }))
    .filter(({ troubles }) => troubles.length > 0)
    .toSorted((one, other) => other.each.failed - one.each.failed || other.troubles.length - one.troubles.length)
    .map(({ each, troubles }) => ({ agent: each.agent, troubles }));
}

/** Agents of which too few outcomes are known to judge them, and nothing else is known against them. */
export function unjudgedAgents(agents: readonly AgentOfPeriod[]): readonly AgentOfPeriod[] {
  return agents.filter((each) => isAgent(each) && knownOf(each) < LEAST_OUTCOMES && troublesOf(each).length === 0);
}

function troublesOf(each: AgentOfPeriod): readonly Trouble[] {
  const { tasks, success, failed, fixed, retried, meanSeconds, withDuration, usd = 0, wastedUsd = 0 } = each;
  const known = success + failed;
  const isMany = (count: number, of: number, share: number): boolean =>
    of >= LEAST_TASKS && count >= LEAST_OF_A_KIND && count / of > share;
  const isOften = isMany(failed, known, 1 - KPI_TARGETS.success_ratio);
  return [
    ...when(isOften || (success === 0 && failed >= LEAST_ALL_FAILED), { kind: 'failures', count: failed, of: known }),
    ...when(isMany(fixed, tasks, KPI_TARGETS.fix_after_agent_ratio), { kind: 'fixes', count: fixed, of: tasks }),
    ...when(isMany(retried, tasks, KPI_TARGETS.retry_ratio), { kind: 'retries', count: retried, of: tasks }),
    ...when(withDuration >= LEAST_DURATIONS && (meanSeconds ?? 0) > KPI_TARGETS.task_seconds_mean, {
      kind: 'slow',
      seconds: meanSeconds ?? 0,
    }),
    ...when(wastedUsd >= LEAST_WASTE_USD && wastedUsd / usd > MOST_WASTE, { kind: 'waste', wastedUsd, usd }),
  ];
}

function when(holds: boolean, trouble: Trouble): readonly Trouble[] {
  return holds ? [trouble] : [];
}

/** The lower bound of Wilson's interval (95 %) for the success ratio. */
function sureSuccess({ success, failed }: AgentOfPeriod): number {
  const known = success + failed;
  const z = 1.96;
  const ratio = success / known;
  const spread = z * Math.sqrt((ratio * (1 - ratio)) / known + (z * z) / (4 * known * known));
  return (ratio + (z * z) / (2 * known) - spread) / (1 + (z * z) / known);
}
