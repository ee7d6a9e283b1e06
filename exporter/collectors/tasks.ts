import { counter, gauge, type LooseSample } from '../../lib/exposition.ts';
import { OUTCOMES } from '../../lib/memory/task.ts';
import { runLabels, shownOutcomes, shownRuns } from '../../lib/memory/task-counters.ts';
import type { Collector } from '../collector.ts';

/** Tasks over all time: one agent run each, however many rows it left. */
export const tasksCollector: Collector = {
  name: 'tasks',
  collect: ({ memory }) => {
    const { tasks } = memory.tally;
    const [success, failed, unknown] = shownOutcomes(tasks);
    const total = tasks.outcomes.reduce((sum, count) => sum + count, 0);
    const lastTask = tasks.lastTaskMs === undefined ? undefined : tasks.lastTaskMs / 1_000;
    const agents = tasks.byAgent.map((figures, agent) => ({ figures, labels: { agent: tasks.agents.names[agent] } }));
    const runs = shownRuns(tasks).flatMap(([key, counts]) => {
      const labels = runLabels(tasks, key);
      return counts.flatMap((count, outcome): LooseSample[] =>
        count > 0 ? [[count, { ...labels, outcome: OUTCOMES[outcome] }]] : [],
      );
    });
    return [
      counter('swarm_tasks_total', 'Tasks: settled agent runs, of any outcome.', [[total]]),
      counter('swarm_tasks_success_total', 'Tasks known to have succeeded.', [[success]]),
      counter('swarm_tasks_failed_total', 'Tasks known to have failed.', [[failed]]),
      counter('swarm_tasks_unknown_total', 'Tasks whose outcome nobody wrote down.', [[unknown]]),
      counter('swarm_runs_total', 'Tasks by agent, project and outcome.', runs),
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
