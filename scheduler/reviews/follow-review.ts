import type { ReviewAnswer } from '../../lib/queue/review.ts';
import type { TaskView } from '../../lib/queue/task-view.ts';
import { publishReview } from './publish-review.ts';
import type { ReviewRow } from './review-ledger.ts';
import type { Reviewing } from './reviewing.ts';
import { settleDoubt } from './settle-doubt.ts';

/**
 * Does what follows from how the task of a review stands; `view` is undefined if the queue does not know it.
 * @throws GithubError, UnreachableError
 */
export async function followReview(row: ReviewRow, view: TaskView | undefined, reviewing: Reviewing): Promise<void> {
  const { ledger, tools } = reviewing;
  const hasFailed = row.state === 'failed';
  if (row.isDoubted && view !== undefined && (await settleDoubt(row, view, reviewing))) return;
  if (view === undefined) {
    // Redis has lost it, and its costs with it; a failure of long ago it may just have forgotten.
    const lost = { state: 'due', round: row.round + 1, tries: row.tries + 1, error: 'the queue has lost it' } as const;
    if (!hasFailed) ledger.change(row, lost);
  } else if (view.state === 'completed') {
    await publish(row, view.end?.answer, reviewing);
  } else if (view.state === 'failed' || view.state === 'cancelled') {
    if (hasFailed) return;
    const reason = view.error ?? view.state;
    tools.log.warn(
      { taskId: row.taskId, repository: row.repository, number: row.number, reason },
      'a review has failed',
    );
    ledger.change(row, { state: 'failed', error: reason });
  } else if (hasFailed) {
    // Somebody has it tried again.
    ledger.change(row, { state: 'queued' });
  }
}

async function publish(row: ReviewRow, answer: ReviewAnswer | undefined, reviewing: Reviewing): Promise<void> {
  const { ledger, tools, api, secrets } = reviewing;
  const { repository, number, taskId } = row;
  if (answer === undefined) {
    ledger.change(row, { state: 'failed', error: 'its agent gave no answer' });
    return;
  }
  if ((await api.pull(row)).state !== 'open') {
    ledger.change(row, { state: 'superseded', error: 'it was closed while it was reviewed' });
    tools.log.info({ taskId, repository, number }, 'a review is not posted: the pull request is closed');
    return;
  }
  const { language } = tools.settings.config;
  const ownLogin = await reviewing.learnLogin();
  const published = await publishReview({ row, answer, language, secrets, ownLogin }, api);
  const { reviewId, reviewUrl, how, removed } = published;
  for (let count = 0; count < removed; count += 1) tools.counters.add('securityEvents', { kind: 'secret-scrubbed' });
  if (removed > 0) tools.log.error({ taskId, repository, number, removed }, 'a secret was scrubbed from a review');
  ledger.change(row, { state: 'posted', reviewId, ...(reviewUrl === undefined ? {} : { reviewUrl }) });
  tools.log.info({ taskId, repository, number, reviewId, how }, 'a review is on GitHub');
}
