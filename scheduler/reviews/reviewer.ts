import { describeError, OperatorError, UnreachableError } from '../../lib/errors.ts';
import { type Project, readProjects } from '../../lib/projects.ts';
import type { ReviewAnswer } from '../../lib/queue/review.ts';
import type { TaskView } from '../../lib/queue/task-view.ts';
import type { Tools } from '../tools.ts';
import { type GithubApi, GithubError } from './github-api.ts';
import { publishReview } from './publish-review.ts';
import { reasonToIgnore } from './pull-request.ts';
import type { ReviewLedger, ReviewRow } from './review-ledger.ts';
import { makeReviewTask } from './review-task.ts';

/** Has heads reviewed that the ledger holds, from the queue to what stands on GitHub. */
export interface Reviewer {
  /** Does what can be done now; resolves when that is done. Never rejects. */
  readonly work: () => Promise<void>;
  /** The account that posts, as far as it is known. */
  readonly ownLogin: () => string | undefined;
}

export interface ReviewerOptions {
  readonly tools: Tools;
  readonly ledger: ReviewLedger;
  readonly api: GithubApi;
  /** What must not be posted. */
  readonly secrets: readonly string[];
  /** Aborted when the scheduler stops: what is under way is then left as it is. */
  readonly signal: AbortSignal;
}

/** With pauses that double from half a minute to an hour: most of a day. */
const MOST_TRIES = 24;
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [30_000, 3_600_000];
const REDIS_PAUSE_MS = 5_000;

/** The project that a repository belongs to; GitHub does not mind capitals. */
export function findProject(projects: ReadonlyMap<string, Project>, repository: string): Project | undefined {
  const wanted = repository.toLowerCase();
  return [...projects.values()].find((project) => project.repository?.toLowerCase() === wanted);
}

