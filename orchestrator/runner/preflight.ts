import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '../../lib/errors.ts';
import { commitOf, GitError, git } from '../../lib/git.ts';
import { isIgnored, repositoryMark } from './git.ts';

/** A project cannot be worked on as it is. No retry helps until somebody has done what the hint says. */
export class ProjectError extends OperatorError {}

/** What is checked of a project before an agent may spend money on it. */
export interface ProjectCheck {
  readonly name: string;
  readonly path: string;
  /** The least free space on the project's disk, in bytes; 500 MB unless told. */
  readonly minFreeBytes?: number;
}

const DEFAULT_MIN_FREE_BYTES = 500_000_000;

/** Every place below a git folder that work in a worktree writes to; one that is not there yet is made when it is needed. */
const WRITTEN_BY_GIT = ['.', 'objects', 'refs/heads', 'refs/heads/swarm', 'worktrees'];

/**
 * Checks that an agent can work on a project: the folder is there and ours to read and write, it is inside the work tree of
 * a git repository with a commit, and its disk has room. It only looks and writes nothing, so it works on a full disk too.
 * Submodules, Git LFS and sparse checkouts are not looked at.
 * @throws ProjectError with the first thing that is wrong and what to do about it.
 */
export function checkProject(check: ProjectCheck): Promise<void> {
  return createProjectCheck()(check);
}

/** The same for many tasks in turn: git, which takes longest, is asked once for each repository that is sound. */
export function createProjectCheck(): (check: ProjectCheck) => Promise<void> {
  const known = new Map<string, { readonly mark: string; readonly gitDir: string }>();
  return async ({ name, path, minFreeBytes = DEFAULT_MIN_FREE_BYTES }) => {
    const refuse = refusalOf(`Could not use project "${name}" at "${path}"`);
    await checkFolder(path, refuse);
    const mark = await repositoryMark(path);
    const remembered = known.get(path);
    const gitDir = remembered && remembered.mark === mark ? remembered.gitDir : await askGit(path, refuse);
    if (mark !== undefined) known.set(path, { mark, gitDir });
    await checkWritable(gitDir, refuse);
    await checkFreeSpace(path, minFreeBytes, refuse);
  };
}

/** Returns the git folder of the repository. */
async function askGit(path: string, refuse: Refuse): Promise<string> {
  // Asked at the same time, since a task waits for it; of two complaints the first in this order counts.
  const history = checkHistory(path, refuse);
  history.catch(() => undefined);
  const gitDir = await checkRepository(path, refuse);
  await history;
  return gitDir;
}

type Refuse = (reason: string, hint: string, cause?: unknown) => ProjectError;

function refusalOf(attempt: string): Refuse {
  return (reason, hint, cause) => new ProjectError(`${attempt}: ${reason}.`, hint, { cause });
}

async function checkFolder(path: string, refuse: Refuse): Promise<void> {
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') {
      throw refuse('there is no such folder', 'Correct its path in projects.json, or clone it there.', error);
    }
    throw refuse(
      `it cannot be reached (${error.code})`,
      'Let the user of this process in, or correct its path.',
      error,
    );
  });
  if (!stats.isDirectory()) throw refuse('it is not a folder', 'Give the folder of the repository in projects.json.');
  await checkAccess(path, refuse);
}

/** Returns the git folder of the repository, the one that all its worktrees share. */
async function checkRepository(path: string, refuse: Refuse): Promise<string> {
  const questions = ['--is-bare-repository', '--is-inside-work-tree', '--path-format=absolute', '--git-common-dir'];
  const answers = await git(['rev-parse', ...questions], { folder: path }).catch((error: unknown) => {
    throw refusalByGit(error, path, refuse);
  });
  const [, isBare, isInside, gitDir] = /^(\w+)\n(\w+)\n(.*)\n$/s.exec(answers) ?? [];
  if (gitDir !== undefined && isInside === 'true') return gitDir;
  throw isBare === 'true'
    ? refuse('it is a bare repository, without files to work on', 'Clone it, and give the path of the clone.')
    : refuse('it is the inside of a git folder', 'Give the folder that holds the files, not its .git.');
}

function refusalByGit(error: unknown, path: string, refuse: Refuse): unknown {
  if (!(error instanceof GitError)) return error;
  if (error.stderr.includes('dubious ownership')) {
    const top = /repository at '(.*)'/.exec(error.stderr)?.[1] ?? path;
    const hint = `Run as that user: git config --global --add safe.directory "${top}". Or give the folder to the user of this process.`;
    return refuse('it belongs to another user, so git does not trust it (dubious ownership)', hint, error);
  }
  if (error.stderr.includes('not a git repository')) {
    return refuse('it is not a git repository', 'Run git init there and commit, or correct its path.', error);
  }
  return refuse(`git cannot read it: ${error.reason}`, error.hint, error);
}

async function checkWritable(gitDir: string, refuse: Refuse): Promise<void> {
  for (const folder of WRITTEN_BY_GIT) await checkAccess(join(gitDir, folder), refuse);
}

async function checkAccess(folder: string, refuse: Refuse): Promise<void> {
  const { R_OK, W_OK, X_OK } = constants;
  await access(folder, R_OK | W_OK | X_OK).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return;
    const reason = `"${folder}" cannot be read and written by the user of this process (${error.code})`;
    throw refuse(reason, 'Give that user the right to, for example with chown -R; or mount it writable.', error);
  });
}

async function checkHistory(path: string, refuse: Refuse): Promise<void> {
  const place = { folder: path };
  const questions = [commitOf('HEAD', place), commitOf('refs/heads/swarm', place), isIgnored(path)] as const;
  const [head, swarm, ignored] = await Promise.all(questions).catch((error: unknown) => {
    throw refusalByGit(error, path, refuse);
  });
  if (ignored) {
    const hint = 'Run git init there and commit, or correct its path.';
    throw refuse('it is not a git repository itself, and the one around it ignores it', hint);
  }
  if (head === undefined) {
    const hint = 'Commit something there first, since work begins from a commit; or check out a branch that has one.';
    throw refuse('it stands on no commit', hint);
  }
  if (swarm !== undefined) {
    const hint = 'Rename that branch, for example: git branch -m swarm old-swarm.';
    throw refuse('its branch "swarm" leaves no room for branches "swarm/<task>"', hint);
  }
}

async function checkFreeSpace(path: string, minFreeBytes: number, refuse: Refuse): Promise<void> {
  const { bavail, bsize } = await statfs(path);
  const freeBytes = bavail * bsize;
  if (freeBytes >= minFreeBytes) return;
  const reason = `${megabytes(freeBytes)} are free on its disk, expected at least ${megabytes(minFreeBytes)}`;
  throw refuse(reason, 'Free disk space there; old worktrees and Docker images are good places to begin.');
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / 1e6)} MB`;
}
