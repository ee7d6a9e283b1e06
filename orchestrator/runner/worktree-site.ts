import { randomUUID } from 'node:crypto';
import { chmod, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describeError, OperatorError } from '../../lib/errors.ts';
import { commitOf, GitError, git } from '../../lib/git.ts';
import type { Log } from '../../lib/log.ts';
import { deleteTree, entriesOf, isFolder, look, nothingIfGone } from './folders.ts';
import {
  type Changes,
  changesBetween,
  checkOut,
  commitAll,
  detachedAt,
  mergeBase,
  NO_CHANGES,
  type Registration,
  registrationsIn,
} from './git.ts';

/** A file of ours beside what git knows of a worktree, gone with it: the commit its task began from. */
const BASE_NOTE = 'swarm-base';
/** What is being deleted: a worktree leaves its place by one rename, so a killed process leaves none half deleted. */
export const TRASH = '.trash';

/** The place of a worktree, there or not, and the git folder of its repository. */
export interface Site {
  readonly repository: string;
  readonly path: string;
}

/** What the repository knows of a worktree. */
export async function registrationOf({ repository, path }: Site): Promise<Registration | undefined> {
  return (await registrationsIn(repository)).find((each) => each.path === path);
}

/** The branch of the worktree at a path. */
export function branchOf(path: string): string {
  return `swarm/${basename(path)}`;
}

/** The base of a worktree that is whole; undefined if there is none, or if its making was interrupted. */
export async function resume(site: Site): Promise<string | undefined> {
  const registration = await registrationOf(site);
  if (!registration || !(await isFolder(site.path))) return undefined;
  const base = await baseOf(registration);
  if (base === undefined) return undefined;
  await removeLocks(site, registration);
  const link = join(site.path, '.git');
  if (await isFolder(link)) return base;
  await rm(link, { force: true });
  await writeFile(link, `gitdir: ${registration.gitDir}\n`, { flag: 'wx' });
  return base;
}

/** Where the work of a worktree began; undefined if its making was interrupted, so that nobody has worked in it. */
async function baseOf({ gitDir }: Registration): Promise<string | undefined> {
  const note = await readFile(join(gitDir, BASE_NOTE), 'utf8').catch(nothingIfGone);
  return /^[\da-f]{40,64}$/.exec(note ?? '')?.[0];
}

/** Clears away what is in the place of a worktree and is no whole worktree. Files of unknown origin are put aside. */
export async function makeRoom(site: Site, log: Log): Promise<void> {
  const isOurs = (await isFolder(site.path)) && (await registrationOf(site)) !== undefined;
  if (!isOurs && (await look(site.path))) await putAside(site.path, log);
  await remove(site, { withBranch: false, log });
  // Killed even earlier, git leaves a registration that names no folder, and locked, so that it would stay for ever.
  const husk = join(site.repository, 'worktrees', basename(site.path));
  if (!(await look(join(husk, 'gitdir')))?.size) await rm(husk, { recursive: true, force: true });
}

/** Makes it nobody's: `prune` removes it when it is old. An empty folder is what git leaves when it is killed early on. */
async function putAside(path: string, log: Log): Promise<void> {
  if ((await isFolder(path)) && (await entriesOf(path)).length === 0) {
    await rmdir(path);
    return;
  }
  const aside = `${path}.lost-${randomUUID().slice(0, 8)}`;
  await rename(path, aside);
  log.warn({ taskId: basename(path), path: aside }, 'files that belong to no worktree were put aside');
}

/**
 * As few runs of git as it can be done with: each takes longer than all that we do ourselves. The branch comes when all files
 * are there, and the note of the base last: it is the sign of a whole worktree.
 */
export async function create(
  site: Site,
  { projectPath, commit, log }: { projectPath: string; commit: string | undefined; log: Log },
): Promise<string> {
  const project = { folder: projectPath };
  const start = (commit && (await commitOf(commit, project))) ?? 'HEAD';
  await git(['worktree', 'add', '--quiet', '--detach', '--no-checkout', site.path, start], project);
  let isNew = false;
  try {
    const { gitDir } = (await registrationOf(site))!;
    const first = await detachedAt(gitDir);
    const branch = branchOf(site.path);
    isNew = await checkOut(branch, { gitDir, workTree: site.path });
    const base = isNew ? first : await commonBase(await commitOf(`refs/heads/${branch}`, { gitDir }), projectPath);
    if (base === undefined) throw new OperatorError('the project has no commit', 'Check out a branch there.');
    await writeFile(join(gitDir, BASE_NOTE), base, { flush: true });
    return base;
  } catch (error) {
    // A disk that was too small for it is given back what it took.
    await remove(site, { withBranch: isNew, log }).catch((again: unknown) => {
      log.warn({ taskId: basename(site.path), reason: describeError(again) }, 'half a worktree stays');
    });
    throw error;
  }
}

