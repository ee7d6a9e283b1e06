import { readProjects } from '../../lib/projects.ts';
import type { TaskQueue } from '../../lib/queue/task-queue.ts';
import { findProject } from './find-project.ts';
import { reasonToIgnore } from './pull-request.ts';
import type { ReviewRow } from './review-ledger.ts';
import { makeReviewTask } from './review-task.ts';
import type { Reviewing } from './reviewing.ts';

/**
 * Puts the review of a head on the queue, as GitHub has the pull request now: whatever told of it may be old.
 * @throws GithubError, UnreachableError
 */
export async function enqueueReview(row: ReviewRow, reviewing: Reviewing): Promise<void> {
  // Redis first: while it is away, GitHub need not be asked.
  await reviewing.tools.withQueue((queue) => enqueueOn(queue, row, reviewing));
}

async function enqueueOn(
  queue: TaskQueue,
  row: ReviewRow,
  { tools, ledger, api, learnLogin }: Reviewing,
): Promise<void> {
  const { repository, number, headSha, round, beginMs } = row;
  const { settings, log } = tools;
  const project = findProject(readProjects(settings.config.projectsFile), repository);
  const pull = await api.pull(row);
  const reason = project === undefined ? 'its project is gone' : reasonToIgnore(pull, await learnLogin());
  if (project === undefined || reason !== undefined) {
    log.info({ repository, number, reason }, 'a pull request is not reviewed any more');
    ledger.change(row, { state: 'superseded', ...(reason === undefined ? {} : { error: reason }) });
    return;
  }
  if (pull.head.sha !== headSha) {
    ledger.notice({ repository, number, headSha: pull.head.sha, beginMs, again: ['superseded', 'over-cap'] });
    ledger.change(row, { state: 'superseded' });
    return;
  }
  const diff = await api.diff(row);
  const nowMs = tools.clock();
  const task = makeReviewTask({ repository, pull, diff, round, project, settings, nowMs });
  // Noted first, so that whoever makes it superseded knows what to cancel, should we die in between.
  ledger.change(row, { taskId: task.id, isDiffCut: diff.isCut });
  await queue.enqueue(task, Math.max(0, beginMs - nowMs));
  ledger.change(row, { state: 'queued', nextTryMs: nowMs, tries: 0 });
  log.info({ taskId: task.id, repository, number, approval: task.approval }, 'a pull request is to be reviewed');
}
