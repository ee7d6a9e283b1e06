import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A review that stands on a pull request. */
export interface FakeReview {
  readonly id: number;
  body: string;
  readonly commit_id: string;
  readonly user: { readonly login: string };
  readonly state: string;
  readonly html_url: string;
}

/** A pull request as GitHub tells of it, with what a test does not care about. */
export type FakePull = ReturnType<typeof fakePull>;

/** A server that answers as GitHub's REST API does, as far as reviews need it. */
export interface FakeGithub {
  readonly url: string;
  readonly token: string;
  /** The account of the token. */
  readonly login: string;
  /** By the number of the pull request. */
  readonly pulls: Map<number, FakePull>;
  readonly diffs: Map<number, string>;
  readonly reviews: (number: number) => FakeReview[];
  /** Adds a review of somebody, as from elsewhere. */
  readonly addReview: (number: number, review: { readonly body: string; readonly login: string }) => void;
  /** Every request, such as `POST /repos/acme/app/pulls/1/reviews`. */
  readonly requests: readonly string[];
  /** The next requests whose line matches are answered with this. */
  readonly refuse: (pattern: RegExp, times: number, refusal: Refusal) => void;
  /** Refuses no more. */
  readonly allow: () => void;
}

/** What a request is answered with; `isDone` does what was asked all the same, as when the answer is lost on its way. */
export interface Refusal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly isDone?: boolean;
}

export const REPOSITORY = 'acme/app';
const TOKEN = 'fake-token-of-these-tests';
const LOGIN = 'swarm-reviewer';

/** The id of a commit that begins with some hexadecimal digits. */
export function shaOf(begin: string): string {
  return begin.padEnd(40, '0');
}

/** A pull request of a member, from a branch of the same repository. */
export function fakePull(number: number, head: string, more: Readonly<Record<string, unknown>> = {}) {
  return {
    number,
    state: 'open',
    draft: false,
    title: `Change ${number}`,
    body: 'It changes something.' as string | null,
    user: { login: 'rafa', type: 'User' },
    author_association: 'OWNER',
    head: {
      sha: shaOf(head),
      ref: `change-${number}`,
      repo: { full_name: REPOSITORY } as { full_name: string } | null,
    },
    base: { sha: shaOf('ba5e'), ref: 'main', repo: { full_name: REPOSITORY } },
    ...more,
  };
}

/** Starts the server; it stops when the test ends. */
export async function startFakeGithub(): Promise<FakeGithub> {
  const pulls = new Map<number, FakePull>();
  const diffs = new Map<number, string>();
  const posted = new Map<number, FakeReview[]>();
  const requests: string[] = [];
  const refusals: { readonly pattern: RegExp; times: number; readonly refusal: Refusal }[] = [];
  let ids = 100;
  const reviews = (number: number): FakeReview[] => {
    if (!posted.has(number)) posted.set(number, []);
    return posted.get(number)!;
  };
  const add = (number: number, review: Pick<FakeReview, 'body' | 'commit_id' | 'user'>): FakeReview => {
    ids += 1;
    const page = `https://${host()}/${REPOSITORY}/pull/${number}#pullrequestreview-${ids}`;
    const added = { id: ids, ...review, state: 'COMMENTED', html_url: page };
    reviews(number).push(added);
    return added;
  };
  const addReview: FakeGithub['addReview'] = (number, { body, login }) => {
    add(number, { body, commit_id: shaOf('0'), user: { login } });
  };

  const perform = (request: IncomingMessage, path: string, body: string): Answer => {
    if (path === 'GET /user') return [200, { login: LOGIN }];
    const open = [...pulls.values()].filter(({ state }) => state === 'open');
    if (path === `GET /repos/${REPOSITORY}/pulls`) return pageOf(open, request);
    const [, number, rest = ''] = new RegExp(`^\\w+ /repos/${REPOSITORY}/pulls/(\\d+)(/.*)?$`).exec(path) ?? [];
    const pull = pulls.get(Number(number));
    if (!pull) return NOT_FOUND;
    return request.method === 'GET' ? show(pull, rest, request) : write(pull, `${request.method} ${rest}`, body);
  };

  const show = (pull: FakePull, rest: string, request: IncomingMessage): Answer => {
    if (rest === '/reviews') return pageOf(reviews(pull.number), request);
    if (rest !== '') return NOT_FOUND;
    if (request.headers.accept === 'application/vnd.github.diff') return [200, diffs.get(pull.number) ?? DIFF];
    return [200, pull];
  };

  const write = (pull: FakePull, what: string, text: string): Answer => {
    const { body, commit_id, event } = JSON.parse(text) as { body: string; commit_id?: string; event?: string };
    if (what === 'POST /reviews') {
      if (commit_id !== pull.head.sha || event !== 'COMMENT') return [422, { message: 'Unprocessable Entity' }];
      return [200, add(pull.number, { body, commit_id, user: { login: LOGIN } })];
    }
    const review = reviews(pull.number).find(({ id, user }) => what === `PUT /reviews/${id}` && user.login === LOGIN);
    if (!review) return NOT_FOUND;
    review.body = body;
    return [200, review];
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const path = `${request.method} ${request.url?.replace(/\?.*/, '')}`;
    requests.push(path);
    const refused = refusals.find(({ pattern, times }) => times > 0 && pattern.test(path));
    if (refused) refused.times -= 1;
    const isAllowed = request.headers.authorization === `Bearer ${TOKEN}`;
    const [status, said] = !isAllowed
      ? [401, { message: 'Bad credentials' }]
      : refused && !refused.refusal.isDone
        ? [0, {}]
        : perform(request, path, body);
    const { refusal } = refused ?? {};
    response.writeHead(refusal?.status ?? status, { 'Content-Type': 'application/json', ...refusal?.headers });
    if (refusal) response.end(JSON.stringify({ message: 'Refused by the test' }));
    else response.end(typeof said === 'string' ? said : JSON.stringify(said));
  };
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  const host = (): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return {
    url: `http://${host()}`,
    token: TOKEN,
    login: LOGIN,
    ...{ pulls, diffs, reviews, addReview, requests },
    refuse: (pattern, times, refusal) => void refusals.push({ pattern, times, refusal }),
    allow: () => void refusals.splice(0),
  };
}

type Answer = readonly [status: number, answer: unknown];

const NOT_FOUND: Answer = [404, { message: 'Not Found' }];

function pageOf(items: readonly unknown[], { url = '' }: IncomingMessage): Answer {
  const query = new URL(url, 'http://x').searchParams;
  const [size, page] = [Number(query.get('per_page') ?? 30), Number(query.get('page') ?? 1)];
  return [200, items.slice((page - 1) * size, page * size)];
}

const DIFF = `diff --git a/README.md b/README.md
--- a/README.md
+++ b/README.md
@@ -1 +1,2 @@
 # A project
+A line.
`;
