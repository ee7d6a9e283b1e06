import { describeError, UnreachableError } from '../../lib/errors.ts';
import type { TaskView } from '../../lib/queue/task-view.ts';
import { enqueueReview } from './enqueue-review.ts';
import { followReview } from './follow-review.ts';
import { GithubError } from './github-api.ts';
import type { ReviewRow } from './review-ledger.ts';
import type { Reviewing } from './reviewing.ts';

/** Has heads reviewed that the ledger holds, from the queue to what stands on GitHub. */
export interface Reviewer {
  /** Does what can be done now; resolves when that is done. Never rejects. */
  readonly work: () => Promise<void>;
  /** The account that posts, as far as it is known. */
  readonly ownLogin: () => string | undefined;
  /** Asks for it. @throws GithubError */
  readonly learnLogin: () => Promise<string | undefined>;
}

export interface ReviewerOptions extends Omit<Reviewing, 'learnLogin'> {
  /** Aborted when the scheduler stops: what is under way is then left as it is. */
  readonly signal: AbortSignal;
}

/** With pauses that double from half a minute to an hour: most of a day. */
const MOST_TRIES = 24;
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [30_000, 3_600_000];
const REDIS_PAUSE_MS = 5_000;
/** The change is too large for GitHub itself, or is gone, or its head is not part of it any more. */
const FINAL_STATUS = [406, 410, 422];

/** A reviewer; passes that are asked for while one is under way become one more after it. */
export function createReviewer({ signal, ...options }: ReviewerOptions): Reviewer {
  const { tools, ledger, api } = options;
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
  const reviewing: Reviewing = { ...options, learnLogin };
  const mustRest = (): boolean => signal.aborted || tools.clock() < pausedUntilMs;

  /** What goes wrong with one review holds up no other. */
  const each = async (rows: readonly ReviewRow[], step: (row: ReviewRow) => Promise<void>): Promise<void> => {
    for (const row of rows) {
      if (mustRest()) return;
      try {
        await step(row);
      } catch (error) {
        if (signal.aborted) return;
        await putOff(row, error);
      }
    }
  };

  const putOff = async (row: ReviewRow, error: unknown): Promise<void> => {
    const { repository, number, taskId } = row;
    const reason = describeError(error);
    const { isCounted, untilMs } = pauseAfter(error, row.tries, tools.clock());
    const tries = row.tries + (isCounted ? 1 : 0);
    if (tries >= MOST_TRIES || isFinal(error)) {
      log.error({ repository, number, taskId, reason }, 'a review cannot be done');
      ledger.change(row, { state: 'refused', error: reason, tries });
      await tell(row, reason);
      return;
    }
    log.warn({ repository, number, taskId, reason }, 'a review has to wait');
    if (error instanceof GithubError && error.retryAtMs !== undefined) pausedUntilMs = error.retryAtMs;
    ledger.change(row, { error: reason, tries, nextTryMs: untilMs });
  };

  const tell = async ({ repository, number, headSha }: ReviewRow, reason: string): Promise<void> => {
    const key = `review-refused-${headSha.slice(0, 20)}-${number}`;
    await tools
      .notify({ kind: 'review-refused', key, facts: { repository, number, reason } })
      .catch((error: unknown) => log.warn({ reason: describeError(error) }, 'a refused review could not be told'));
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

  const followOpen = async (): Promise<void> => {
    const open = ledger.open();
    if (open.length === 0) return;
    const views = new Map<string | null, TaskView | undefined>();
    await tools.withQueue(async (queue) => {
      for (const { taskId } of open) if (taskId !== null) views.set(taskId, await queue.show(taskId));
    });
    await each(open, (row) => followReview(row, views.get(row.taskId), reviewing));
  };

  const pass = async (): Promise<void> => {
    try {
      if (mustRest()) return;
      await cancelSuperseded();
      await each(ledger.due(), (row) => enqueueReview(row, reviewing));
      await followOpen();
    } catch (error) {
      log.warn({ reason: describeError(error) }, 'reviews have to wait');
    }
  };

  return {
    learnLogin,
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

/** What no further try would mend. */
function isFinal(error: unknown): boolean {
  return error instanceof GithubError && FINAL_STATUS.includes(error.status ?? 0);
}

/** Until when to wait, and whether that uses up a try: a Redis that is away does not, nor does a limit of requests. */
function pauseAfter(
  error: unknown,
  tries: number,
  nowMs: number,
): { readonly isCounted: boolean; readonly untilMs: number } {
  if (error instanceof UnreachableError) return { isCounted: false, untilMs: nowMs + REDIS_PAUSE_MS };
  const retryAtMs = error instanceof GithubError ? error.retryAtMs : undefined;
  if (retryAtMs !== undefined) return { isCounted: false, untilMs: retryAtMs };
  return { isCounted: true, untilMs: nowMs + Math.min(FIRST_PAUSE_MS * 2 ** tries, LONGEST_PAUSE_MS) };
}
