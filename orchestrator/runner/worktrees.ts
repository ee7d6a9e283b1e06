import { createHash } from 'node:crypto';
import { mkdir, realpath, utimes } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { describeError, OperatorError } from '../../lib/errors.ts';
import { GitError, git } from '../../lib/git.ts';
import type { Log } from '../../lib/log.ts';
import { bytesOf, deleteTree, entriesOf, isFolder, look, nothingIfGone } from './folders.ts';
import { mendRegistrations, registrationsIn, repositoryMark, repositoryNamedIn, retryWhileLocked } from './git.ts';
import {
  branchOf,
  changesOn,
  create,
  discard,
  makeRoom,
  registrationOf,
  remove,
  resume,
  save,
  saveAndRemove,
  TRASH,
  unregistered,
} from './worktree-site.ts';

/** Where one task works. */
export interface Worktree {
  /** The folder, with every link resolved: `<root>/<project>/<taskId>`. */
  readonly path: string;
  /** `swarm/<taskId>`. */
  readonly branch: string;
  /** The commit the task began from. */
  readonly baseCommit: string;
}

/** Which task works on what. */
export interface Opening {
  readonly taskId: string;
  readonly project: { readonly name: string; readonly path: string };
  /** The commit to begin from, if the repository has it; without it, the one the project stands on. */
  readonly commit?: string | undefined;
}

/** How a task ended. */
export interface Closing {
  readonly worktree: Worktree;
  readonly outcome: 'done' | 'failed';
  /** Of the commit that holds what the agent left uncommitted; cut to 200 characters. */
  readonly message: string;
}

/** What a task left; `branch` is undefined if that is nothing. */
export interface ClosedWorktree {
  readonly branch: string | undefined;
  readonly commits: number;
  readonly filesChanged: number;
}

/** How much is kept for people to look at. */
export interface WorktreeLimits {
  readonly keepFailedMs: number;
  readonly maxCount: number;
  readonly maxBytes: number;
}

/** Whose worktrees are not touched: tasks that run, wait for another attempt, or are about to be opened. */
export interface Pruning {
  readonly isInUse: (taskId: string) => boolean;
}

/** How many worktrees went, and the disk space in bytes of those that stay. */
export interface Pruned {
  readonly removed: number;
  readonly keptBytes: number;
}

/** What worktrees need to know. */
export interface WorktreesOptions {
  /** The folder that holds them all, and nothing else. */
  readonly root: string;
  readonly log: Log;
  readonly limits?: WorktreeLimits;
  readonly nowMs?: () => number;
}

/** Opens, closes, finds and prunes worktrees. */
export type Worktrees = ReturnType<typeof createWorktrees>;

/** Seven days, twenty worktrees, 5 GB. */
export const DEFAULT_WORKTREE_LIMITS: WorktreeLimits = {
  keepFailedMs: 7 * 86_400_000,
  maxCount: 20,
  maxBytes: 5_000_000_000,
};

const TASK_ID = /^[\w-]{1,64}$/;

/** What `prune` finds: `repository` is undefined for a folder that belongs to none. */
interface Kept {
  readonly path: string;
  readonly repository: string | undefined;
  readonly usedMs: number;
  readonly bytes: number;
}

/**
 * Gives each task a git worktree of its own, on a branch of its own, and clears up after it. The project's own files, its
 * index and its branches are never touched, nothing is pushed, and no hook of the project runs.
 *
 * What git ignores (`.env`, `node_modules`) is neither in a worktree nor saved from it. Submodules stay empty; Git LFS and
 * sparse checkouts are left to git's own settings. Of a project that is a folder inside a repository, a worktree has the
 * whole repository.
 *
 * Nobody may work in a worktree while it is opened, closed or pruned. Work on one repository is done in turn within this
 * process, and tried again for about 3 s while another process holds git's locks.
 */
