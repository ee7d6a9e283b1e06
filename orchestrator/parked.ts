import type { Task } from '../lib/queue/task.ts';
import type { Parts } from './parts.ts';

/** Gives back the slot of a task, and calls the parked task that may have it. */
export async function freeSlot(parts: Parts, task: Task): Promise<void> {
  await callNext(parts, task, await parts.slots.release(task.project, task.id));
}

/** Calls the task that a slot was given back for; if it was cancelled meanwhile, the one after it. */
export async function callNext(
  { slots, queue }: Parts,
  { project, id }: Task,
  next: string | undefined,
): Promise<void> {
  let called = next;
  while (called !== undefined && !(await queue.promote(called))) called = await slots.release(project, id);
}
