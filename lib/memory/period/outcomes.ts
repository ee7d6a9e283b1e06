import type { Task } from '../task.ts';

/** A number of tasks by how they ended. */
export interface Outcomes {
  readonly success: number;
  readonly failed: number;
  readonly unknown: number;
}

/** Counts tasks by how they ended. */
export function countOutcomes(tasks: Iterable<Task>): Outcomes {
  const counts = { success: 0, failed: 0, unknown: 0 };
  for (const { outcome } of tasks) counts[outcome] += 1;
  return counts;
}