/** A reviewer; passes that are asked for while one is under way become one more after it. */
export function createReviewer(options: ReviewerOptions): Reviewer {
  const { tools, ledger, api, signal } = options;
  const { log } = tools;
  let login: { readonly known: string | undefined } | undefined;
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  /** A limit of requests is for all of them. */
  let pausedUntilMs = 0;

  const learnLogin = async (): Promise<string | undefined> => {
    login ??= { known: await api.whoAmI() };
    return login.known;
  };

  /** What goes wrong with one review holds up no other. */
  const each = async (rows: readonly ReviewRow[], step: (row: ReviewRow) => Promise<void>): Promise<void> => {
    for (const row of rows) {
      if (signal.aborted || tools.clock() < pausedUntilMs) return;
      try {
        await step(row);
      } catch (error) {
        if (signal.aborted) return;
        await putOff(row, error);
      }
    }
  };

  const putOff = async (row: ReviewRow, error: unknown): Promise<void> => {
    const reason = describeError(error);
    const nowMs = tools.clock();
    const isUncounted =
      error instanceof UnreachableError || (error instanceof GithubError && error.retryAtMs !== undefined);
    const tries = row.tries + (isUncounted ? 0 : 1);
    const facts = { repository: row.repository, number: row.number, taskId: row.taskId, reason };
    if (tries >= MOST_TRIES || isFinal(error)) {
      log.error(facts, 'a review cannot be done');
      ledger.change(row, { state: 'refused', error: reason, tries });
      await tell(row, reason);
      return;
    }
    log.warn(facts, 'a review has to wait');
    if (error instanceof GithubError && error.retryAtMs !== undefined) pausedUntilMs = error.retryAtMs;
    ledger.change(row, { error: reason, tries, nextTryMs: nextTryMs(error, tries, nowMs) });
  };

  const tell = async ({ repository, number, headSha }: ReviewRow, reason: string): Promise<void> => {
    const key = `review-refused-${headSha.slice(0, 20)}-${number}`;
    const facts = { repository, number, reason };
    await tools.notify({ kind: 'review-refused', key, facts }).catch((error: unknown) => {
      log.warn({ reason: describeError(error) }, 'a refused review could not be told');
    });
  };

  const enqueue = async (row: ReviewRow): Promise<void> => {
    const { repository, number, headSha, round } = row;
    const project = findProject(readProjects(tools.settings.config.projectsFile), repository);
    const pull = await api.pull(row);
    const reason = project === undefined ? 'its project is gone' : reasonToIgnore(pull, await learnLogin());
    if (project === undefined || reason !== undefined) {
      log.info({ repository, number, reason }, 'a pull request is not reviewed any more');
      return ledger.change(row, { state: 'superseded', ...(reason === undefined ? {} : { error: reason }) });
    }
    if (pull.head.sha !== headSha) {
      const { beginMs } = row;
      ledger.notice({ repository, number, headSha: pull.head.sha, beginMs, again: ['superseded', 'over-cap'] });
      return ledger.change(row, { state: 'superseded' });
    }
    const diff = await api.diff(row);
    const nowMs = tools.clock();
    const task = makeReviewTask({ repository, pull, diff, round, project, settings: tools.settings, nowMs });
    // Noted first, so that whoever makes it superseded knows what to cancel, should we die in between.
    ledger.change(row, { taskId: task.id, isDiffCut: diff.isCut });
    await tools.withQueue((queue) => queue.enqueue(task, Math.max(0, row.beginMs - nowMs)));
    ledger.change(row, { state: 'queued', nextTryMs: nowMs, tries: 0 });
    log.info({ taskId: task.id, repository, number, approval: task.approval }, 'a pull request is to be reviewed');
  };

  /** Looks at the tasks of all that are open over one connection. */
  const readTasks = async (rows: readonly ReviewRow[]): Promise<ReadonlyMap<string, TaskView | undefined>> =>
    await tools.withQueue(async (queue) => {
      const views = new Map<string, TaskView | undefined>();
      for (const { taskId } of rows) if (taskId !== null) views.set(taskId, await queue.show(taskId));
      return views;
    });

  const follow = async (row: ReviewRow, view: TaskView | undefined): Promise<void> => {
    const { taskId } = row;
    if (view === undefined) {
      // Redis has lost it, or forgotten a failure of long ago.
      if (row.state === 'failed') return;
      const round = row.round + 1;
      ledger.change(row, { state: 'due', round, tries: row.tries + 1, error: 'the queue has lost it' });
      return;
    }
    const { state, end, error } = view;
    if (state === 'failed' || state === 'cancelled') {
      if (row.state === 'failed') return;
      log.warn({ taskId, repository: row.repository, number: row.number, reason: error }, 'a review has failed');
      ledger.change(row, { state: 'failed', error: error ?? state });
    } else if (state === 'completed') {
      await publish(row, end?.answer);
    } else if (row.state === 'failed') {
      // Somebody has it tried again.
      ledger.change(row, { state: 'queued' });
    }
  };

  const publish = async (row: ReviewRow, answer: ReviewAnswer | undefined): Promise<void> => {
    if (answer === undefined) return ledger.change(row, { state: 'failed', error: 'its agent gave no answer' });
    const { repository, number, taskId } = row;
    const { language } = tools.settings.config;
    const { reviewId, how, removed } = await publishReview(
      { row, answer, language, secrets: options.secrets, ownLogin: await learnLogin() },
      api,
    );
    for (let count = 0; count < removed; count += 1) tools.counters.add('securityEvents', { kind: 'secret-scrubbed' });
    if (removed > 0) log.error({ taskId, repository, number, removed }, 'a secret was scrubbed from a review');
    ledger.change(row, { state: 'posted', reviewId });
    log.info({ taskId, repository, number, reviewId, how }, 'a review is on GitHub');
  };

  const cancelSuperseded = async (): Promise<void> => {
    const ids = ledger.cancellations();
    if (ids.length === 0) return;
    await tools.withQueue(async (queue) => {
      for (const id of ids) {
        const view = await queue.show(id);
        if (view) await queue.cancel(id, 'A newer head of the pull request is reviewed.');
        ledger.cancelled(id, view !== undefined && view.progress.runs > 0);
      }
    });
  };

  const pass = async (): Promise<void> => {
    try {
      if (signal.aborted || tools.clock() < pausedUntilMs) return;
      await cancelSuperseded();
      await each(ledger.due(), enqueue);
      const open = ledger.open();
      if (open.length === 0) return;
      const views = await readTasks(open);
      await each(open, (row) => follow(row, views.get(row.taskId ?? '')));
    } catch (error) {
      log.warn({ reason: describeError(error) }, 'reviews have to wait');
    }
  };

  return {
    ownLogin: () => login?.known,
    work: () => {
      next ??= running.then(() => {
        next = undefined;
        running = pass();
        return running;
      });
      return next;
    },
  };
}

/** What no further try would mend: the change is too large for GitHub itself, or the head is not in the pull request any more. */
function isFinal(error: unknown): boolean {
  if (error instanceof GithubError) return [406, 410, 422].includes(error.status ?? 0);
  return error instanceof OperatorError && !(error instanceof UnreachableError) && error.name === 'UsageError';
}

function nextTryMs(error: unknown, tries: number, nowMs: number): number {
  if (error instanceof UnreachableError) return nowMs + REDIS_PAUSE_MS;
  if (error instanceof GithubError && error.retryAtMs !== undefined) return error.retryAtMs;
  return nowMs + Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS);
}
