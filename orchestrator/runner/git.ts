import { readdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { commitOf, GitError, git, line, oneLine, type Place, unlessNo } from '../../lib/git.ts';

/** For what reads or writes every file of a worktree. */
const LONG_TIMEOUT_MS = 600_000;
const LOCK_PAUSES_MS = [50, 100, 200, 400, 800, 1_600];
/** Longer than git takes from making a small file to filling it, and shorter than we try again. */
const UNFINISHED_MS = 1_500;
const MAX_MESSAGE = 200;

/** The newest commit that two commits have in common; undefined if their histories are strangers. */
export function mergeBase(commits: readonly [string, string], place: Place): Promise<string | undefined> {
  return unlessNo(() => git(['merge-base', ...commits], place));
}

/** Whether the repository around a folder is told to ignore it. */
export async function isIgnored(folder: string): Promise<boolean> {
  return (await unlessNo(() => git(['check-ignore', '--quiet', '.'], { folder }))) !== undefined;
}

/** Runs work that is safe to begin again, up to seven times while another git holds a lock: about 3 s in all. */
export async function retryWhileLocked<T>(work: () => Promise<T>): Promise<T> {
  for (const pauseMs of LOCK_PAUSES_MS) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof GitError && isLocked(error.stderr))) throw error;
      await sleep(pauseMs);
    }
  }
  return work();
}

/**
 * Tells the repository at the top of which a folder is from every other that was or will be there; undefined if it is not at
 * the top of one. As long as it is the same, what git says of where the repository is need not be asked again.
 */
export async function repositoryMark(folder: string): Promise<string | undefined> {
  const stats = await orNothing(stat(join(folder, '.git')));
  return stats && `${stats.dev}:${stats.ino}`;
}

/**
 * Fills a worktree that stands on a commit with its files, and makes a branch there; if there is one of that name, with the
 * files of that. Returns whether the branch is new.
 */
export async function checkOut(
  branch: string,
  place: { readonly gitDir: string; readonly workTree: string },
): Promise<boolean> {
  const how = ['checkout', '--quiet', '--force', '--no-recurse-submodules'];
  try {
    await git([...how, '--no-track', '-b', branch], place, LONG_TIMEOUT_MS);
    return true;
  } catch (error) {
    if (!(error instanceof GitError && /a branch named .* already exists/.test(error.stderr))) throw error;
    await git([...how, branch, '--'], place, LONG_TIMEOUT_MS);
    return false;
  }
}

/** The commit that a worktree on no branch stands on: git notes it in a file, unless the repository keeps its refs elsewhere. */
export async function detachedAt(gitDir: string): Promise<string | undefined> {
  const head = await orNothing(readFile(join(gitDir, 'HEAD'), 'utf8'));
  return /^[\da-f]{40,64}(?=\n$)/.exec(head ?? '')?.[0] ?? (await commitOf('HEAD', { gitDir }));
}

/** What is to be saved: a worktree's files, on which branch, since which commit, and in what words. */
export interface Saving {
  readonly place: { readonly gitDir: string; readonly workTree: string };
  readonly branch: string;
  readonly base: string;
  readonly message: string;
}

/**
 * Commits whatever is not committed, and makes `branch` hold it and everything the worktree stands on. An agent may have
 * left the worktree on another branch, in the middle of a rebase, or may have deleted the branch: only `branch` moves, and
 * it keeps what it had. Plumbing, not `git commit`: it runs no hook, signs nothing and opens no editor.
 * @throws GitError, for example when the disk is full; the files are then as they were.
 */
export async function commitAll({ place, branch, base, message }: Saving): Promise<void> {
  const ref = `refs/heads/${branch}`;
  const [head, old] = [await commitOf('HEAD', place), await commitOf(ref, place)];
  // Looked at first because a look needs no disk space: a full disk is made free again by removing what is clean.
  if (head !== undefined && head === old && (await isClean(place))) return;
  const first = head ?? old ?? base;
  const isWithin = old === undefined || (await mergeBase([old, first], place)) === old;
  await git(['add', '--all'], place, LONG_TIMEOUT_MS);
  const tree = await line(git(['write-tree'], place));
  const isNew = !isWithin || tree !== (await line(git(['rev-parse', `${first}^{tree}`], place)));
  const parents = [first, ...(isWithin ? [] : [old])].flatMap((each) => ['-p', each]);
  const text = oneLine(message, MAX_MESSAGE) || 'Work of an agent';
  const commit = isNew ? await line(git(['commit-tree', tree, ...parents, '-m', text], place)) : first;
  await git(['update-ref', ref, commit, old ?? ''], place);
  await git(['symbolic-ref', 'HEAD', ref], place);
}

