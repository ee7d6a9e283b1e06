import { counter, gauge } from '../../lib/exposition.ts';
import type { Collector } from '../collector.ts';

/** Lessons learned; absent where the memory has no such table. */
export const lessonsCollector: Collector = {
  name: 'lessons',
  collect: ({ memory }) => {
    const lessons = memory.lessons();
    if (!lessons) return [];
    return [
      counter('swarm_lessons_total', 'Rows of lessons_learned.', [[lessons.total]]),
      gauge(
        'swarm_lessons_by_status',
        'Lessons by status and severity.',
        (lessons.byStatus ?? []).map(({ count, status, severity }) => [count, { status, severity }]),
      ),
    ];
  },
};
