import { execFile } from 'node:child_process';
import { readdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { readEnvironment } from '../../lib/config.ts';
import { OperatorError } from '../../lib/errors.ts';

/** Where a command works: in a folder whose repository git finds itself, or in a repository that is named. */
export type Place = { readonly folder: string } | { readonly gitDir: string; readonly workTree?: string };

/** A git command ended badly, or not in time. */
export class GitError extends OperatorError {
  /** What git said, one line without a full stop. */
  readonly reason: string;
  /** Undefined if git did not start or was stopped. */
  readonly exitCode: number | undefined;
  readonly stderr: string;

  constructor(error: ExecError, { command, place, timeoutMs }: Attempt) {
    const where = 'folder' in place ? place.folder : (place.workTree ?? place.gitDir);
    const reason = isTimeout(error) ? `git ${command} did not end within ${timeoutMs / 1_000} s` : reasonOf(error);
    super(`Could not run "git ${command}" in "${where}": ${reason}.`, hintFor(error), { cause: error });
    this.reason = reason;
    this.exitCode = typeof error.code === 'number' ? error.code : undefined;
    this.stderr = error.stderr ?? '';
  }
}

type ExecError = Error & { code?: number | string; killed?: boolean; stderr?: string };

const TIMEOUT_MS = 60_000;
/** For what reads or writes every file of a worktree. */
const LONG_TIMEOUT_MS = 600_000;
const MAX_OUTPUT_BYTES = 64 * 2 ** 20;
const LOCK_PAUSES_MS = [50, 100, 200, 400, 800, 1_600];
/** Longer than git takes from making a small file to filling it, and shorter than we try again. */
const UNFINISHED_MS = 1_500;
const MAX_REASON = 300;
const MAX_MESSAGE = 200;

/** Whatever the project or the user has set: none of their programs is started, and git leaves nothing running behind. */
const SETTINGS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'gc.auto=0',
  'maintenance.auto=false',
  // Fails on line ends that it would change: what an agent left must be saved all the same.
  'core.safecrlf=false',
  'submodule.recurse=false',
  'worktree.useRelativePaths=false',
].flatMap((each) => ['-c', each]);

const AUTHOR = { name: 'CervellaSwarm', email: 'swarm@localhost' };

const run = promisify(execFile);

/**
 * Runs one git command to its end and returns what it printed. Nothing of our environment reaches it but PATH and HOME.
 * @throws GitError with the reason git gave, cut to 300 characters.
 */
export async function git(args: readonly string[], place: Place, timeoutMs = TIMEOUT_MS): Promise<string> {
  try {
    const { stdout } = await run('git', [...SETTINGS, ...placeArgs(place), ...args], {
      cwd: '/',
      env: gitEnvironment(),
      timeout: timeoutMs,
      maxBuffer: MAX_OUTPUT_BYTES,
    });
    return stdout;
  } catch (error) {
    throw new GitError(error as ExecError, { command: args[0] ?? '', place, timeoutMs });
  }
}

/** The id of the commit that a name stands for; undefined if it stands for none. */
export function commitOf(name: string, place: Place): Promise<string | undefined> {
  return unlessNo(() => git(['rev-parse', '--verify', '--quiet', `${name}^{commit}`], place));
}

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

/** Makes the files of a worktree those of the commit it stands on. */
export async function checkOut(place: { readonly gitDir: string; readonly workTree: string }): Promise<void> {
  await git(['reset', '--hard', '--quiet', '--no-recurse-submodules'], place, LONG_TIMEOUT_MS);
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

/** Compares two commits. */
export async function changesBetween(base: string, tip: string, place: Place): Promise<Changes> {
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
    return link === undefined ? [] : [{ gitDir, path: resolve(gitDir, dirname(link)) }];
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

async function line(output: Promise<string>): Promise<string> {
  return (await output).replace(/\n$/, '');
}

/** Exit code 1 is how git answers "no"; anything above is an error. */
async function unlessNo(ask: () => Promise<string>): Promise<string | undefined> {
  try {
    return await line(ask());
  } catch (error) {
    if (error instanceof GitError && error.exitCode === 1) return undefined;
    throw error;
  }
}

function placeArgs(place: Place): readonly string[] {
  if ('folder' in place) return ['-C', resolve(place.folder)];
  const { gitDir, workTree } = place;
  return [
    '-C',
    workTree ?? gitDir,
    `--git-dir=${gitDir}`,
    ...(workTree === undefined ? [] : [`--work-tree=${workTree}`]),
  ];
}

function gitEnvironment(): Readonly<Record<string, string | undefined>> {
  const { PATH, HOME } = readEnvironment();
  return {
    PATH,
    HOME,
    LANG: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_AUTHOR_NAME: AUTHOR.name,
    GIT_AUTHOR_EMAIL: AUTHOR.email,
    GIT_COMMITTER_NAME: AUTHOR.name,
    GIT_COMMITTER_EMAIL: AUTHOR.email,
  };
}

function isLocked(stderr: string): boolean {
  return /\.lock': File exists|could not create directory of|failed to read .*commondir/.test(stderr);
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/No space left on device|Disk quota exceeded/, 'Free disk space, then try again.'],
  [/\.lock': File exists/, 'If no git runs in this repository, remove the lock file it names.'],
  [/Permission denied|Read-only file system/, 'Give the user of this process the right to write there.'],
  [/spawn git ENOENT/, 'Install git, for example with apt-get install git.'],
];

interface Attempt {
  readonly command: string;
  readonly place: Place;
  readonly timeoutMs: number;
}

function hintFor({ stderr, message }: ExecError): string {
  const hint = HINTS.find(([pattern]) => pattern.test(`${stderr} ${message}`))?.[1];
  return hint ?? 'Run git there by hand to see more.';
}

function isTimeout({ killed, code }: ExecError): boolean {
  return killed === true && code !== 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER';
}

function reasonOf({ stderr = '', message }: ExecError): string {
  const lines = stderr.split('\n').filter((each) => each.trim() !== '');
  const told = lines.filter((each) => /^(?:fatal|error): /.test(each));
  const text = (told.length > 0 ? told : lines).map((each) => each.replace(/^(?:fatal|error): /, '')).join('; ');
  return oneLine(text || message, MAX_REASON).replace(/\.$/, '');
}

/** At most `maxLength` characters, without line breaks and other control characters. */
function oneLine(text: string, maxLength: number): string {
  const clean = text.replace(/\p{Cc}+/gu, ' ').trim();
  return clean.length > maxLength ? `${[...clean].slice(0, maxLength - 1).join('')}…` : clean;
}