export function createWorktrees({ root, log, limits = DEFAULT_WORKTREE_LIMITS, nowMs = Date.now }: WorktreesOptions) {
  const inTurn = createTurns();
  /** The repository of each worktree this process opened: an agent can spoil what its own folder says. */
  const repositories = new Map<string, string>();
  /** The repositories of projects, as long as they are the same. */
  const known: KnownRepositories = new Map();
  /** A folder's own modification time is when it was last used. */
  const markUsed = (path: string): Promise<void> => utimes(path, nowMs() / 1_000, nowMs() / 1_000);

  /**
   * Makes the worktree of a task, from `commit` or the commit the project stands on; or takes up the one it has, as it is, after
   * mending what a killed process left half done. A branch that is still there is worked on again.
   * @throws OperatorError if the task's id is no name for a folder, or git cannot do it.
   */
  async function open({ taskId, project, commit }: Opening): Promise<Worktree> {
    return explained(`Could not open a worktree of project "${project.name}" for task "${taskId}"`, async () => {
      if (!TASK_ID.test(taskId)) throw badTaskId();
      await mkdir(join(root, TRASH), { recursive: true });
      const path = join(await realpath(root), folderName(project.name), taskId);
      const site = { repository: await repositoryOf(project.path, known), path };
      repositories.set(path, site.repository);
      const baseCommit = await inTurn(site.repository, async () => {
        await mendRegistrations(site.repository);
        const base = await resume(site);
        if (base !== undefined) return base;
        await makeRoom(site, log);
        return create(site, { projectPath: project.path, commit, log });
      });
      await markUsed(path);
      return { path, branch: branchOf(path), baseCommit };
    });
  }

  /**
   * Commits what the agent left uncommitted, then removes the worktree and keeps the branch. A failed task's worktree stays
   * until it is pruned, and so does one in which a repository was made, since git saves nothing of that. If there is nothing
   * new at all, worktree and branch go.
   * @throws OperatorError if it cannot be saved, for example because the disk is full; everything is then left where it is.
   */
  async function close({ worktree, outcome, message }: Closing): Promise<ClosedWorktree> {
    const { path, branch, baseCommit } = worktree;
    return explained(`Could not close the worktree "${path}"`, async () => {
      const repository = repositories.get(path) ?? (await repositoryNamedIn(path));
      if (repository === undefined) throw unregistered();
      return inTurn(repository, async () => {
        const site = { repository, path };
        await save(site, { base: baseCommit, message });
        const { commits, filesChanged, newRepositories } = await changesOn(site, baseCommit);
        const isKept = commits > 0 && (outcome === 'failed' || newRepositories > 0) && (await isFolder(path));
        if (isKept) await markUsed(path);
        else await remove(site, { withBranch: commits === 0, log });
        if (!isKept) repositories.delete(path);
        return { branch: commits > 0 ? branch : undefined, commits, filesChanged };
      });
    });
  }

  /** The folder of a task's worktree, if it is still there. */
  async function find(taskId: string): Promise<string | undefined> {
    const home = await realpath(root).catch(nothingIfGone);
    if (home === undefined || !TASK_ID.test(taskId)) return undefined;
    return (await foldersIn(home)).find((path) => basename(path) === taskId);
  }

  /**
   * Removes worktrees that have been unused for too long, and then the longest unused while there are too many or they take
   * too much room. What is uncommitted is committed first; a worktree that cannot be saved stays. A folder that belongs to no
   * repository any more goes by age alone. Registrations whose folder is gone go too: not by `git worktree prune`, which
   * would also forget the user's own worktrees on a disk that is not mounted at the moment.
   */
  async function prune({ isInUse }: Pruning): Promise<Pruned> {
    const home = await realpath(root).catch(nothingIfGone);
    if (home === undefined) return { removed: 0, keptBytes: 0 };
    for (const name of await entriesOf(join(home, TRASH))) await deleteTree(join(home, TRASH, name), log);
    const kept = (await lookAround(home)).toSorted((a, b) => a.usedMs - b.usedMs);
    let [count, keptBytes] = [kept.length, kept.reduce((sum, { bytes }) => sum + bytes, 0)];
    for (const each of kept) {
      const isOld = nowMs() - each.usedMs > limits.keepFailedMs;
      const isTooMuch = each.repository !== undefined && (count > limits.maxCount || keptBytes > limits.maxBytes);
      if (!(isOld || isTooMuch) || !(await removeUnused(each, isInUse))) continue;
      count -= 1;
      keptBytes -= each.bytes;
    }
    return { removed: kept.length - count, keptBytes };
  }

  async function lookAround(home: string): Promise<readonly Kept[]> {
    const kept: Kept[] = [];
    for (const path of await foldersIn(home)) {
      const named = repositories.get(path) ?? (await repositoryNamedIn(path));
      const repository = named && (await registrationOf({ repository: named, path })) ? named : undefined;
      const usedMs = (await look(path))?.mtimeMs;
      if (usedMs !== undefined) kept.push({ path, repository, usedMs, bytes: await bytesOf(path) });
    }
    const known = new Set([...kept.map(({ repository }) => repository), ...repositories.values()]);
    const lost = await Promise.all([...known].map((repository) => lostIn(repository, home)));
    return [...kept, ...lost.flat()];
  }

  async function removeUnused({ path, repository }: Kept, isInUse: Pruning['isInUse']): Promise<boolean> {
    const taskId = basename(path);
    try {
      if (isInUse(taskId)) return false;
      if (repository === undefined) {
        await discard(path, log);
        repositories.delete(path);
        return true;
      }
      // Asked again when it is our turn: the task may have been taken up meanwhile.
      return await inTurn(repository, async () => !isInUse(taskId) && saveAndRemove({ repository, path }, log));
    } catch (error) {
      log.warn({ taskId, path, reason: describeError(error) }, 'a worktree could not be pruned');
      return false;
    }
  }

  return { open, close, find, prune };
}

