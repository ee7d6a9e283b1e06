import { type TaskState as StateName, stateOfOutcome } from './outcome.ts';
import type { TaskProgress } from './progress.ts';
import type { EndResult } from './result.ts';
import { type Task, taskSchema } from './task.ts';
import type { TaskState } from './task-state.ts';

/** A task as `queue list` and `queue show` tell of it. */
export interface TaskView {
  readonly id: string;
  readonly state: StateName;
  /** Undefined if the payload is no task, or if it is over and its job was forgotten. */
  readonly task: Task | undefined;
  readonly progress: TaskProgress;
  readonly outcome: string | undefined;
  readonly error: string | undefined;
  readonly endedAt: string | undefined;
  readonly end: EndResult | undefined;
  /** When it can be taken again, if it is delayed. */
  readonly delayedUntilMs: number | undefined;
}

/** Where BullMQ has a job; undefined if nowhere. */
export type Place = 'active' | 'wait' | 'prioritized' | 'delayed' | 'completed' | 'failed' | undefined;

/** What BullMQ keeps of a job, as far as people are told of it. */
export interface StoredJob {
  readonly data: unknown;
  readonly failedReason: string | undefined;
  readonly finishedOnMs: number | undefined;
  /** Until when it was delayed when it was added. */
  readonly dueMs: number;
}

/** Puts together what BullMQ and we know of a task; undefined if that is nothing. Our own record of its end counts first. */
export function viewTask(
  id: string,
  { place, job, state }: { readonly place: Place; readonly job: StoredJob | undefined; readonly state: TaskState },
): TaskView | undefined {
  const { end, progress } = state;
  if (job === undefined && end === undefined) return undefined;
  const task = taskOf(id, job) ?? state.task;
  // Only a payload that is no task fails without having had an end.
  const refused = end === undefined && place === 'failed' ? job : undefined;
  return {
    id,
    task,
    progress,
    end,
    state: end ? stateOfOutcome(end.outcome) : stateOfPlace(place, task, progress),
    outcome: end?.outcome ?? (refused && 'bad-request'),
    error: end ? end.error : (refused?.failedReason ?? progress.lastError),
    endedAt: end?.endedAt ?? (refused?.finishedOnMs ? new Date(refused.finishedOnMs).toISOString() : undefined),
    delayedUntilMs: end === undefined && place === 'delayed' ? (progress.waitingFor?.untilMs ?? job?.dueMs) : undefined,
  };
}

/** A payload that gives itself the id of another task is none. */
function taskOf(id: string, job: StoredJob | undefined): Task | undefined {
  const parsed = taskSchema.safeParse(job?.data);
  return parsed.success && parsed.data.id === id ? parsed.data : undefined;
}

function stateOfPlace(place: Place, task: Task | undefined, progress: TaskProgress): StateName {
  switch (place) {
    case 'active':
    case 'completed':
    case 'failed':
      return place;
    case 'delayed':
      if (task?.approval === 'pending') return 'needs-approval';
      return progress.waitingFor?.reason === 'project' ? 'waiting' : 'delayed';
    default:
      return 'waiting';
  }
}
