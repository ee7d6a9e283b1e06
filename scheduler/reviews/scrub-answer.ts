import type { ReviewAnswer } from '../../lib/queue/review.ts';
import { clean } from './review-body.ts';
import { scrubSecrets } from './secrets.ts';

/** An answer without secrets, and how many there were. Cleaned first: a character that is not seen must hide none. */
export function scrubAnswer(
  answer: ReviewAnswer,
  known: readonly string[],
): { readonly answer: ReviewAnswer; readonly removed: number } {
  let removed = 0;
  const scrub = (text: string): string => {
    const scrubbed = scrubSecrets(clean(text), known);
    removed += scrubbed.removed;
    return scrubbed.text;
  };
  const findings = answer.findings.map((finding) => ({
    ...finding,
    file: scrub(finding.file),
    problem: scrub(finding.problem),
    ...(finding.suggestion === undefined ? {} : { suggestion: scrub(finding.suggestion) }),
  }));
  return { answer: { summary: scrub(answer.summary), findings }, removed };
}
