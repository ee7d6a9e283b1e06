import { counter, type Family } from '../lib/exposition.ts';
import { createLabelNames, labelIndex } from '../lib/memory/label-names.ts';
import { OUTCOMES, type Outcome } from '../lib/queue/outcome.ts';

/** What this process has seen of runs since it started. */
export interface RunMetrics {
  /** Makes the series of an agent, at 0, before its first run ends: from nothing to 1 no increase would be seen. */
  readonly announceRun: (agent: string) => void;
  readonly observeRun: (agent: string, outcome: Outcome, seconds: number) => void;
  readonly countFallback: (from: string, to: string) => void;
  readonly countOrphans: (swept: number) => void;
  readonly families: () => readonly Family[];
}

/** Upper bounds in seconds; a run may take half an hour by default. */
const BUCKETS = [5, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600] as const;
/** The model of a task that names none. */
const OWN_MODEL = 'default';

/** Counts that begin at 0; `fallbackModels` are known beforehand, so that their series are there from the start. */
export function createRunMetrics(fallbackModels: readonly string[]): RunMetrics {
  const agents = createLabelNames();
  const runs = new Map<string, { agent: string; outcome: Outcome; buckets: number[]; sum: number; count: number }>();
  const chain = [OWN_MODEL, ...fallbackModels];
  const fallbacks = new Map(fallbackModels.map((to, index) => [`${chain[index]}\0${to}`, 0]));
  let orphans = 0;

  const series = (agent: string, outcome: Outcome) => {
    const key = `${agent}\0${outcome}`;
    const known = runs.get(key);
    if (known) return known;
    const made = { agent, outcome, buckets: BUCKETS.map(() => 0), sum: 0, count: 0 };
    runs.set(key, made);
    return made;
  };

  const announce = (agent: string): string => {
    const label = agents.names[labelIndex(agents, agent)];
    for (const each of OUTCOMES) series(label, each);
    return label;
  };

  return {
    announceRun: announce,
    observeRun: (agent, outcome, seconds) => {
      const seen = series(announce(agent), outcome);
      for (const [index, bound] of BUCKETS.entries()) if (seconds <= bound) seen.buckets[index] += 1;
      seen.sum += seconds;
      seen.count += 1;
    },
    countFallback: (from, to) => {
      const key = `${chain.includes(from) ? from : OWN_MODEL}\0${to}`;
      fallbacks.set(key, (fallbacks.get(key) ?? 0) + 1);
    },
    countOrphans: (swept) => {
      orphans += swept;
    },
    families: () => [
      {
        name: 'swarm_agent_run_seconds',
        help: 'Time of runs of agents, by agent and outcome',
        type: 'histogram',
        samples: [...runs.values()].flatMap(({ agent, outcome, buckets, sum, count }) => [
          ...buckets.map((value, index) => ({
            labels: { agent, outcome, le: String(BUCKETS[index]) },
            value,
            suffix: '_bucket' as const,
          })),
          { labels: { agent, outcome, le: '+Inf' }, value: count, suffix: '_bucket' as const },
          { labels: { agent, outcome }, value: sum, suffix: '_sum' as const },
          { labels: { agent, outcome }, value: count, suffix: '_count' as const },
        ]),
      },
      counter(
        'swarm_model_fallbacks_total',
        'Runs that were moved to another model because theirs was overloaded',
        [...fallbacks].map(([key, value]) => {
          const [from, to] = key.split('\0');
          return [value, { from, to }];
        }),
      ),
      counter('swarm_orphans_swept_total', 'Processes of agents that were left over and ended', [[orphans]]),
    ],
  };
}
