import { randomUUID } from 'node:crypto';
import type { Task } from '../../../lib/queue/task.ts';

/** A task nobody has anything against, unless told otherwise. */
export function taskValue(extra: Partial<Task> = {}): Task {
  return {
    version: 1,
    id: randomUUID(),
    prompt: 'Rivedi il modulo prenotazioni',
    agent: 'cervella-backend',
    project: 'miracollo',
    priority: 'normal',
    budgetUsd: 0.5,
    timeoutMs: 60_000,
    source: 'cli',
    approval: 'not-needed',
    requestedAt: '2026-06-15T12:00:00.000Z',
    ...extra,
  };
}
