import type { NewNotification } from '../../lib/queue/notification.ts';
import { rulesOf, toFacts } from '../../lib/queue/refused-call.ts';
import type { EndResult, Result } from '../../lib/queue/result.ts';

/** What people are told of the tasks among these results that are over. Told twice is told once, by the key. */
export function tellEnds(results: readonly Result[]): readonly NewNotification[] {
  return results.filter((result) => result.kind === 'end').map(tellEnd);
}

function tellEnd({ taskId, round, ...end }: EndResult): NewNotification {
  const { agent, project, source, outcome, costUsd, durationMs, attempts, branch, error, refused, prompt } = end;
  // A person is asked whether its agent may, and told of the end by that.
  const isAsked = rulesOf(refused).length > 0;
  return {
    kind: isAsked ? 'tool-request' : 'task-ended',
    key: `ended-${taskId.replace(/[^\w-]/g, '_')}-${round}`,
    facts: {
      ...{ id: taskId, round, agent, project, source, outcome, costUsd, durationMs, attempts },
      ...(branch === undefined ? {} : { branch }),
      ...(error === undefined ? {} : { error }),
      ...(isAsked ? { prompt } : {}),
      ...toFacts(refused),
    },
  };
}
