import { type ReviewAnswer, reviewAnswerSchema } from '../lib/queue/review.ts';
import type { Task } from '../lib/queue/task.ts';
import type { RunEnd } from './runner/run-end.ts';

/** The answer of a review that ended well. One that is not in its form is none: then a person has to look at it. */
export function judgeAnswer(
  { review }: Pick<Task, 'review'>,
  end: RunEnd,
): { readonly end: RunEnd; readonly answer?: ReviewAnswer } {
  if (review === undefined || end.outcome !== 'ok') return { end };
  const { success, data } = reviewAnswerSchema.safeParse(end.structuredOutput);
  if (success) return { end, answer: data };
  return { end: { ...end, outcome: 'needs-attention', error: 'Its review is not in the form that was asked for.' } };
}
