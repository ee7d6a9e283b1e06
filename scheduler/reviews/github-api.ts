import { z } from 'zod';
import { OperatorError } from '../../lib/errors.ts';
import { oneLine } from '../../lib/git.ts';
import { type PullRequest, pullRequestSchema } from './pull-request.ts';

/** GitHub did not do what it was asked. */
export class GithubError extends OperatorError {
  /** Undefined if it did not answer. */
  readonly status: number | undefined;
  /** When a limit of requests is lifted, milliseconds since 1970. */
  readonly retryAtMs: number | undefined;

  constructor(message: string, { status, retryAtMs, cause }: Refusal) {
    super(message, hintFor(status), { cause });
    this.status = status;
    this.retryAtMs = retryAtMs;
  }
}

interface Refusal {
  readonly status?: number | undefined;
  readonly retryAtMs?: number | undefined;
  readonly cause?: unknown;
}

const reviewSchema = z.object({
  id: z.int(),
  body: z.string().nullish(),
  user: z.object({ login: z.string() }).nullish(),
  // A review is one without it too.
  html_url: z.string().nullish().catch(undefined),
});
/** A review somebody has posted. */
export type PostedReview = z.infer<typeof reviewSchema>;

/** A change as text, and whether it goes on. */
export interface Diff {
  readonly text: string;
  readonly isCut: boolean;
}

/** What we ask of GitHub; every call throws GithubError, within 15 s. */
export interface GithubApi {
  /** The account of the token; undefined for a token that has none. */
  readonly whoAmI: () => Promise<string | undefined>;
  readonly pull: (place: PullPlace) => Promise<PullRequest>;
  readonly diff: (place: PullPlace) => Promise<Diff>;
  /** Those that are open, the last changed first; 500 at most. */
  readonly openPulls: (repository: string) => Promise<readonly PullRequest[]>;
  /** All reviews, oldest first; 1,000 at most. */
  readonly reviews: (place: PullPlace) => Promise<readonly PostedReview[]>;
  readonly post: (
    place: PullPlace,
    review: { readonly headSha: string; readonly body: string },
  ) => Promise<PostedReview>;
  readonly update: (place: PullPlace, reviewId: number, body: string) => Promise<void>;
}

/** `owner/name` and the number of a pull request. */
export interface PullPlace {
  readonly repository: string;
  readonly number: number;
}

export interface GithubOptions {
  readonly url: string;
  readonly token: string;
  readonly clock: () => number;
  /** Ends every request under way. */
  readonly signal: AbortSignal;
}

const TIMEOUT_MS = 15_000;
const PAGE = 100;
const [MOST_PULL_PAGES, MOST_REVIEW_PAGES] = [5, 10];
const LONGEST_JSON = 20_000_000;
const LONGEST_DIFF = 100_000;
const LONGEST_WAIT_MS = 2 * 3_600_000;
const JSON_FORM = 'application/vnd.github+json';
const DIFF_FORM = 'application/vnd.github.diff';

/** Talks to GitHub's REST API with a token, which is in no error. */
export function createGithubApi(options: GithubOptions): GithubApi {
  const ask = <T>(path: string, schema: z.ZodType<T>, init: Request = {}): Promise<T> =>
    askJson(options, path, schema, init);

  const pages = async <T>(path: string, schema: z.ZodType<T>, most: number): Promise<readonly T[]> => {
    const found: T[] = [];
    for (let page = 1; page <= most; page += 1) {
      const items = await ask(`${path}per_page=${PAGE}&page=${page}`, z.array(z.unknown()));
      // What has another form is none of those looked for.
      for (const item of items) {
        const { success, data } = schema.safeParse(item);
        if (success) found.push(data);
      }
      if (items.length < PAGE) break;
    }
    return found;
  };

  return {
    whoAmI: async () => {
      try {
        return (await ask('/user', z.object({ login: z.string() }))).login;
      } catch (error) {
        // An app's token has no account; a wrong token is told by the next request.
        const isRefused = error instanceof GithubError && error.status !== undefined && error.status < 500;
        if (isRefused && error.retryAtMs === undefined) return undefined;
        throw error;
      }
    },
    pull: (place) => ask(pathOf(place), pullRequestSchema),
    diff: async (place) => {
      const { bytes, isCut } = await request(options, pathOf(place), { accept: DIFF_FORM, longest: LONGEST_DIFF });
      return { text: new TextDecoder().decode(bytes), isCut };
    },
    openPulls: (repository) =>
      pages(
        `/repos/${pathOfRepository(repository)}/pulls?state=open&sort=updated&direction=desc&`,
        pullRequestSchema,
        MOST_PULL_PAGES,
      ),
    reviews: (place) => pages(`${pathOf(place)}/reviews?`, reviewSchema, MOST_REVIEW_PAGES),
    post: async (place, { headSha, body }) => {
      const sent = { event: 'COMMENT', commit_id: headSha, body };
      return await ask(`${pathOf(place)}/reviews`, reviewSchema, { method: 'POST', body: JSON.stringify(sent) });
    },
    update: async (place, reviewId, body) => {
      const path = `${pathOf(place)}/reviews/${reviewId}`;
      await ask(path, z.unknown(), { method: 'PUT', body: JSON.stringify({ body }) });
    },
  };
}

