import { counter, gauge } from '../../lib/exposition.ts';
import { readPatterns } from '../../lib/memory/lessons.ts';
import type { Collector } from '../collector.ts';

/** Error patterns; absent where the memory has no such table. */
export const patternsCollector: Collector = {
  name: 'patterns',
  collect: ({ memory }) => {
    const patterns = readPatterns(memory.db, memory.schema);
    if (!patterns) return [];
    return [
      counter('swarm_patterns_total', 'Rows of error_patterns.', [[patterns.total]]),
      gauge(
        'swarm_patterns_by_status',
        'Error patterns by status and severity.',
        patterns.byStatus.map(({ count, status, severity }) => [count, { status, severity }]),
      ),
    ];
  },
};
