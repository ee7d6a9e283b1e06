import { gauge, type LooseSample } from '../../lib/exposition.ts';
import { OUTCOMES } from '../../lib/memory/task.ts';
import { DURATION_RANGES } from '../../lib/memory/task-counters.ts';
import { successRatio, windowDurationCounts, windowDurations, windowOutcomes } from '../../lib/memory/task-figures.ts';
import { WINDOWS } from '../../lib/memory/windows.ts';
import type { Collector } from '../collector.ts';

/** Exact counts over sliding windows: what rules and panels use in place of rate() and increase(). */
export const windowsCollector: Collector = {
  name: 'windows',
  collect: ({ memory }) => {
    const { tasks } = memory.tally;
    const agents = tasks.byAgent.flatMap((figures, agent) => (figures.tasks > 0 ? [agent] : []));
    const perWindow = (samples: (index: number, window: string) => LooseSample[]): LooseSample[] =>
      WINDOWS.flatMap(({ name }, index) => samples(index, name));
    return [
      gauge(
        'swarm_window_tasks',
        'Tasks that ended in the window, by outcome.',
        perWindow((index, window) =>
          windowOutcomes(tasks, index).map((count, outcome) => [count, { window, outcome: OUTCOMES[outcome] }]),
        ),
      ),
      gauge(
        'swarm_window_success_ratio',
        'Successes / (successes + failures) in the window; absent while no outcome is known.',
        perWindow((index, window) => [[successRatio(windowOutcomes(tasks, index)), { window }]]),
      ),
      gauge(
        'swarm_window_agent_tasks',
        'Tasks of each agent that ended in the window, by outcome.',
        perWindow((index, window) =>
          agents.flatMap((agent) =>
            windowOutcomes(tasks, index, agent).map(
              (count, outcome): LooseSample => [
                count,
                { window, agent: tasks.agents.names[agent], outcome: OUTCOMES[outcome] },
              ],
            ),
          ),
        ),
      ),
      gauge(
        'swarm_window_tasks_with_duration',
        'Tasks that ended in the window and whose duration somebody wrote down.',
        perWindow((index, window) => [[tasks.windows[index].durations.count, { window }]]),
      ),
      gauge(
        'swarm_window_tasks_by_duration',
        'Tasks that ended in the window, by range of their known duration; each is in one range only.',
        perWindow((index, window) =>
          windowDurationCounts(tasks, index).map((count, range) => [
            count,
            { window, duration: DURATION_RANGES[range] },
          ]),
        ),
      ),
      gauge(
        'swarm_window_task_duration_seconds',
        'Mean and nearest-rank quantiles of the known durations in the window.',
        perWindow((index, window) =>
          Object.entries(windowDurations(tasks, index) ?? {}).map(([stat, seconds]) => [seconds, { window, stat }]),
        ),
      ),
    ];
  },
};