type KnownRepositories = Map<string, { readonly mark: string; readonly repository: string }>;

/** The common git folder of a project's repository: what tells repositories apart. */
async function repositoryOf(projectPath: string, known: KnownRepositories): Promise<string> {
  const mark = await repositoryMark(projectPath);
  const remembered = known.get(projectPath);
  if (remembered && remembered.mark === mark) return remembered.repository;
  const args = ['rev-parse', '--path-format=absolute', '--git-common-dir'];
  const repository = await realpath((await git(args, { folder: projectPath })).replace(/\n$/, ''));
  if (mark !== undefined) known.set(projectPath, { mark, repository });
  return repository;
}

/** Registrations below `home` whose folder is gone. */
async function lostIn(repository: string | undefined, home: string): Promise<readonly Kept[]> {
  if (repository === undefined) return [];
  const ours = (await registrationsIn(repository)).filter(({ path }) => path.startsWith(home + sep));
  const present = await Promise.all(ours.map(({ path }) => isFolder(path)));
  const lost = ours.filter((_, index) => !present[index]);
  return lost.map(({ path }) => ({ path, repository, usedMs: 0, bytes: 0 }));
}

/** Runs work on the same thing one after the other, each until no other process holds a lock of git. */
function createTurns(): <T>(thing: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return (thing, work) => {
    const turn = (last.get(thing) ?? Promise.resolve()).then(() => retryWhileLocked(work));
    last.set(
      thing,
      turn.catch(() => {}),
    );
    return turn;
  };
}

/** Names are the operator's, and may hold anything: what is no plain name is made one, and told apart by a hash. */
function folderName(projectName: string): string {
  const plain = projectName.replace(/[^\w-]/g, '-').slice(0, 40);
  if (plain === projectName && plain !== '') return plain;
  return `${plain}-${createHash('sha256').update(projectName).digest('hex').slice(0, 8)}`;
}

async function explained<T>(attempt: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error && ('hint' in error || 'code' in error))) throw error;
    const reason = error instanceof GitError ? error.reason : error.message.replace(/\.$/, '');
    const hint = error instanceof OperatorError ? error.hint : 'Check that folder, its permissions and its disk.';
    throw new OperatorError(`${attempt}: ${reason}.`, hint, { cause: error });
  }
}

function badTaskId(): OperatorError {
  return new OperatorError('the id is not 1 to 64 letters, digits, _ or -', 'Give the task such an id.');
}

async function foldersIn(home: string): Promise<readonly string[]> {
  const folders: string[] = [];
  for (const project of await entriesOf(home)) {
    if (project === TRASH) continue;
    for (const name of await entriesOf(join(home, project))) folders.push(join(home, project, name));
  }
  const present = await Promise.all(folders.map(isFolder));
  return folders.filter((_, index) => present[index]);
}
