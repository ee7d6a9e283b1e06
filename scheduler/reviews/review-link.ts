import type { MonitorDb } from '../monitor-db.ts';

const LONGEST_LINK = 500;
/** GitHub's own API has a name of its own beside its pages; a server of one's own has both under one. */
const API_NAME = /^api\.(?=github\.com$|[\w-]+\.ghe\.com$)/;

/** The page of the review that a task led to; undefined until one is posted, and where its address is not to be trusted. */
export function readReviewLink(db: MonitorDb, taskId: string, githubApiUrl: string): string | undefined {
  const url = db
    .prepare<[string], string | null>(
      "SELECT review_url FROM pull_request_reviews WHERE task_id = ? AND state = 'posted'",
    )
    .pluck()
    .get(taskId);
  return url ? trustedLink(url, githubApiUrl) : undefined;
}

/** An address, if it leads to where people read what this API has, over TLS; undefined otherwise. */
export function trustedLink(url: string, githubApiUrl: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, host, username, password, href } = new URL(url);
  const isOurs = host === new URL(githubApiUrl).host.replace(API_NAME, '');
  const isPlain = protocol === 'https:' && username === '' && password === '' && href.length <= LONGEST_LINK;
  return isOurs && isPlain ? href : undefined;
}
