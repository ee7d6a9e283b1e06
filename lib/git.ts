import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { readEnvironment } from './config.ts';
import { OperatorError } from './errors.ts';

/**
 * Where a command works: in a folder whose repository git finds itself, or in a repository that is named. One that is only
 * looked at may belong to another user, and is asked nothing that would fetch from elsewhere.
 */
export type Place =
  | { readonly folder: string; readonly isOnlyLookedAt?: true }
  | { readonly gitDir: string; readonly workTree?: string };

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
const MAX_OUTPUT_BYTES = 64 * 2 ** 20;
const MAX_REASON = 300;

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

/** What a command printed, without its last line break. */
export async function line(output: Promise<string>): Promise<string> {
  return (await output).replace(/\n$/, '');
}

/** Undefined where git ends with exit code 1, which is how it answers "no"; anything above is an error. */
export async function unlessNo(ask: () => Promise<string>): Promise<string | undefined> {
  try {
    return await line(ask());
  } catch (error) {
    if (error instanceof GitError && error.exitCode === 1) return undefined;
    throw error;
  }
}

function placeArgs(place: Place): readonly string[] {
  if ('folder' in place) {
    const folder = resolve(place.folder);
    const care = place.isOnlyLookedAt ? ['-c', `safe.directory=${folder}`, '-c', 'protocol.allow=never'] : [];
    return [...care, '-C', folder];
  }
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
export function oneLine(text: string, maxLength: number): string {
  const clean = text.replace(/\p{Cc}+/gu, ' ').trim();
  return clean.length > maxLength ? `${[...clean].slice(0, maxLength - 1).join('')}…` : clean;
}
