import { describeError } from '../lib/errors.ts';
import type { Project } from '../lib/projects.ts';
import { spentUsd } from '../lib/queue/progress.ts';
import { runSteps } from '../lib/queue/script.ts';
import { PRIORITIES, type Task } from '../lib/queue/task.ts';
import { beginTask, hasEnded, holding } from '../lib/queue/task-state.ts';
import { addTrace, tracing } from '../lib/queue/trace.ts';
import { type Admission, runOnce } from './agent-run.ts';
import type { Reservation } from './budget.ts';
import { claimOf, finish, type Hold, save } from './hold.ts';
import { callNext, freeSlot } from './parked.ts';
import type { AgentLaunch, Conclusion, Parts } from './parts.ts';
import { sweepTask } from './runner/sweep.ts';

const MOST_CRASHES = 5;
/** A parked task is called when a slot is free; this is for a call that died with its caller. */
const PARKED_MS = 5 * 60_000;
const BUDGET_RETRY_MS = 10_000;
const AGENT_RETRY_MS = 15_000;
const ERROR_RETRY_MS = 10_000;
/** A microdollar or so left is nothing left. */
const LEAST_BUDGET_USD = 0.001;

/**
 * Works on a task from the moment a worker has it until it is clear what becomes of its job. An error of ours counts like a
 * crash of ours: the task is tried again a few times, and then shown to a person.
 * @throws Error if Redis cannot even be told that much; the job is then found as after a crash.
 */
export async function handleTask(
  parts: Parts,
  task: Task,
  stop: AbortController,
  onHold: (hold: Hold) => void,
): Promise<Conclusion> {
  let hold: Hold | undefined;
  try {
    const conclusion = await work(parts, task, stop, (made) => {
      hold = made;
      onHold(made);
    });
    if (conclusion.kind === 'lost' && hold) await letGo(parts, hold);
    return conclusion;
  } catch (error) {
    if (!hold) throw error;
    const lastError = describeError(error, 1_000);
    parts.log.error(
      { taskId: task.id, agent: task.agent, project: task.project, error },
      'an error of ours stopped a task',
    );
    const { run: _, ...rest } = hold.progress;
    hold.progress = { ...rest, crashes: rest.crashes + 1, lastError };
    await parts.budget.release(claimOf(hold));
    await addTrace(parts.redis, task.id, 'error of ours', lastError);
    return await postpone(parts, hold, 'error', Date.now() + ERROR_RETRY_MS);
  }
}

async function work(
  parts: Parts,
  task: Task,
  stop: AbortController,
  onHold: (hold: Hold) => void,
): Promise<Conclusion> {
  const { generation, progress, end, isCancelled } = await beginTask(parts.redis, task.id);
  // It ended, and we died before BullMQ was told.
  if (end) return { kind: 'ended', end };
  const { waitingFor: _, ...rest } = progress;
  const hold: Hold = { task, generation, progress: rest, stop };
  onHold(hold);
  if (hold.progress.run) await recoverFromCrash(parts, hold);
  if (isCancelled) return finish(parts, hold, 'cancelled', 'Cancelled before an agent was started.');
  if (task.approval === 'pending') return finish(parts, hold, 'cancelled', 'Nobody approved it within 7 days.');
  if (hold.progress.crashes > MOST_CRASHES) {
    const error = `Our own process died under it ${hold.progress.crashes} times. See its log (swarm trace), then retry it.`;
    return finish(parts, hold, 'needs-attention', error);
  }
  const project = parts.projects().get(task.project);
  if (!project) {
    const error = `Could not find project "${task.project}" in projects.json. Add it there, then retry the task.`;
    return finish(parts, hold, 'bad-request', error);
  }
  return admit(parts, hold, project);
}

/** Our process, or another's, died while an agent worked: what it left running is ended, and its session goes on. */
async function recoverFromCrash(parts: Parts, hold: Hold): Promise<void> {
  const { task, progress } = hold;
  const { run, session, ...rest } = progress;
  const swept = await sweepTask(task.id);
  parts.metrics.countOrphans(swept);
  const isHere = run?.host === parts.hostId;
  const where = isHere ? 'on this machine' : 'elsewhere';
  hold.progress = { ...rest, crashes: progress.crashes + 1, ...(isHere && session ? { session } : {}) };
  await save(parts, hold, {}, tracing(task.id, 'found after a crash', `${where}, ${swept} processes swept`));
  parts.log.warn(
    { taskId: task.id, agent: task.agent, project: task.project, swept, where },
    'a task was left by a crash',
  );
}

