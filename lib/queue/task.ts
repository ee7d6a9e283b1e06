import { z } from 'zod';
import { UsageError } from '../errors.ts';

/** BullMQ's numbers: less is sooner. */
export const PRIORITIES = { high: 1, normal: 10, low: 20 } as const;
export type Priority = keyof typeof PRIORITIES;

/** A name that is handed to a program as an argument: nothing that could be read as an option. */
const name = z
  .string()
  .regex(/^[\p{L}\p{N}_][\p{L}\p{N}_.:@/-]{0,99}$/u, 'expected a name of letters, digits and . _ : @ / -');
const LONGEST_TIMEOUT_MS = 24 * 3_600_000;

/** What is asked of an agent: the payload of a job on the queue of tasks, in its first version. */
export const taskSchema = z.strictObject({
  version: z.literal(1),
  id: z.string().regex(/^[\w-]{1,64}$/, 'expected letters, digits, _ and -, 64 at most'),
  prompt: z
    .string()
    .max(100_000, 'expected 100,000 characters at most')
    .refine((text) => text.trim() !== '', 'expected some text'),
  agent: name,
  project: name,
  priority: z.enum(Object.keys(PRIORITIES) as [Priority, ...Priority[]]),
  model: name.optional(),
  /** What all its attempts together may cost, US dollars. */
  budgetUsd: z.number().positive().max(1_000),
  /** What one run may take. */
  timeoutMs: z.int().min(1_000).max(LONGEST_TIMEOUT_MS),
  /** Who asked: cli, telegram, github, timetable. */
  source: z.string().regex(/^[a-z][a-z-]{0,31}$/, 'expected a short lower-case name'),
  /** Whether a person has to say yes first, and has. */
  approval: z.enum(['not-needed', 'pending', 'granted']),
  parentTaskId: z.string().max(200).optional(),
  dedupeKey: z.string().min(1).max(200).optional(),
  requestedAt: z.iso.datetime(),
});
export type Task = z.infer<typeof taskSchema>;

/**
 * A task as it was found in Redis or is about to be put there.
 * @throws UsageError naming every field that is wrong, never its value, which may be text of a client.
 */
export function parseTask(data: unknown): Task {
  const result = taskSchema.safeParse(data);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'payload'}: ${message}`);
  throw new UsageError(`Could not accept the task: ${problems.join('; ')}.`, 'Correct it, then ask again.');
}
