import { access } from 'node:fs/promises';
import { OperatorError } from '../../../lib/errors.ts';
import { GitError, git, type Place } from '../../../lib/git.ts';
import { duration, type Words } from '../../words.ts';
import { type CheckFunction, down, unavailable, up } from '../check.ts';

/** What git knows of a project's folder. */
interface GitState {
  readonly changedFiles: number;
  /** Undefined without a branch to compare with. */
  readonly ahead: number | undefined;
  readonly behind: number | undefined;
  /** Undefined without a commit. */
  readonly lastCommitAgeMs: number | undefined;
}

/** How a project's repository stands. Work that is not committed or not pushed is told, and is no fault. */
export const checkGit: CheckFunction<'git'> = async ({ timeoutSeconds }, { projectPath, nowMs }) => {
  try {
    await access(projectPath);
  } catch {
    return unavailable({ it: 'la cartella non è leggibile qui', en: 'its folder cannot be read here' });
  }
  try {
    const state = await readState({ folder: projectPath, isOnlyLookedAt: true }, { nowMs, timeoutSeconds });
    return up(describe(state), figuresOf(state));
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    if (/not a git repository/.test(error.stderr)) {
      return unavailable({ it: 'non è un repository git', en: 'not a git repository' });
    }
    if (error.exitCode === undefined) return unavailable({ it: 'git non risponde', en: 'git does not answer' });
    return down({
      it: `git non lo legge: ${error.reason.slice(0, 120)}`,
      en: `git cannot read it: ${error.reason.slice(0, 120)}`,
    });
  }
};

async function readState(
  place: Place,
  { nowMs, timeoutSeconds }: { readonly nowMs: number; readonly timeoutSeconds: number },
): Promise<GitState> {
  const run = (...args: readonly string[]): Promise<string> => git(args, place, timeoutSeconds * 1_000);
  const filters = await withoutFilters(run);
  const status = await run(...filters, 'status', '--porcelain=v2', '--branch', '--ignore-submodules=all');
  const lines = status.split('\n').filter((each) => each !== '');
  const headers = lines.filter((each) => each.startsWith('# '));
  const [, ahead, behind] = /^# branch\.ab \+(\d+) -(\d+)$/m.exec(status) ?? [];
  const hasCommit = !headers.includes('# branch.oid (initial)');
  const seconds = hasCommit ? Number((await run('rev-list', '--max-count=1', '--timestamp', 'HEAD')).split(' ')[0]) : 0;
  return {
    changedFiles: lines.length - headers.length,
    ahead: ahead === undefined ? undefined : Number(ahead),
    behind: behind === undefined ? undefined : Number(behind),
    lastCommitAgeMs: hasCommit ? Math.max(0, nowMs - seconds * 1_000) : undefined,
  };
}

/** Whoever can write the repository's settings could have a program of theirs run by `git status`: a filter of contents. */
async function withoutFilters(run: (...args: readonly string[]) => Promise<string>): Promise<readonly string[]> {
  let found: string;
  try {
    found = await run('config', '--null', '--name-only', '--get-regexp', '^filter\\..*\\.(clean|process)$');
  } catch (error) {
    // That is how git says that there are none.
    if (error instanceof GitError && error.exitCode === 1) return [];
    throw error;
  }
  const names = found.split('\0').filter((name) => name !== '');
  // After -c the name ends at its first "=": such a filter could not be switched off.
  if (names.some((name) => name.includes('='))) {
    throw new OperatorError('Could not look at its files: a filter has "=" in its name.', 'Rename that filter.');
  }
  return names.flatMap((name) => ['-c', `${name}=`, '-c', `${name.replace(/\.[^.]+$/, '')}.required=false`]);
}

function describe({ changedFiles, ahead, behind, lastCommitAgeMs }: GitState): Words {
  const age = lastCommitAgeMs === undefined ? undefined : duration(lastCommitAgeMs);
  const it = [
    changedFiles === 0 ? 'pulito' : changedFiles === 1 ? '1 file da salvare' : `${changedFiles} file da salvare`,
    ...(ahead ? [`${ahead} commit da mandare`] : []),
    ...(behind ? [`${behind} commit da prendere`] : []),
    age === undefined ? 'nessun commit' : `ultimo commit ${age.it} fa`,
  ];
  const en = [
    changedFiles === 0 ? 'clean' : `${changedFiles} ${changedFiles === 1 ? 'file' : 'files'} not committed`,
    ...(ahead ? [`${ahead} ahead`] : []),
    ...(behind ? [`${behind} behind`] : []),
    age === undefined ? 'no commit' : `last commit ${age.en} ago`,
  ];
  return { it: it.join(', '), en: en.join(', ') };
}

function figuresOf({ changedFiles, ahead, behind, lastCommitAgeMs }: GitState): Record<string, number> {
  return {
    changedFiles,
    ...(ahead === undefined || behind === undefined ? {} : { ahead, behind }),
    ...(lastCommitAgeMs === undefined ? {} : { lastCommitAgeSeconds: Math.round(lastCommitAgeMs / 1_000) }),
  };
}
