import { toLabelValue } from '../label-names.ts';
import type { Task } from '../task.ts';
import { isFixed, isRetried, type WeekFigures } from '../week-figures.ts';
import { groupBy, largestFirst } from './group-by.ts';
import { countOutcomes, type Outcomes } from './outcomes.ts';
import type { Spending } from './spending.ts';

/** What one agent did in a period. */
export interface AgentOfPeriod extends Outcomes {
  readonly agent: string;
  readonly tasks: number;
  /** Tasks that a person mended, and that were tried more than once. */
  readonly fixed: number;
  readonly retried: number;
  /** Mean of the known durations; undefined if none is. */
  readonly meanSeconds: number | undefined;
  readonly withDuration: number;
  /** Undefined if this memory has no costs, or none of this agent's. */
  readonly usd: number | undefined;
  readonly wastedUsd: number | undefined;
}

/** Figures of each agent, busiest first; of very many the last ones are one, `other`. */
export function agentsOf(
  tasks: readonly Task[],
  week: WeekFigures,
  spending: Spending | undefined,
): readonly AgentOfPeriod[] {
  const byAgent = largestFirst(groupBy(tasks, ({ agent }) => toLabelValue(agent)));
  return byAgent.map(([agent, own]) => {
    const durations = own.flatMap(({ durationMs }) => durationMs ?? []);
    const spent = spending?.byAgent.find((each) => each.name === agent);
    return {
      agent,
      tasks: own.length,
      ...countOutcomes(own),
      fixed: own.filter((task) => isFixed(week, task)).length,
      retried: own.filter((task) => isRetried(week, task)).length,
      meanSeconds: durations.length === 0 ? undefined : sum(durations) / durations.length / 1_000,
      withDuration: durations.length,
      usd: spent?.usd,
      wastedUsd: spent?.wastedUsd,
    };
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
