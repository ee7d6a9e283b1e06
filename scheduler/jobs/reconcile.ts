import { describeError, OperatorError, UnreachableError } from '../../lib/errors.ts';
import { readProjects } from '../../lib/projects.ts';
import { createGithubApi, type GithubApi, GithubError } from '../reviews/github-api.ts';
import { ownReviews } from '../reviews/publish-review.ts';
import { type PullRequest, reasonToIgnore } from '../reviews/pull-request.ts';
import { markedHead } from '../reviews/review-body.ts';
import { createReviewLedger, type ReviewLedger } from '../reviews/review-ledger.ts';
import { reasonGithubIsOff } from '../reviews/switched-on.ts';
import type { Job, JobContext } from './job.ts';

/**
 * Open pull requests whose head has no review of ours get one: what was missed while nobody listened, or over a day's cap. Reviews
 * that wait for one that is not open are looked at again.
 */
export const reconcile: Job = {
  name: 'reconcile',
  run: async (context) => {
    const off = reasonGithubIsOff(context.settings);
    if (off !== undefined) return { summary: `off: ${off}` };
    const { settings, clock, signal, db } = context;
    const { githubToken: token = '', githubApiUrl: url, reviewsPerDay: perDay } = settings.scheduler;
    const api = createGithubApi({ url, token, clock, signal });
    const ledger = createReviewLedger({ db, clock, perDay, timezone: settings.config.timezone });
    const repositories = [...readProjects(settings.config.projectsFile).values()].map(({ repository }) => repository);
    let [noticed, doubted] = [0, 0];
    for (const repository of new Set(repositories)) {
      if (repository === undefined) continue;
      const found = await reconcileRepository(repository, { api, ledger, context });
      noticed += found.noticed;
      doubted += found.doubted;
    }
    const said = [
      ...(noticed === 0 ? [] : [`${noticed} to be reviewed`]),
      ...(doubted === 0 ? [] : [`${doubted} perhaps not any more`]),
    ];
    return { summary: said.join(', ') || 'nothing was missed' };
  },
};

interface Reconciling {
  readonly api: GithubApi;
  readonly ledger: ReviewLedger;
  readonly context: JobContext;
}

async function reconcileRepository(
  repository: string,
  { api, ledger, context }: Reconciling,
): Promise<{ readonly noticed: number; readonly doubted: number }> {
  const ownLogin = await api.whoAmI().catch(explain);
  const pulls = await api.openPulls(repository).catch(explain);
  const reviewable = pulls.filter((pull) => reasonToIgnore(pull, ownLogin) === undefined);
  const wanted = new Set(reviewable.map(({ number }) => number));
  const unwanted = ledger.queuedNumbers(repository).filter((number) => !wanted.has(number));
  const doubted = unwanted.filter((number) => ledger.doubt({ repository, number }) > 0).length;
  let noticed = 0;
  for (const pull of reviewable) {
    context.signal.throwIfAborted();
    const { number, head } = pull;
    const known = ledger.find(repository, number, head.sha);
    const isSettled = known !== undefined && known.state !== 'superseded' && known.state !== 'over-cap';
    if (isSettled) continue;
    // Of what was posted before monitor.db was lost only GitHub knows.
    if (!known && (await isReviewed({ repository, pull }, api, ownLogin).catch(explain))) continue;
    const again = ['superseded', 'over-cap'] as const;
    const nowMs = context.clock();
    const reception = ledger.notice({ repository, number, headSha: head.sha, beginMs: nowMs, again });
    if (reception === 'over-cap') break;
    if (reception === 'queued') noticed += 1;
  }
  return { noticed, doubted };
}

async function isReviewed(
  { repository, pull }: { readonly repository: string; readonly pull: PullRequest },
  api: GithubApi,
  ownLogin: string | undefined,
): Promise<boolean> {
  const reviews = ownReviews(await api.reviews({ repository, number: pull.number }), ownLogin);
  return reviews.some(({ body }) => markedHead(body) === pull.head.sha);
}

/** GitHub being away is waited for; anything else it says fails the run. */
function explain(error: unknown): never {
  if (!(error instanceof GithubError)) throw error;
  const isAway = error.status === undefined || error.status >= 500 || error.retryAtMs !== undefined;
  if (isAway) throw new UnreachableError(error.message, error.hint, { cause: error });
  throw new OperatorError(describeError(error), 'Check projects.json and GITHUB_TOKEN.', { cause: error });
}
