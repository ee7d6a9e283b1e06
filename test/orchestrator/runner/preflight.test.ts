import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { describeError } from '../../../lib/errors.ts';
import { checkProject, ProjectError } from '../../../orchestrator/runner/preflight.ts';
import { tempDir } from '../../support/memory-builder.ts';
import { boundByPermissions, findProgram, IS_ROOT } from '../../support/programs.ts';

const BUILT = new URL('../../../dist/orchestrator/runner/preflight.js', import.meta.url).href;

function git(folder: string, ...args: string[]): void {
  execFileSync('git', ['-c', 'user.name=User', '-c', 'user.email=user@localhost', ...args], { cwd: folder });
}

/** A repository with one commit, in a folder that is made. */
function makeRepository(folder: string): string {
  mkdirSync(join(folder, 'src'), { recursive: true });
  mkdirSync(join(folder, 'ignored'));
  writeFileSync(join(folder, 'src/a.txt'), 'a\n');
  writeFileSync(join(folder, '.gitignore'), 'ignored/\n');
  git(folder, 'init', '--quiet', '--initial-branch=main');
  git(folder, 'add', '.');
  git(folder, 'commit', '--quiet', '-m', 'first');
  return folder;
}

/** A repository that something has been done to. */
function afterwards(folder: string, work: (folder: string) => void): string {
  work(makeRepository(folder));
  return folder;
}

/** What is said of a project, with its folder as <path>; `fine` if nothing. */
async function verdictOn(path: string, minFreeBytes?: number): Promise<string> {
  try {
    await checkProject({ name: 'shop', path, ...(minFreeBytes !== undefined && { minFreeBytes }) });
    return 'fine';
  } catch (error) {
    expect(error).toBeInstanceOf(ProjectError);
    return describeError(error).replaceAll(path, '<path>');
  }
}

