/** Every key of ours in Redis begins with this. */
export const KEY_PREFIX = 'swarm';

/** The three queues through which rooms meet: those of tasks and notifications are BullMQ's, that of results is a stream. */
export const QUEUES = {
  tasks: 'swarm-tasks',
  results: 'swarm-results',
  notifications: 'swarm-notifications',
} as const;

/** A key of our own, beside those BullMQ makes for its queues. */
export function redisKey(...parts: readonly string[]): string {
  return [KEY_PREFIX, ...parts].join(':');
}
