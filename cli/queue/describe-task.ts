import type { TaskState } from '../../lib/queue/outcome.ts';
import { spentUsd, type TaskProgress } from '../../lib/queue/progress.ts';
import { NOT_GRANTABLE, type RefusedCall } from '../../lib/queue/refused-call.ts';
import type { TaskView } from '../../lib/queue/task-view.ts';

/** A task as commands print it as JSON. */
export function describeTask({ id, state, task, progress, outcome, error, endedAt, delayedUntilMs, end }: TaskView) {
  const facts = task ?? end;
  return {
    id,
    state,
    agent: facts?.agent ?? null,
    project: facts?.project ?? null,
    priority: task?.priority ?? null,
    attempts: end?.attempts ?? progress.failures + (progress.runs > 0 ? 1 : 0),
    outcome: outcome ?? null,
    costUsd: end?.costUsd ?? spentUsd(progress),
    budgetUsd: task?.budgetUsd ?? null,
    error: error ?? null,
    model: end?.model ?? task?.model ?? null,
    source: facts?.source ?? null,
    requestedAt: task?.requestedAt ?? null,
    endedAt: endedAt ?? null,
    waitingFor: reasonToWait(state, progress),
    delayedUntil: delayedUntilMs === undefined ? null : new Date(delayedUntilMs).toISOString(),
    sessionId: progress.session?.id ?? end?.sessionId ?? null,
    branch: progress.branch ?? end?.branch ?? null,
    refused: end?.refused?.map(describeRefused) ?? null,
    grantedTools: task?.grantedTools ?? null,
    prompt: facts?.prompt ?? null,
  };
}

function describeRefused(call: RefusedCall): string {
  if ('rule' in call) return `${call.rule} (swarm queue approve grants it)`;
  return `${call.tool}: ${call.input} (cannot be granted: ${NOT_GRANTABLE[call.why]})`;
}

function reasonToWait(state: TaskState, { waitingFor }: TaskProgress): string | null {
  return state === 'delayed' || state === 'waiting' ? (waitingFor?.reason ?? null) : null;
}

/** Text of outside as one short line for a terminal: no control characters, which could move the cursor. */
export function oneLine(text: string, length: number): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}
