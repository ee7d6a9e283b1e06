/** How a run of an agent can end; `queue show` and the memory speak of it by these names. */
export const OUTCOMES = [
  'ok',
  'needs-attention',
  'budget',
  'max-turns',
  'rate-limited',
  'auth',
  'overloaded',
  'bad-request',
  'stuck',
  'crashed',
  'timeout',
  'cancelled',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Where a task stands, as `queue show` says it. */
export const TASK_STATES = [
  'waiting',
  'needs-approval',
  'delayed',
  'active',
  'completed',
  'failed',
  'cancelled',
] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** The state of a task that ended this way. */
export function stateOfOutcome(outcome: Outcome): TaskState {
  if (outcome === 'ok') return 'completed';
  return outcome === 'cancelled' ? 'cancelled' : 'failed';
}
