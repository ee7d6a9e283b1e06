import { UsageError } from '../errors.ts';
import { NOT_GRANTABLE, rulesOf } from './refused-call.ts';
import { parseTask, type Task } from './task.ts';
import type { TaskView } from './task-view.ts';

/** Whether a task ended because its agent was refused a tool that a person may grant it. */
export function asksForTool({ task, end }: TaskView): boolean {
  return task !== undefined && task.review === undefined && rulesOf(end?.refused).length > 0;
}

/**
 * The task of a view with what its agent was refused granted to it: those calls, and for this task alone.
 * @throws UsageError if it asks for nothing that can be granted, with the reasons.
 */
export function grantTools(view: TaskView): Task {
  const { id, task, end } = view;
  if (task !== undefined && asksForTool(view)) {
    return parseTask({ ...task, grantedTools: [...new Set([...(task.grantedTools ?? []), ...rulesOf(end?.refused)])] });
  }
  const reasons = (end?.refused ?? []).flatMap((each) =>
    'why' in each ? [`${each.tool}: ${NOT_GRANTABLE[each.why]}`] : [],
  );
  throw new UsageError(
    `Could not grant task "${id.slice(0, 100)}" a tool: ${reasons.join('; ') || 'it asks for none'}.`,
    'Do by hand what is missing, or retry it.',
  );
}
