import { z } from 'zod';

const LONGEST_MATERIAL = 250_000;

/**
 * What makes a task the review of something strangers have written: its agent can only read, what strangers wrote comes as
 * one file of data, and its answer has a form.
 */
export const reviewSchema = z.strictObject({
  /** What is to be reviewed; lies in `REVIEW_FILE` of the working directory. */
  material: z.string().max(LONGEST_MATERIAL, 'expected 250,000 characters at most'),
  /** The commit to stand on, if the project's repository has it; else the one it stands on. */
  baseCommit: z
    .string()
    .regex(/^[\da-f]{40}([\da-f]{24})?$/, 'expected the full id of a commit')
    .optional(),
});

/** Where the material of a review lies, seen from the working directory. */
export const REVIEW_FILE = '.swarm-review/pull-request.txt';

const words = (length: number) => z.string().min(1).max(length);

/** The form of a reviewer's answer. */
export const reviewAnswerSchema = z.strictObject({
  summary: words(4_000).describe('What the change does and how good it is, in a few sentences'),
  findings: z
    .array(
      z.strictObject({
        severity: z.enum(['high', 'medium', 'low']),
        file: words(300).describe('Path of the file'),
        line: z.int().min(1).max(10_000_000).optional().describe('Line in the new version of the file'),
        problem: words(2_000).describe('What is wrong or risky, and why'),
        suggestion: words(2_000).optional().describe('How to mend it: words or code'),
      }),
    )
    .max(30)
    .describe('The worst first; empty if all is well'),
});
export type ReviewAnswer = z.infer<typeof reviewAnswerSchema>;

/** The same form as JSON Schema, for the command line of agents. */
export function reviewAnswerJsonSchema(): string {
  const { $schema: _, ...schema } = z.toJSONSchema(reviewAnswerSchema);
  return JSON.stringify(schema);
}