/** Where a branch that was there already left what the project stands on; all of it is new if they never met. */
async function commonBase(tip: string | undefined, projectPath: string): Promise<string | undefined> {
  const project = { folder: projectPath };
  const head = await commitOf('HEAD', project);
  if (tip === undefined || head === undefined) return head;
  return (await mergeBase([tip, head], project)) ?? head;
}

/** Commits what is not committed. */
export async function save(
  site: Site,
  { base, message }: { readonly base: string; readonly message: string },
): Promise<void> {
  if (!(await isFolder(site.path))) return;
  const registration = await registrationOf(site);
  if (!registration) throw unregistered();
  await removeLocks(site, registration);
  const place = { gitDir: registration.gitDir, workTree: site.path };
  await commitAll({ place, branch: branchOf(site.path), base, message });
}

/** What the branch has that its base, or else the project, has not. */
export async function changesOn(site: Site, base: string | undefined): Promise<Changes> {
  const place = { gitDir: site.repository };
  const tip = await commitOf(`refs/heads/${branchOf(site.path)}`, place);
  if (tip === undefined) return NO_CHANGES;
  const since = base ?? (await commitOf('HEAD', place));
  if (since === undefined) throw new OperatorError('the project has no commit', 'Check out a branch there.');
  return changesBetween(since, tip, place);
}

/** Returns false if there is nothing to remove any more. */
export async function saveAndRemove(site: Site, log: Log): Promise<boolean> {
  const registration = await registrationOf(site);
  if (!registration) return false;
  const base = await baseOf(registration);
  if (base !== undefined) await save(site, { base, message: `Left by task ${basename(site.path)}` });
  const { commits } = await changesOn(site, base);
  await remove(site, { withBranch: commits === 0, log });
  return true;
}

/** Removes a worktree, and its branch if it is wanted. */
export async function remove(site: Site, { withBranch, log }: { withBranch: boolean; log: Log }): Promise<void> {
  const place = { gitDir: site.repository };
  if (await isFolder(site.path)) await discard(site.path, log);
  // As git does it, but git refuses where it was killed half way.
  const registration = await registrationOf(site);
  if (registration) await rm(registration.gitDir, { recursive: true, force: true });
  if (!withBranch) return;
  await git(['branch', '--quiet', '-D', branchOf(site.path)], place).catch((error: unknown) => {
    if (error instanceof GitError && /^error: branch .* not found/m.test(error.stderr)) return;
    // Somebody is looking at it in a checkout of their own.
    if (!(error instanceof GitError && /checked out|used by worktree/.test(error.stderr))) throw error;
    log.warn({ taskId: basename(site.path), reason: describeError(error) }, 'an empty branch stays');
  });
}

/** What a killed git of the agent left behind: locks on this worktree and on its branch, which nobody else can hold. */
async function removeLocks({ repository, path }: Site, { gitDir }: Registration): Promise<void> {
  const locks = [
    join(gitDir, 'index.lock'),
    join(gitDir, 'HEAD.lock'),
    join(repository, `refs/heads/${branchOf(path)}.lock`),
  ];
  await Promise.all(locks.map((lock) => rm(lock, { force: true })));
}

/** Takes a folder out of its place at once, and deletes it in its own time. */
export async function discard(path: string, log: Log): Promise<void> {
  const trash = join(dirname(dirname(path)), TRASH, randomUUID());
  await chmod(path, 0o700);
  await rename(path, trash);
  await deleteTree(trash, log);
}

/** For a worktree that its repository has forgotten. */
export function unregistered(): OperatorError {
  return new OperatorError(
    'its repository does not know it any more',
    'Copy from that folder what you need: it stays as it is until it is old.',
  );
}
