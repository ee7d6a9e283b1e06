import type { MonitorDb } from '../monitor-db.ts';
import type { PullPlace } from './github-api.ts';

/**
 * Reviews under way whose pull request may be none to review any more. Whoever says so may be late or wrong (deliveries come in
 * any order, and again), so that it is a doubt, and GitHub is asked before anything is cancelled.
 */
export interface Doubts {
  /** Gives how many reviews of a pull request it newly concerns. */
  readonly doubt: (place: PullPlace) => number;
  /** The numbers of a repository's pull requests that have a review on the queue. */
  readonly queuedNumbers: (repository: string) => readonly number[];
}

/** The doubts of a monitor.db. */
export function createDoubts(db: MonitorDb): Doubts {
  return {
    // One that is due now may be on its way to the queue.
    doubt: ({ repository, number }) =>
      db
        .prepare(
          `UPDATE pull_request_reviews SET is_doubted = 1
           WHERE repository = ? AND number = ? AND state IN ('due', 'queued') AND is_doubted = 0`,
        )
        .run(repository, number).changes,
    queuedNumbers: (repository) =>
      db
        .prepare<[string], number>(
          "SELECT DISTINCT number FROM pull_request_reviews WHERE repository = ? AND state = 'queued'",
        )
        .pluck()
        .all(repository),
  };
}
