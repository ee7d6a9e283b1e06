import { describeError, UnreachableError } from '../../lib/errors.ts';
import { readTrace, type TraceEvent } from '../../lib/queue/trace.ts';
import { describeTask } from '../queue/describe-task.ts';
import { withQueue } from '../queue/open-queue.ts';
import type { Happening, SourceReport } from './timeline.ts';

/** What Redis knows of a task, or why it cannot be asked. */
export async function readQueueSource(
  id: string,
): Promise<SourceReport & { readonly unreachable?: UnreachableError | undefined }> {
  try {
    const [view, trace] = await withQueue((queue, redis) => Promise.all([queue.show(id), readTrace(redis, id)]));
    // Other keys of the queue's own can look like a job without a payload.
    const isTask = view !== undefined && (view.task ?? view.end ?? view.outcome) !== undefined;
    return {
      source: 'queue',
      happenings: trace.map(toHappening),
      task: isTask ? describeTask(view) : undefined,
      missing: isTask || trace.length > 0 ? undefined : 'not on the queue, or not any more',
    };
  } catch (error) {
    const unreachable = error instanceof UnreachableError ? error : undefined;
    return { source: 'queue', happenings: [], missing: describeError(error), unreachable };
  }
}

function toHappening({ at, event, detail }: TraceEvent): Happening {
  const atMs = Date.parse(at);
  return { atMs: Number.isNaN(atMs) ? undefined : atMs, event, detail };
}
