import { z } from 'zod';
import { UsageError } from '../errors.ts';
import { ARGUMENT_NAME, ARGUMENT_NAME_EXPECTED, MODEL_NAME, MODEL_NAME_EXPECTED } from './argument-name.ts';
import { toolRuleSchema } from './refused-call.ts';
import { reviewSchema } from './review.ts';

/** BullMQ's numbers: less is sooner. */
export const PRIORITIES = { high: 1, normal: 10, low: 20 } as const;
export type Priority = keyof typeof PRIORITIES;

const name = z.string().regex(ARGUMENT_NAME, ARGUMENT_NAME_EXPECTED);
const model = z.string().regex(MODEL_NAME, MODEL_NAME_EXPECTED);
const LONGEST_TIMEOUT_MS = 24 * 3_600_000;
const TIMEOUT_EXPECTED = 'expected 1 s to 24 h';
/** Less is no more than a rounding error of what a run costs. */
const LEAST_BUDGET_USD = 0.001;
/** Many more would be no exceptions any more. */
const MOST_GRANTED = 20;
const BUDGET_EXPECTED = 'expected 0.001 to 1,000 US dollars';

const fields = {
  version: z.literal(1),
  id: z.string().refine(isTaskId, 'expected letters, digits, _ and -, 64 at most, a letter and a digit among them'),
  prompt: z
    .string()
    .max(100_000, 'expected 100,000 characters at most')
    .refine((text) => text.trim() !== '', 'expected some text'),
  agent: name,
  project: name,
  priority: z.enum(Object.keys(PRIORITIES) as [Priority, ...Priority[]]),
  model: model.optional(),
  /** What all its attempts together may cost, US dollars. */
  budgetUsd: z.number(BUDGET_EXPECTED).min(LEAST_BUDGET_USD, BUDGET_EXPECTED).max(1_000, BUDGET_EXPECTED),
  /** What one run may take. */
  timeoutMs: z.int(TIMEOUT_EXPECTED).min(1_000, TIMEOUT_EXPECTED).max(LONGEST_TIMEOUT_MS, TIMEOUT_EXPECTED),
  /** Who asked: cli, telegram, github, timetable. */
  source: z.string().regex(/^[a-z][a-z-]{0,31}$/, 'expected a short lower-case name'),
  /** Whether a person has to say yes first, and has. */
  approval: z.enum(['not-needed', 'pending', 'granted']),
  parentTaskId: z.string().max(200).optional(),
  dedupeKey: z.string().min(1, 'expected some text').max(200, 'expected 200 characters at most').optional(),
  requestedAt: z.iso.datetime(),
  /** Set if it is the review of what strangers have written. */
  review: reviewSchema.optional(),
  /** What its agent may use besides, because a person has allowed it; what strangers have written gets nothing. */
  grantedTools: z.array(toolRuleSchema).max(MOST_GRANTED, `expected ${MOST_GRANTED} rules at most`).optional(),
};

/** What is asked of an agent: the payload of a job on the queue of tasks, in its first version. */
export const taskSchema = z
  .strictObject(fields)
  .refine(({ review, grantedTools }) => review === undefined || grantedTools === undefined, {
    path: ['grantedTools'],
    message: 'expected none for a review',
  });
export type Task = z.infer<typeof taskSchema>;

/** BullMQ refuses an id of digits alone, and has keys of its own whose names are letters alone. */
function isTaskId(text: string): boolean {
  return /^(?=.*\d)(?=.*[A-Za-z_])[\w-]{1,64}$/.test(text);
}

/**
 * A task as it was found in Redis or is about to be put there.
 * @throws UsageError naming every field that is wrong, never its value, which may be text of a client.
 */
export function parseTask(data: unknown): Task {
  const result = taskSchema.safeParse(data);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ code, path, message }) => {
    // The name of such a field is text of a client as well.
    if (code === 'unrecognized_keys') return 'payload: it has a field that is not known here';
    return `${path.join('.') || 'payload'}: ${message}`;
  });
  throw new UsageError(`Could not accept the task: ${problems.join('; ')}.`, 'Correct it, then ask again.');
}
