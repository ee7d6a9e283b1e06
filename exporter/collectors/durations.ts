import type { Sample } from '../../lib/exposition.ts';
import { DURATION_BUCKETS_SECONDS, shownDurations } from '../../lib/memory/task-counters.ts';
import type { Collector } from '../collector.ts';

/** How long tasks take, over all time; only tasks whose duration somebody wrote down. */
export const durationsCollector: Collector = {
  name: 'durations',
  collect: ({ memory }) => {
    const { tasks } = memory.tally;
    const samples = tasks.byAgent.flatMap((_, index): Sample[] => {
      const { durationBuckets, durationCount, durationSumMs } = shownDurations(tasks, index);
      if (durationCount === 0) return [];
      const agent = tasks.agents.names[index];
      const bucket = (le: string, value: number): Sample => ({ suffix: '_bucket', labels: { le, agent }, value });
      return [
        ...DURATION_BUCKETS_SECONDS.map((bound, at) => bucket(String(bound), durationBuckets[at])),
        bucket('+Inf', durationCount),
        { suffix: '_sum', labels: { agent }, value: durationSumMs / 1_000 },
        { suffix: '_count', labels: { agent }, value: durationCount },
      ];
    });
    return [{ name: 'swarm_task_duration_seconds', help: 'Agent time of each task.', type: 'histogram', samples }];
  },
};
