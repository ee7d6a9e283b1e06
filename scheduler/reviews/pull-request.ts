import { z } from 'zod';

const MEMBERS = new Set(['OWNER', 'MEMBER', 'COLLABORATOR']);

const sha = z.string().regex(/^[\da-f]{40}([\da-f]{24})?$/);
const text = (length: number) =>
  z
    .string()
    .nullish()
    .transform((value) => (value ?? '').slice(0, length));
const repository = z.object({ full_name: z.string().max(200) }).nullish();

/**
 * A pull request as GitHub tells of it, in a webhook as in its API. What may be missing reads as what asks for more care: an
 * author nobody knows, a branch of somebody else's repository.
 */
export const pullRequestSchema = z.object({
  number: z.int().min(1).max(1_000_000_000),
  state: z.string().max(20).default('open'),
  draft: z
    .boolean()
    .nullish()
    .transform((value) => value ?? false),
  title: text(300),
  body: text(5_000),
  user: z
    .object({ login: z.string().max(100), type: text(20) })
    .nullish()
    .transform((value) => value ?? { login: '', type: '' }),
  author_association: text(30),
  head: z.object({ sha, ref: text(250), repo: repository }),
  base: z.object({ sha: sha.optional().catch(undefined), ref: text(250), repo: repository }),
});
export type PullRequest = z.infer<typeof pullRequestSchema>;

/** Why a pull request is not reviewed; undefined if it is. `ownLogin` is the account that posts reviews, as far as known. */
export function reasonToIgnore(pull: PullRequest, ownLogin: string | undefined): string | undefined {
  const { login, type } = pull.user;
  if (pull.state !== 'open') return 'it is not open';
  if (pull.draft) return 'it is a draft';
  if (type === 'Bot' || login.endsWith('[bot]')) return 'it is a bot’s';
  if (ownLogin !== undefined && login.toLowerCase() === ownLogin.toLowerCase()) return 'it is our own';
  return undefined;
}

/** Whether a person has to say yes first: its branch is in another repository, or its author is not known there. */
export function needsApproval(pull: PullRequest, repositoryName: string): boolean {
  const isFork = pull.head.repo?.full_name.toLowerCase() !== repositoryName.toLowerCase();
  return isFork || !MEMBERS.has(pull.author_association);
}
