import { z } from 'zod';
import type { Project } from '../../lib/projects.ts';
import { findProject } from '../reviews/find-project.ts';
import { pullRequestSchema, reasonToIgnore } from '../reviews/pull-request.ts';
import type { ReviewLedger } from '../reviews/review-ledger.ts';
import type { Acceptance, Delivery } from './listener.ts';

const ACTIONS = ['opened', 'synchronize', 'reopened', 'ready_for_review'];
/** What may end a review that waits. */
const ENDINGS = ['closed', 'converted_to_draft'];

const payloadSchema = z.object({
  action: z.string(),
  repository: z.object({ full_name: z.string() }),
  pull_request: pullRequestSchema,
});

export interface AcceptOptions {
  readonly ledger: ReviewLedger;
  readonly clock: () => number;
  readonly projects: () => ReadonlyMap<string, Project>;
  readonly ownLogin: () => string | undefined;
  /** How long the next push is waited for. */
  readonly debounceMs: number;
}

/** Decides about a delivery, and writes down what is to be reviewed, or may be none to review any more. */
export function acceptDelivery({ id, event, payload }: Delivery, options: AcceptOptions): Acceptance {
  const ignore = (reason: string): Acceptance => ({ outcome: 'ignored', reason });
  if (event !== 'pull_request') return ignore('nothing is done for this event');
  const action = (payload as { action?: unknown } | null)?.action;
  if (typeof action !== 'string' || ![...ACTIONS, ...ENDINGS].includes(action))
    return ignore('nothing is done for this action');
  const { success, data } = payloadSchema.safeParse(payload);
  if (!success) return ignore('it does not tell of a pull request as expected');
  const pull = data.pull_request;
  const repository = findProject(options.projects(), data.repository.full_name)?.repository;
  if (repository === undefined) return ignore('no project in projects.json has this repository');
  if (ENDINGS.includes(action)) {
    const isWaiting = options.ledger.doubt({ repository, number: pull.number }) > 0;
    return isWaiting ? { outcome: 'withdrawn' } : ignore('no review of it waits');
  }
  const reason = reasonToIgnore(pull, options.ownLogin());
  if (reason !== undefined) return ignore(reason);
  const outcome = options.ledger.notice({
    repository,
    number: pull.number,
    headSha: pull.head.sha,
    beginMs: options.clock() + options.debounceMs,
    delivery: { id, action },
    again: ['superseded', 'over-cap', 'failed', 'refused'],
  });
  return outcome === 'over-cap' ? { outcome, reason: 'REVIEWS_PER_DAY is used up' } : { outcome };
}