beforeEach(() => {
  // Whatever the user of this machine has told git.
  vi.stubEnv('HOME', tempDir());
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe('a project that can be worked on', () => {
  test.each<[string, (folder: string) => string]>([
    ['the top of a repository', makeRepository],
    ['a folder inside one', (folder) => join(makeRepository(folder), 'src')],
    ['one named with blanks, quotes and a line break', (folder) => makeRepository(join(folder, 'my "new"\nshop é'))],
    ['one given by a relative path', (folder) => relative(process.cwd(), makeRepository(folder))],
    ['one whose HEAD is detached', (folder) => afterwards(folder, (it) => git(it, 'checkout', '--quiet', '--detach'))],
    ['one with branches swarm/…', (folder) => afterwards(folder, (it) => git(it, 'branch', 'swarm/t1'))],
    [
      'a worktree of another',
      (folder) => {
        git(makeRepository(join(folder, 'first')), 'worktree', 'add', '--quiet', '../second');
        return join(folder, 'second');
      },
    ],
    [
      'a link to one',
      (folder) => {
        symlinkSync(makeRepository(join(folder, 'there')), join(folder, 'here'));
        return join(folder, 'here');
      },
    ],
  ])('is %s', async (_, make) => {
    expect(await verdictOn(make(join(tempDir(), 'project')))).toBe('fine');
  });
});

const REFUSED = 'Could not use project "shop" at "<path>":';
const INIT = 'Run git init there and commit, or correct its path.';

describe('a project that cannot be worked on is refused with a remedy', () => {
  test.each<[string, (folder: string) => string, string]>([
    [
      'missing',
      (folder) => join(folder, 'gone'),
      'there is no such folder. Correct its path in projects.json, or clone it there.',
    ],
    [
      'below a file',
      (folder) => join(makeRepository(folder), 'src/a.txt/b'),
      'there is no such folder. Correct its path in projects.json, or clone it there.',
    ],
    [
      'a file',
      (folder) => join(makeRepository(folder), 'src/a.txt'),
      'it is not a folder. Give the folder of the repository in projects.json.',
    ],
    [
      'a link in a circle',
      (folder) => {
        symlinkSync(folder, folder);
        return folder;
      },
      'it cannot be reached (ELOOP). Let the user of this process in, or correct its path.',
    ],
    ['no repository', () => tempDir(), `it is not a git repository. ${INIT}`],
    [
      'ignored by the repository around it',
      (folder) => join(makeRepository(folder), 'ignored'),
      `it is not a git repository itself, and the one around it ignores it. ${INIT}`,
    ],
    [
      'bare',
      (folder) => afterwards(folder, (it) => git(it, 'clone', '--quiet', '--bare', '.', 'bare')).concat('/bare'),
      'it is a bare repository, without files to work on. Clone it, and give the path of the clone.',
    ],
    [
      'a .git',
      (folder) => join(makeRepository(folder), '.git'),
      'it is the inside of a git folder. Give the folder that holds the files, not its .git.',
    ],
    [
      'without a commit',
      (folder) => afterwards(folder, (it) => git(it, 'checkout', '--quiet', '--orphan', 'new')),
      'it stands on no commit. Commit something there first, since work begins from a commit; or check out a branch that has one.',
    ],
    [
      'with a branch called swarm',
      (folder) => afterwards(folder, (it) => git(it, 'branch', 'swarm')),
      'its branch "swarm" leaves no room for branches "swarm/<task>". Rename that branch, for example: git branch -m swarm old-swarm.',
    ],
    [
      'damaged',
      (folder) => afterwards(folder, (it) => writeFileSync(join(it, '.git/config'), '[hostile\x1b[31m\n')),
      'git cannot read it: bad config line 1 in file .git/config. Run git there by hand to see more.',
    ],
  ])('%s', async (_, make, said) => {
    expect(await verdictOn(make(join(tempDir(), 'project')))).toBe(`${REFUSED} ${said}`);
  });

  test.skipIf(!IS_ROOT)('of another user (skipped unless run as root, who alone may give files away)', async () => {
    const path = makeRepository(join(tempDir(), 'project'));
    for (const each of [path, join(path, '.git')]) chownSync(each, 12_345, 12_345);
    expect(await verdictOn(path)).toBe(
      `${REFUSED} it belongs to another user, so git does not trust it (dubious ownership). ` +
        'Run as that user: git config --global --add safe.directory "<path>". Or give the folder to the user of this process.',
    );
    git(path, 'config', '--global', '--add', 'safe.directory', path);
    expect(await verdictOn(path)).toBe('fine');
  });

  test.each(['.', '.git', '.git/objects', '.git/refs/heads'])('read-only in %s', async (folder) => {
    const path = makeRepository(join(tempDir(), 'project'));
    chmodSync(join(path, folder), 0o555);
    const script = `import { checkProject } from ${JSON.stringify(BUILT)};
      await checkProject({ name: 'shop', path: process.argv[1] }).catch(({ message }) => console.log(message));`;
    const [program, ...args] = [...boundByPermissions(), process.execPath, '--input-type=module', '-e', script, path];
    const { stdout } = await promisify(execFile)(program, args);
    chmodSync(join(path, folder), 0o755);
    expect(stdout.replaceAll(path, '<path>')).toBe(
      `${REFUSED} "${join('<path>', folder)}" cannot be read and written by the user of this process (EACCES).\n`,
    );
  });

  test('where git is not installed', async () => {
    const path = makeRepository(join(tempDir(), 'project'));
    vi.stubEnv('PATH', tempDir());
    expect(await verdictOn(path)).toBe(
      `${REFUSED} git cannot read it: spawn git ENOENT. Install git, for example with apt-get install git.`,
    );
  });

  test('whatever repository the environment names', async () => {
    vi.stubEnv('GIT_DIR', join(makeRepository(join(tempDir(), 'other')), '.git'));
    expect(await verdictOn(tempDir())).toContain('it is not a git repository');
  });
});

describe('free disk space', () => {
  test('is asked for on the disk of the project', async () => {
    const path = makeRepository(join(tempDir(), 'project'));
    expect(await verdictOn(path, 0)).toBe('fine');
    expect((await verdictOn(path, 1e18)).replace(/\d+ MB are/, '<free> MB are')).toBe(
      `${REFUSED} <free> MB are free on its disk, expected at least 1000000000000 MB. ` +
        'Free disk space there; old worktrees and Docker images are good places to begin.',
    );
  });

  test.skipIf(!IS_ROOT)('is 500 MB, and a full disk can still be looked at (skipped unless run as root)', async () => {
    const path = join(tempDir(), 'project');
    makeRepository(path);
    const script = `mount -t tmpfs -o size=4m none "$1" && cp -r "$0/." "$1" && cd / \\
      && { cat /dev/zero > "$1/full" 2>/dev/null || true; } && shift && exec "$@"`;
    const check = `import { checkProject } from ${JSON.stringify(BUILT)};
      await checkProject({ name: 'shop', path: process.argv[1] }).catch(({ message }) => console.log(message));`;
    const mounted = tempDir();
    const node = [process.execPath, '--input-type=module', '-e', check, mounted];
    const args = ['-m', 'sh', '-ec', script, path, mounted, ...node];
    findProgram('mount');
    const { stdout } = await promisify(execFile)(findProgram('unshare'), args);
    expect(stdout.replaceAll(mounted, '<path>')).toBe(
      `${REFUSED} 0 MB are free on its disk, expected at least 500 MB.\n`,
    );
  });
});
