import type { Task } from './task.ts';

/** How long a person has to say yes. */
export const APPROVAL_MS = 7 * 86_400_000;

/** Whether a person has to say yes first: who asks wants it so, or it may cost more than APPROVAL_ABOVE_USD. */
export function approvalFor(
  { budgetUsd, isAskedFor = false }: { readonly budgetUsd: number; readonly isAskedFor?: boolean },
  approvalAboveUsd: number,
): Task['approval'] {
  return isAskedFor || budgetUsd > approvalAboveUsd ? 'pending' : 'not-needed';
}
