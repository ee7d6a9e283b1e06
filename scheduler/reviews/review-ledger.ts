import { Temporal } from 'temporal-polyfill';
import { utc } from '../ledger.ts';
import type { MonitorDb } from '../monitor-db.ts';
import { createDoubts, type Doubts } from './doubts.ts';

export type ReviewState = 'due' | 'queued' | 'posted' | 'over-cap' | 'superseded' | 'failed' | 'refused';

/** The head of a pull request that is to be reviewed, or was. */
export interface ReviewRow {
  readonly repository: string;
  readonly number: number;
  readonly headSha: string;
  readonly state: ReviewState;
  readonly round: number;
  /** Not before: another push may come. */
  readonly beginMs: number;
  readonly tries: number;
  readonly taskId: string | null;
  readonly isDiffCut: boolean;
  /** Whether its pull request may be closed or a draft by now. */
  readonly isDoubted: boolean;
}

/** A head that somebody noticed. */
export interface Noticed {
  readonly repository: string;
  readonly number: number;
  readonly headSha: string;
  readonly beginMs: number;
  /** The delivery that told of it. */
  readonly delivery?: { readonly id: string; readonly action: string };
  /** In which of these states a head that is known already is reviewed once more. */
  readonly again: readonly ReviewState[];
}

/** What becomes of a head that was noticed. */
export type Reception = 'queued' | 'duplicate' | 'over-cap';

/** Which heads are to be reviewed and how far that is: on disk before anybody is told so. */
export interface ReviewLedger extends Doubts {
  /** Writes a head down; older heads of the same pull request are not reviewed any more. */
  readonly notice: (noticed: Noticed) => Reception;
  /** Of what is known of a head. */
  readonly find: (repository: string, number: number, headSha: string) => ReviewRow | undefined;
  /** Those to be queued now. */
  readonly due: () => readonly ReviewRow[];
  /** Those whose task is to be looked at now. */
  readonly open: () => readonly ReviewRow[];
  /** Tasks to be cancelled. */
  readonly cancellations: () => readonly string[];
  /** A task is cancelled; one that never ran takes nothing of its day. */
  readonly cancelled: (taskId: string, hasRun: boolean) => void;
  readonly change: (row: ReviewRow, change: Change) => void;
}

/** What changes of a head. */
export interface Change {
  readonly state?: ReviewState;
  readonly taskId?: string;
  readonly isDiffCut?: boolean;
  readonly isDoubted?: boolean;
  readonly reviewId?: number;
  readonly reviewUrl?: string;
  readonly error?: string;
  readonly nextTryMs?: number;
  readonly tries?: number;
  readonly round?: number;
}

export interface ReviewLedgerOptions {
  readonly db: MonitorDb;
  readonly clock: () => number;
  readonly timezone: string;
  readonly perDay: number;
}

const AT_ONCE = 20;
const DAY_MS = 86_400_000;
/** A delivery can be sent again for 3 days. */
const DELIVERIES_KEPT_MS = 30 * DAY_MS;
const REVIEWS_KEPT_MS = 400 * DAY_MS;
/** So long a task that failed can be tried again by a person, and its review still be posted. */
const FAILED_WATCHED_MS = 7 * DAY_MS;

interface StoredRow extends Omit<ReviewRow, 'beginMs' | 'isDiffCut' | 'isDoubted'> {
  readonly begin: string;
  readonly cut: number;
  readonly doubted: number;
}

const COLUMNS = `repository, number, head_sha AS headSha, state, round, begin_at AS begin, tries, task_id AS taskId,
  is_diff_cut AS cut, is_doubted AS doubted`;
const ONE = 'repository = @repository AND number = @number AND head_sha = @headSha';

