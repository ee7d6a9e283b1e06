import type { MemoryView } from '../lib/memory/reader.ts';
import { successRatio, windowOutcomes } from '../lib/memory/task-figures.ts';
import type { MemoryFacts } from './scrape.ts';

/** What the status page says of a memory. */
export function readFacts({ files, schema, tally }: MemoryView): MemoryFacts {
  const { tasks } = tally;
  return {
    tasks: tasks.outcomes.reduce((sum, count) => sum + count, 0),
    unknown: tasks.outcomes[2],
    successRatio24h: successRatio(windowOutcomes(tasks, 1)),
    unknown24h: windowOutcomes(tasks, 1)[2],
    lastTaskMs: tasks.lastTaskMs,
    modifiedMs: files.modifiedMs,
    schema: schema.state,
    isDemo: schema.isDemo,
  };
}
