import type { ReviewAnswer } from '../../lib/queue/review.ts';
import type { GithubApi, PostedReview } from './github-api.ts';
import { composeBody, markedHead } from './review-body.ts';
import type { ReviewRow } from './review-ledger.ts';
import { REVIEWER } from './review-task.ts';
import { scrubAnswer } from './scrub-answer.ts';

/** What is to stand on GitHub. */
export interface Publication {
  readonly row: ReviewRow;
  readonly answer: ReviewAnswer;
  readonly language: 'it' | 'en';
  readonly secrets: readonly string[];
  readonly ownLogin: string | undefined;
}

/** What became of it, and how many secrets were taken out. */
export interface Published {
  readonly reviewId: number;
  /** Its page, as GitHub says. */
  readonly reviewUrl: string | undefined;
  readonly how: 'posted' | 'updated' | 'found';
  readonly removed: number;
}

/**
 * Has one review of ours stand on a pull request, about its newest head: what stands there already is looked for first, since
 * whoever posted it may have died before it was written down.
 * @throws GithubError
 */
export async function publishReview(publication: Publication, api: GithubApi): Promise<Published> {
  const { row, ownLogin, language } = publication;
  const ours = ownReviews(await api.reviews(row), ownLogin);
  const same = ours.find(({ body }) => markedHead(body) === row.headSha);
  if (same) return { ...placeOf(same), how: 'found', removed: 0 };
  const { answer, removed } = scrubAnswer(publication.answer, publication.secrets);
  const { headSha, isDiffCut } = row;
  const body = composeBody(answer, { headSha, agent: REVIEWER, language, isDiffCut });
  const last = ours.at(-1);
  if (last === undefined) return { ...placeOf(await api.post(row, { headSha, body })), how: 'posted', removed };
  await api.update(row, last.id, body);
  return { ...placeOf(last), how: 'updated', removed };
}

function placeOf({ id, html_url: url }: PostedReview): Pick<Published, 'reviewId' | 'reviewUrl'> {
  return { reviewId: id, reviewUrl: url ?? undefined };
}

/** Those that bear our sign, and are by our account where that is known: anybody can copy a sign. */
export function ownReviews(reviews: readonly PostedReview[], ownLogin: string | undefined): readonly PostedReview[] {
  return reviews.filter(
    ({ body, user }) => markedHead(body) !== undefined && (ownLogin === undefined || user?.login === ownLogin),
  );
}
