import type { TaskView } from '../../lib/queue/task-view.ts';
import { reasonToIgnore } from './pull-request.ts';
import type { ReviewRow } from './review-ledger.ts';
import type { Reviewing } from './reviewing.ts';

/** A run that has begun is paid for: it may end, and is kept from a closed pull request when it is to be posted. */
const UNBEGUN: readonly TaskView['state'][] = ['waiting', 'delayed', 'needs-approval', 'cancelled'];

/**
 * Asks GitHub about a pull request that may be closed or a draft. True if its review was cancelled, which gives its place in the day
 * back; otherwise the doubt is gone.
 * @throws GithubError, UnreachableError
 */
export async function settleDoubt(
  row: ReviewRow,
  view: TaskView,
  { api, ledger, tools, learnLogin }: Reviewing,
): Promise<boolean> {
  const reason = reasonToIgnore(await api.pull(row), await learnLogin());
  if (reason === undefined || view.progress.runs > 0 || !UNBEGUN.includes(view.state)) {
    ledger.change(row, { isDoubted: false });
    return false;
  }
  const { repository, number } = row;
  await tools.withQueue((queue) => queue.cancel(view.id, `The pull request is not reviewed any more: ${reason}.`));
  ledger.change(row, { state: 'superseded', error: reason });
  ledger.cancelled(view.id, false);
  tools.log.info({ taskId: view.id, repository, number, reason }, 'a pull request is not reviewed any more');
  return true;
}