function pathOf({ repository, number }: PullPlace): string {
  return `/repos/${pathOfRepository(repository)}/pulls/${number}`;
}

function pathOfRepository(repository: string): string {
  return repository.split('/').map(encodeURIComponent).join('/');
}

interface Request {
  readonly method?: string;
  readonly body?: string;
  readonly accept?: string;
  /** So many bytes of the answer are read. */
  readonly longest?: number;
}

async function askJson<T>(options: GithubOptions, path: string, schema: z.ZodType<T>, init: Request): Promise<T> {
  const { bytes } = await request(options, path, init);
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    throw new GithubError(`Could not use GitHub's answer to "${path}": it has another form.`, { cause });
  }
}

async function request(
  options: GithubOptions,
  path: string,
  init: Request,
): Promise<{ bytes: Uint8Array; isCut: boolean }> {
  const { method = 'GET', body, accept = JSON_FORM, longest = LONGEST_JSON } = init;
  const attempt = `Could not ask GitHub: ${method} "${path.replace(/\?.*/, '')}"`;
  try {
    const response = await fetch(`${options.url}${path}`, {
      method,
      headers: {
        Accept: accept,
        Authorization: `Bearer ${options.token}`,
        'User-Agent': 'cervellaswarm-monitor',
        'X-GitHub-Api-Version': '2022-11-28',
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.any([options.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const answer = await readUpTo(response, response.ok ? longest : 10_000);
    if (response.ok) return answer;
    const { status, headers } = response;
    throw new GithubError(`${attempt}: ${status}, ${saidIn(answer.bytes)}.`, {
      status,
      retryAtMs: retryAt(status, headers, options.clock()),
    });
  } catch (error) {
    if (error instanceof GithubError) throw error;
    const { cause, message } = error as Error & { cause?: { code?: string } };
    throw new GithubError(`${attempt}: ${cause?.code ?? message}.`, { cause: error });
  }
}

async function readUpTo(response: Response, longest: number): Promise<{ bytes: Uint8Array; isCut: boolean }> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk as Uint8Array);
    length += (chunk as Uint8Array).length;
    // Leaving the loop ends the transfer.
    if (length > longest) break;
  }
  const bytes = Buffer.concat(chunks);
  return { bytes: bytes.subarray(0, longest), isCut: length > longest };
}

/** Of a limit of requests GitHub says when it ends, in one of two ways. */
function retryAt(status: number, headers: Headers, nowMs: number): number | undefined {
  if (status !== 403 && status !== 429) return undefined;
  const after = Number(headers.get('retry-after') ?? Number.NaN);
  const reset = headers.get('x-ratelimit-remaining') === '0' ? Number(headers.get('x-ratelimit-reset')) : Number.NaN;
  const told = Number.isFinite(after) ? nowMs + after * 1_000 : reset * 1_000;
  if (Number.isFinite(told)) return Math.min(Math.max(told, nowMs + 1_000), nowMs + LONGEST_WAIT_MS);
  return status === 429 ? nowMs + 60_000 : undefined;
}

function saidIn(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  try {
    return oneLine(String((JSON.parse(text) as { message?: unknown }).message ?? text), 200).replace(/\.$/, '');
  } catch {
    return oneLine(text, 200) || 'without a word';
  }
}

function hintFor(status: number | undefined): string {
  if (status === 401) return 'Set GITHUB_TOKEN anew: it is wrong, or has expired.';
  if (status === 403 || status === 404)
    return 'Check that GITHUB_TOKEN may read this repository and write its pull requests.';
  return 'It is tried again by itself; see githubstatus.com, and GITHUB_API_URL.';
}
