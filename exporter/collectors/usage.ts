import { counter, gauge } from '../../lib/exposition.ts';
import { costLabels, TOKEN_KINDS } from '../../lib/memory/usage.ts';
import { WASTE_REASONS, wastedCosts } from '../../lib/memory/wasted-cost.ts';
import { WINDOWS } from '../../lib/memory/windows.ts';
import type { Collector } from '../collector.ts';

/** Tokens and costs from task_usage; absent where nobody records them. */
export const usageCollector: Collector = {
  name: 'usage',
  collect: ({ memory }) => {
    const usage = memory.usage();
    if (!usage) return [];
    const tokens = [...usage.tokens].flatMap(([model, counts]) =>
      counts.map(
        (count, index) => [count, { model: usage.models.names[model], kind: TOKEN_KINDS[index].kind }] as const,
      ),
    );
    const wasted = wastedCosts(usage, memory.tally.failedTasks);
    return [
      gauge(
        'swarm_window_cost_usd',
        'Cost of the usage recorded in the window, in US dollars.',
        WINDOWS.map(({ name }, index) => [usage.windows[index].costMicroUsd / 1e6, { window: name }]),
      ),
      gauge(
        'swarm_window_wasted_cost_usd',
        'Part of that cost spent in vain; failed: last attempt of a task that failed, retried: attempt that another followed.',
        WINDOWS.flatMap(({ name }, index) =>
          WASTE_REASONS.map((reason, at) => [wasted[index][at] / 1e6, { window: name, reason }] as const),
        ),
      ),
      gauge(
        'swarm_window_tasks_with_usage',
        'Tasks with usage recorded in the window.',
        WINDOWS.map(({ name }, index) => [usage.windows[index].tasks.size, { window: name }]),
      ),
      counter('swarm_tokens_total', 'Tokens by model and kind.', tokens),
      counter(
        'swarm_cost_usd_total',
        'Cost by model and agent, in US dollars.',
        [...usage.costMicroUsd].map(([key, micro]) => [micro / 1e6, costLabels(usage, key)]),
      ),
    ];
  },
};
