import type { NewNotification } from '../../lib/queue/notification.ts';
import type { EndResult, Result } from '../../lib/queue/result.ts';

/** What people are told of the tasks among these results that are over. Told twice is told once, by the key. */
export function tellEnds(results: readonly Result[]): readonly NewNotification[] {
  return results.filter((result) => result.kind === 'end').map(tellEnd);
}

function tellEnd({ taskId, round, ...end }: EndResult): NewNotification {
  const { agent, project, source, outcome, costUsd, durationMs, attempts, branch, error } = end;
  return {
    kind: 'task-ended',
    key: `ended-${taskId.replace(/[^\w-]/g, '_')}-${round}`,
    facts: {
      ...{ id: taskId, round, agent, project, source, outcome, costUsd, durationMs, attempts },
      ...(branch === undefined ? {} : { branch }),
      ...(error === undefined ? {} : { error }),
    },
  };
}
