import { gauge } from '../../lib/exposition.ts';
import { tasksInProgress } from '../../lib/memory/started-tasks.ts';
import type { Collector } from '../collector.ts';

/** Tasks that began and have not ended: only writers that leave start rows show here. */
export const inProgressCollector: Collector = {
  name: 'in_progress',
  collect: ({ memory }) => {
    const { count, oldestMs } = tasksInProgress(memory.tally.started);
    const age = oldestMs === undefined ? undefined : Math.max(0, (memory.nowMs - oldestMs) / 1_000);
    return [
      gauge('swarm_tasks_in_progress', 'Start rows that no ending row has closed.', [[count]]),
      gauge('swarm_oldest_task_in_progress_seconds', 'Age of the oldest start row without an end.', [[age]]),
    ];
  },
};