/** Everything that can be found wrong is found before money is reserved, and before it is spent. */
async function admit(parts: Parts, hold: Hold, project: Project): Promise<Conclusion> {
  const { task } = hold;
  let launch: AgentLaunch;
  try {
    await parts.checkProject({ path: project.path, name: project.name });
  } catch (error) {
    return finish(parts, hold, 'bad-request', describeError(error, 2_000));
  }
  try {
    launch = await parts.agentFor(task, project);
  } catch (error) {
    // Somebody has to install it, or log in; the task is none the worse for it.
    hold.progress = { ...hold.progress, lastError: describeError(error, 2_000) };
    return postpone(parts, hold, 'agent', Date.now() + AGENT_RETRY_MS);
  }
  const remainingUsd = task.budgetUsd - spentUsd(hold.progress);
  if (remainingUsd < LEAST_BUDGET_USD) {
    const error = `It has used up its budget of ${task.budgetUsd} USD. Retry it with a larger one.`;
    return finish(parts, hold, 'budget', error);
  }
  const period = parts.budget.neverEnough(remainingUsd);
  if (period) {
    const error = `Its budget of ${remainingUsd} USD is more than the limit of the ${period}. Lower it, or raise BUDGET_${period.toUpperCase()}_USD.`;
    return finish(parts, hold, 'budget', error);
  }
  return inSlot(parts, hold, { project, launch, remainingUsd });
}

/** Runs the task within its project's limit of tasks at a time, once there is money for it; without a free slot it is parked. */
async function inSlot(parts: Parts, hold: Hold, admission: Admission): Promise<Conclusion> {
  const { task } = hold;
  const { name, concurrency } = admission.project;
  const rank = PRIORITIES[task.priority] * 1e13 + Date.parse(task.requestedAt);
  const [isHeld, hasSlot, reservation] = await runSteps(
    parts.redis,
    holding(claimOf(hold)),
    parts.slots.acquiring({ project: name, taskId: task.id, limit: concurrency, rank }),
    parts.budget.reserving(claimOf(hold), admission.remainingUsd),
  );
  if (!isHeld) return { kind: 'lost' };
  if (!hasSlot || !reservation) {
    const parked = await postpone(parts, hold, 'project', Date.now() + PARKED_MS);
    return parked.kind === 'delayed' ? { ...parked, parkedIn: name } : parked;
  }
  let conclusion: Conclusion | undefined;
  try {
    conclusion = await runReserved(parts, hold, admission, reservation);
    return conclusion;
  } finally {
    // With its end a task gives its slot back, and of one that is somebody else's, so is the slot.
    if (conclusion?.kind !== 'ended' && conclusion?.kind !== 'lost') await freeSlot(parts, task);
  }
}

/**
 * A task that is lost is mostly somebody else's, and with it its slot. Of one that was cancelled under our hand nobody but us
 * has anything.
 */
async function letGo(parts: Parts, hold: Hold): Promise<void> {
  const { task } = hold;
  const [, , next] = await runSteps(
    parts.redis,
    hasEnded(task.id),
    parts.budget.releasing(claimOf(hold)),
    parts.slots.releasing(task.project, task.id),
  );
  await callNext(parts, task, next);
}

async function runReserved(
  parts: Parts,
  hold: Hold,
  admission: Admission,
  reservation: Reservation,
): Promise<Conclusion> {
  switch (reservation.kind) {
    case 'reserved':
      return await runOnce(parts, hold, admission);
    case 'wait':
      return await postpone(parts, hold, 'budget', Date.now() + BUDGET_RETRY_MS);
    case 'unknown':
      await parts.closeGate({
        reason: 'budget-unknown',
        text: 'Redis does not know what was spent; the recorder reads it from the memory.',
        untilMs: undefined,
      });
      return await giveBack(parts, hold);
    case 'full': {
      const { period, spentUsd: spent, untilMs } = reservation;
      const text = `${spent.toFixed(2)} USD spent; the next task may cost more than is left of the ${period}'s budget.`;
      await parts.closeGate({ reason: `budget-${period}`, text, untilMs });
      await parts.notifier.notify({
        kind: 'queue-paused',
        key: `paused-${period}-${untilMs}`,
        facts: { reason: `budget-${period}`, text },
      });
      return await giveBack(parts, hold);
    }
  }
}

async function postpone(parts: Parts, hold: Hold, reason: string, untilMs: number): Promise<Conclusion> {
  return (await save(parts, hold, { waitingFor: { reason, untilMs } }))
    ? { kind: 'delayed', untilMs }
    : { kind: 'lost' };
}

async function giveBack(parts: Parts, hold: Hold): Promise<Conclusion> {
  return (await save(parts, hold, {})) ? { kind: 'requeued' } : { kind: 'lost' };
}
