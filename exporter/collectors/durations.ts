import { DURATION_BUCKETS_SECONDS } from '../../lib/memory/task-figures.ts';
import type { Collector } from '../collector.ts';
import type { Sample } from '../exposition.ts';

/** How long tasks take, over all time; only tasks whose duration somebody wrote down. */
export const durationsCollector: Collector = {
  name: 'durations',
  collect: ({ memory, hold }) => {
    const { byAgent, agents } = memory.tally.tasks;
    const samples = byAgent.flatMap((figures, index): Sample[] => {
      if (figures.durationCount === 0) return [];
      const agent = agents.names[index];
      const held = (part: string, value: number): number => hold(`duration ${part} ${agent}`, value);
      const buckets = DURATION_BUCKETS_SECONDS.map(
        (bound, bucket): Sample => ({
          suffix: '_bucket',
          labels: { le: String(bound), agent },
          value: held(String(bound), figures.durationBuckets[bucket]),
        }),
      );
      const count = held('count', figures.durationCount);
      return [
        ...buckets,
        { suffix: '_bucket', labels: { le: '+Inf', agent }, value: count },
        { suffix: '_sum', labels: { agent }, value: held('sum', figures.durationSumMs / 1_000) },
        { suffix: '_count', labels: { agent }, value: count },
      ];
    });
    return [{ name: 'swarm_task_duration_seconds', help: 'Agent time of each task.', type: 'histogram', samples }];
  },
};
