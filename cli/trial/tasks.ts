import { randomUUID } from 'node:crypto';
import type { Task } from '../../lib/queue/task.ts';

/** A small task that shows whether agents work here. */
export interface TrialTask {
  readonly name: string;
  readonly prompt: string;
}

/** Reading, looking around, writing: together they use every part there is, and cost cents. */
export const TRIAL_TASKS: readonly TrialTask[] = [
  {
    name: 'read',
    prompt: 'Read the README of this project and say in one sentence what the project is. Change nothing.',
  },
  {
    name: 'look',
    prompt:
      'Find the largest source file of this project that is under version control, and answer with its path and its number of lines. Change nothing.',
  },
  {
    name: 'write',
    prompt:
      'Add one line with the word "trial" to the file CHANGELOG-trial.md in the root of this project; make the file if there is none. Change nothing else.',
  },
];

/** The task as it goes on the queue. */
export function toQueueTask(
  { prompt }: TrialTask,
  place: {
    readonly agent: string;
    readonly project: string;
    readonly budgetUsd: number;
    readonly timeoutMs: number;
  },
): Task {
  return {
    version: 1,
    id: randomUUID(),
    prompt,
    ...place,
    priority: 'high',
    source: 'cli',
    approval: 'not-needed',
    requestedAt: new Date().toISOString(),
  };
}
