import { OUTCOMES } from '../../lib/memory/task.ts';
import { runLabels } from '../../lib/memory/task-figures.ts';
import type { Collector } from '../collector.ts';
import { counter, gauge } from '../exposition.ts';

/** Tasks over all time: one agent run each, however many rows it left. */
export const tasksCollector: Collector = {
  name: 'tasks',
  collect: ({ memory, hold }) => {
    const { tasks } = memory.tally;
    const [success, failed, unknown] = tasks.outcomes;
    const total = success + failed + unknown;
    const lastTask = tasks.lastTaskMs === undefined ? undefined : tasks.lastTaskMs / 1_000;
    const agents = tasks.byAgent.map((figures, agent) => ({ figures, labels: { agent: tasks.agents.names[agent] } }));
    const runs = [...tasks.runs].flatMap(([key, counts]) =>
      counts.map((count, outcome) => ({ count, labels: { ...runLabels(tasks, key), outcome: OUTCOMES[outcome] } })),
    );
    const held = (name: string, value: number) => [[hold(name, value)]] as const;
    return [
      counter('swarm_tasks_total', 'Tasks: settled agent runs, of any outcome.', held('total', total)),
      counter('swarm_tasks_success_total', 'Tasks known to have succeeded.', held('success', success)),
      counter('swarm_tasks_failed_total', 'Tasks known to have failed.', held('failed', failed)),
      counter('swarm_tasks_unknown_total', 'Tasks whose outcome nobody wrote down.', held('unknown', unknown)),
      counter(
        'swarm_runs_total',
        'Tasks by agent, project and outcome.',
        runs
          .map(({ count, labels }) => [hold(Object.values(labels).join('\0'), count), labels] as const)
          .filter(([count]) => count > 0),
      ),
      gauge(
        'swarm_agent_tasks',
        'Tasks of each agent over all time.',
        agents.filter(({ figures }) => figures.tasks > 0).map(({ figures, labels }) => [figures.tasks, labels]),
      ),
      gauge('swarm_last_task_timestamp', 'When the last task ended, in seconds since the epoch.', [[lastTask]]),
      gauge('swarm_last_task_timestamp_seconds', 'When the last task ended, in seconds since the epoch.', [[lastTask]]),
      gauge(
        'swarm_agent_last_task_timestamp_seconds',
        'When the last task of each agent ended, in seconds since the epoch.',
        agents
          .filter(({ figures }) => figures.tasks > 0 && figures.lastTaskMs !== undefined)
          .map(({ figures, labels }) => [(figures.lastTaskMs as number) / 1_000, labels]),
      ),
    ];
  },
};