/** What a branch has that its base had not. */
export interface Changes {
  readonly commits: number;
  readonly filesChanged: number;
  /** Repositories that were made inside the worktree: git notes that they are there, and saves nothing of what is in them. */
  readonly newRepositories: number;
}

/** Of a branch that is where it began, or is not there. */
export const NO_CHANGES: Changes = { commits: 0, filesChanged: 0, newRepositories: 0 };

/** Compares two commits. */
export async function changesBetween(base: string, tip: string, place: Place): Promise<Changes> {
  if (base === tip) return NO_CHANGES;
  const commits = Number(await git(['rev-list', '--count', `${base}..${tip}`], place));
  const raw = await git(['diff-tree', '-r', '--raw', '-z', '--no-renames', base, tip], place);
  // Two fields a file: its modes and ids, then its name.
  const files = raw.split('\0').filter((field, index) => index % 2 === 0 && field !== '');
  const newRepositories = files.filter((each) => /^:(?!160000)\d+ 160000 /.test(each)).length;
  return { commits, filesChanged: files.length, newRepositories };
}

/** A worktree as its repository knows it. */
export interface Registration {
  readonly path: string;
  /** The folder inside the repository's git folder that holds the worktree's index and HEAD. */
  readonly gitDir: string;
}

/**
 * The worktrees a repository knows, whether their folders are there or not. Read from git's files, since git's own list does
 * not tell `gitDir`, and the `.git` in a worktree is the agent's to spoil.
 */
export async function registrationsIn(repository: string): Promise<readonly Registration[]> {
  const folder = join(repository, 'worktrees');
  const gitDirs = (await orNothing(readdir(folder)))?.map((name) => join(folder, name)) ?? [];
  const links = await Promise.all(gitDirs.map((gitDir) => orNothing(readFile(join(gitDir, 'gitdir'), 'utf8'))));
  return gitDirs.flatMap((gitDir, index) => {
    const link = links[index];
    return link ? [{ gitDir, path: resolve(gitDir, dirname(link)) }] : [];
  });
}

/**
 * Fills in what git writes into every registration, where it was killed before it came to that: with an empty `commondir` in
 * one of them, git refuses to make any worktree. A registration that is being written is a moment old at most.
 */
export async function mendRegistrations(repository: string): Promise<void> {
  for (const { gitDir } of await registrationsIn(repository)) {
    const file = join(gitDir, 'commondir');
    const stats = await orNothing(stat(file));
    if (stats?.size === 0 && Date.now() - stats.mtimeMs > UNFINISHED_MS) await writeFile(file, '../..\n');
  }
}

/** The git folder of the repository that a worktree says it belongs to; undefined if it says nothing that can be read. */
export async function repositoryNamedIn(path: string): Promise<string | undefined> {
  const link = await orNothing(readFile(join(path, '.git'), 'utf8'));
  const named = /^gitdir: (.+?)\n?$/s.exec(link ?? '')?.[1];
  if (named === undefined) return undefined;
  const gitDir = resolve(path, named);
  const common = await orNothing(readFile(join(gitDir, 'commondir'), 'utf8'));
  return common === undefined ? undefined : orNothing(realpath(resolve(gitDir, common.replace(/\n$/, ''))));
}

/** What cannot be read is not there: a repository may be deleted at any moment. */
function orNothing<T>(reading: Promise<T>): Promise<T | undefined> {
  return reading.catch(() => undefined);
}

async function isClean(place: Place): Promise<boolean> {
  return (await git(['status', '--porcelain', '--untracked-files=normal'], place, LONG_TIMEOUT_MS)) === '';
}

function isLocked(stderr: string): boolean {
  return /\.lock': File exists|could not create directory of|failed to read .*commondir/.test(stderr);
}