/** The ledger of reviews in a monitor.db. */
export function createReviewLedger({ db, clock, timezone, perDay }: ReviewLedgerOptions): ReviewLedger {
  const read = (where: string, values: Readonly<Record<string, string | number>>): readonly ReviewRow[] =>
    db
      .prepare<[typeof values], StoredRow>(`SELECT ${COLUMNS} FROM pull_request_reviews WHERE ${where}`)
      .all(values)
      .map(toRow);

  const find: ReviewLedger['find'] = (repository, number, headSha) => read(ONE, { repository, number, headSha })[0];

  const notice = db.transaction((noticed: Noticed): Reception => {
    const { repository, number, headSha, delivery, again } = noticed;
    if (delivery && !noteDelivery(db, noticed, clock())) return 'duplicate';
    const known = find(repository, number, headSha);
    if (known && !again.includes(known.state)) return 'duplicate';
    supersedeOthers(db, noticed, utc(clock()));
    const day = localDay(clock(), timezone);
    const isOver = countOf(db, day) >= perDay;
    db.prepare(
      `INSERT INTO pull_request_reviews
         (repository, number, head_sha, state, noticed_at, begin_at, next_try_at, counted_day, changed_at)
       VALUES (@repository, @number, @headSha, @state, @now, @begin, @now, @day, @now)
       ON CONFLICT DO UPDATE SET state = @state, begin_at = @begin, next_try_at = @now, counted_day = @day, changed_at = @now,
         tries = 0, error = NULL, is_doubted = 0, task_id = NULL, review_id = NULL, review_url = NULL,
         round = round + (task_id IS NOT NULL)`,
    ).run({
      repository,
      number,
      headSha,
      state: isOver ? 'over-cap' : 'due',
      now: utc(clock()),
      begin: utc(noticed.beginMs),
      day: isOver ? null : day,
    });
    return isOver ? 'over-cap' : 'queued';
  });

  return {
    ...createDoubts(db),
    find,
    notice: (noticed) => notice.immediate(noticed),
    due: () =>
      read(`state = 'due' AND next_try_at <= @now ORDER BY noticed_at LIMIT ${AT_ONCE}`, { now: utc(clock()) }),
    open: () =>
      read(
        `task_id IS NOT NULL AND next_try_at <= @now
           AND (state = 'queued' OR (state = 'failed' AND changed_at > @since)) ORDER BY noticed_at`,
        { now: utc(clock()), since: utc(clock() - FAILED_WATCHED_MS) },
      ),
    cancellations: () => db.prepare<[], string>('SELECT task_id FROM review_cancellations').pluck().all(),
    cancelled: db.transaction((taskId: string, hasRun: boolean): void => {
      db.prepare('DELETE FROM review_cancellations WHERE task_id = ?').run(taskId);
      if (hasRun) return;
      db.prepare("UPDATE pull_request_reviews SET counted_day = NULL WHERE task_id = ? AND state = 'superseded'").run(
        taskId,
      );
    }),
    change: ({ repository, number, headSha }, { isDiffCut, isDoubted, nextTryMs, ...change }) => {
      // A newer head may have come meanwhile: what is superseded stays so.
      db.prepare(
        `UPDATE pull_request_reviews SET state = coalesce(@state, state), task_id = coalesce(@taskId, task_id),
           is_diff_cut = coalesce(@cut, is_diff_cut), is_doubted = coalesce(@doubted, is_doubted),
           review_id = coalesce(@reviewId, review_id), review_url = coalesce(@reviewUrl, review_url), error = @error,
           next_try_at = coalesce(@next, next_try_at), tries = coalesce(@tries, tries), round = coalesce(@round, round),
           counted_day = iif(@state = 'superseded' AND task_id IS NULL, NULL, counted_day), changed_at = @now
         WHERE ${ONE} AND state <> 'superseded'`,
      ).run({
        ...{ state: null, taskId: null, reviewId: null, reviewUrl: null, error: null, tries: null, round: null },
        ...change,
        ...{ repository, number, headSha, now: utc(clock()) },
        cut: isDiffCut === undefined ? null : Number(isDiffCut),
        doubted: isDoubted === undefined ? null : Number(isDoubted),
        next: nextTryMs === undefined ? null : utc(nextTryMs),
      });
    },
  };
}

function toRow({ begin, cut, doubted, ...row }: StoredRow): ReviewRow {
  return { ...row, beginMs: Date.parse(begin), isDiffCut: cut === 1, isDoubted: doubted === 1 };
}

/** False if it was there already. What is older than anybody can send again goes. */
function noteDelivery(db: MonitorDb, { repository, number, headSha, delivery }: Noticed, nowMs: number): boolean {
  db.prepare('DELETE FROM github_deliveries WHERE received_at < ?').run(utc(nowMs - DELIVERIES_KEPT_MS));
  db.prepare('DELETE FROM pull_request_reviews WHERE changed_at < ?').run(utc(nowMs - REVIEWS_KEPT_MS));
  const added = db
    .prepare('INSERT OR IGNORE INTO github_deliveries VALUES (?, ?, ?, ?, ?, ?)')
    .run(delivery?.id, utc(nowMs), delivery?.action, repository, number, headSha);
  return added.changes === 1;
}

/** Only the newest head is worth its money. What was not queued yet gives back its place in the day. */
function supersedeOthers(db: MonitorDb, { repository, number, headSha }: Noticed, now: string): void {
  const others = `repository = @repository AND number = @number AND head_sha <> @headSha
    AND state IN ('due', 'queued', 'over-cap', 'failed', 'refused')`;
  const values = { repository, number, headSha };
  db.prepare(
    `INSERT OR IGNORE INTO review_cancellations
       SELECT task_id FROM pull_request_reviews WHERE ${others} AND state IN ('due', 'queued') AND task_id IS NOT NULL`,
  ).run(values);
  db.prepare(
    `UPDATE pull_request_reviews SET state = 'superseded', changed_at = @now,
       counted_day = iif(task_id IS NULL, NULL, counted_day) WHERE ${others}`,
  ).run({ ...values, now });
}

function countOf(db: MonitorDb, day: string): number {
  const sql = 'SELECT count(*) FROM pull_request_reviews WHERE counted_day = ?';
  return db.prepare<[string], number>(sql).pluck().get(day) ?? 0;
}

/** The day on the calendar at a moment, such as 2026-11-25. */
export function localDay(ms: number, timezone: string): string {
  return Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timezone).toPlainDate().toString();
}
