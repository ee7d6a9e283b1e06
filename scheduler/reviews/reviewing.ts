import type { Tools } from '../tools.ts';
import type { GithubApi } from './github-api.ts';
import type { ReviewLedger } from './review-ledger.ts';

/** What those who have pull requests reviewed work with. */
export interface Reviewing {
  readonly tools: Tools;
  readonly ledger: ReviewLedger;
  readonly api: GithubApi;
  /** What must not be posted. */
  readonly secrets: readonly string[];
  /** The account that posts; undefined for a token that has none. @throws GithubError */
  readonly learnLogin: () => Promise<string | undefined>;
}
