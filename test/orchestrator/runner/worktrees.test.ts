import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { describeError, OperatorError } from '../../../lib/errors.ts';
import { createWorktrees, DEFAULT_WORKTREE_LIMITS, type Worktree } from '../../../orchestrator/runner/worktrees.ts';
import { tempDir } from '../../support/memory-builder.ts';
import { boundByPermissions, findProgram, IS_ROOT } from '../../support/programs.ts';

const BUILT = new URL('../../../dist/orchestrator/runner/worktrees.js', import.meta.url).href;
const DAY_MS = 86_400_000;

function git(folder: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=User', '-c', 'user.email=user@localhost'];
  return execFileSync('git', [...identity, ...args], { cwd: folder, encoding: 'utf8', stdio: 'pipe' }).trimEnd();
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

const FILES = { 'README.md': 'read me\n', 'src/a.txt': 'a\n', '.gitignore': 'node_modules/\n.env\n' };

/** A repository with one commit. */
function makeProject(folder = join(tempDir(), 'project')): string {
  write(folder, FILES);
  git(folder, 'init', '--quiet', '--initial-branch=main');
  git(folder, 'add', '.');
  git(folder, 'commit', '--quiet', '-m', 'first');
  return folder;
}

interface Scene {
  readonly project?: string;
  readonly root?: string;
  readonly limits?: Partial<typeof DEFAULT_WORKTREE_LIMITS>;
}

/** A project, worktrees for it and a clock that stands still. What they log is in `warnings`. */
function makeScene({ project = makeProject(), root = join(tempDir(), 'worktrees'), limits = {} }: Scene = {}) {
  const warnings: string[] = [];
  const clock = { nowMs: Date.now() };
  const log = pino(
    { level: 'warn' },
    { write: (line) => void warnings.push((JSON.parse(line) as { msg: string }).msg) },
  );
  const options = { root, log, limits: { ...DEFAULT_WORKTREE_LIMITS, ...limits }, nowMs: () => clock.nowMs };
  const worktrees = createWorktrees(options);
  const open = (taskId: string): Promise<Worktree> =>
    worktrees.open({ taskId, project: { name: 'shop', path: project } });
  /** The same folder, looked at by a process that remembers nothing. */
  const restarted = () => createWorktrees(options);
  const gitDir = (taskId: string): string => join(project, '.git/worktrees', taskId);
  return { project, root, worktrees, restarted, open, clock, warnings, gitDir };
}

/** Everything of a project that is its user's: what is checked out, staged, changed, stashed, and where branches are. */
function stateOf(project: string): unknown {
  return {
    status: git(project, 'status', '--porcelain=v2', '--branch', '--ignored', '-uall'),
    staged: git(project, 'ls-files', '--stage'),
    refs: git(project, 'for-each-ref')
      .split('\n')
      .filter((each) => !each.includes('/swarm/')),
    config: readFileSync(join(project, '.git/config'), 'utf8'),
  };
}

const branchesOf = (project: string): string[] =>
  git(project, 'branch', '--list', 'swarm/*', '--format=%(refname:short)').split('\n').filter(Boolean);
const registeredIn = (project: string): string[] =>
  git(project, 'worktree', 'list', '--porcelain')
    .split('\n')
    .filter((each) => each.startsWith('worktree '))
    .slice(1);
const filesOn = (project: string, branch: string): string[] =>
  git(project, 'ls-tree', '-r', '-z', '--name-only', branch).split('\0').filter(Boolean);

async function messageOf(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(OperatorError);
  return describeError(error);
}

beforeEach(() => {
  // Whatever the user of this machine has told git.
  vi.stubEnv('HOME', tempDir());
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe('open', () => {
  test('gives a task a folder and a branch of its own, at the commit of the project', async () => {
    const { project, root, worktrees, open } = makeScene();
    const worktree = await open('t-1');
    const head = git(project, 'rev-parse', 'HEAD');
    expect(worktree).toEqual({ path: join(root, 'shop/t-1'), branch: 'swarm/t-1', baseCommit: head });
    expect(git(worktree.path, 'status', '--porcelain=v2', '--branch')).toBe(
      `# branch.oid ${head}\n# branch.head swarm/t-1`,
    );
    expect(readdirSync(worktree.path).toSorted()).toEqual(['.git', '.gitignore', 'README.md', 'src']);
    expect([await worktrees.find('t-1'), await worktrees.find('t-2')]).toEqual([worktree.path, undefined]);
  });

  test('leaves alone what the user of the project is in the middle of', async () => {
    const { project, worktrees, open } = makeScene();
    write(project, { 'README.md': 'stashed\n' });
    git(project, 'stash', '--quiet');
    write(project, { 'README.md': 'changed\n', 'new.txt': 'new\n', 'staged.txt': 'staged\n', '.env': 'SECRET=1\n' });
    git(project, 'add', 'staged.txt');
    const before = stateOf(project);
    const worktree = await open('t1');
    expect(filesOn(worktree.path, 'HEAD')).toEqual(['.gitignore', 'README.md', 'src/a.txt']);
    write(worktree.path, { 'README.md': 'by the agent\n', 'new.txt': 'of the agent\n' });
    await worktrees.close({ worktree, outcome: 'done', message: 'work' });
    await worktrees.prune({ isInUse: () => false });
    expect(stateOf(project)).toEqual(before);
  });

  test('begins where a detached HEAD stands', async () => {
    const { project, worktrees, open } = makeScene();
    git(project, 'commit', '--quiet', '--allow-empty', '-m', 'second');
    git(project, 'checkout', '--quiet', '--detach', 'HEAD~1');
    const worktree = await open('t1');
    expect(worktree.baseCommit).toBe(git(project, 'rev-parse', 'main~1'));
    write(worktree.path, { 'new.txt': 'new\n' });
    const closed = await worktrees.close({ worktree, outcome: 'done', message: 'work' });
    expect(closed).toEqual({ branch: 'swarm/t1', commits: 1, filesChanged: 1 });
    expect(git(project, 'rev-parse', 'HEAD')).toBe(worktree.baseCommit);
  });

  test('begins from the commit it is told, or from where the project stands if there is no such commit', async () => {
    const { project, worktrees } = makeScene();
    const first = git(project, 'rev-parse', 'HEAD');
    write(project, { 'later.txt': 'x' });
    git(project, 'add', '.');
    git(project, 'commit', '--quiet', '-m', 'second');
    const opening = { project: { name: 'shop', path: project } };
    const told = await worktrees.open({ ...opening, taskId: 't1', commit: first });
    expect([told.baseCommit, existsSync(join(told.path, 'later.txt'))]).toEqual([first, false]);
    const lost = await worktrees.open({ ...opening, taskId: 't2', commit: 'a'.repeat(40) });
    expect(lost.baseCommit).toBe(git(project, 'rev-parse', 'HEAD'));
  });

  test('takes a folder inside a repository, and a root that is relative or a link', async () => {
    const folder = tempDir();
    mkdirSync(join(folder, 'there'));
    symlinkSync(join(folder, 'there'), join(folder, 'here'));
    const project = join(makeProject(), 'src');
    const { worktrees, open } = makeScene({ project, root: relative(process.cwd(), join(folder, 'here')) });
    const worktree = await open('t1');
    expect(worktree.path).toBe(join(folder, 'there/shop/t1'));
    expect(readFileSync(join(worktree.path, 'src/a.txt'), 'utf8')).toBe('a\n');
    expect(await worktrees.find('t1')).toBe(worktree.path);
  });

  test('keeps hostile project names inside the root, each in a folder of its own', async () => {
    const { project, root, worktrees } = makeScene();
    const names = [
      '../../up',
      '/etc',
      '..',
      '.',
      '',
      '.trash',
      'a/b',
      'a-b',
      'a b',
      'a\nb\0c',
      '-rf',
      'é',
      'x'.repeat(300),
    ];
    const paths = [];
    for (const name of names) {
      const { path } = await worktrees.open({ taskId: `t${paths.length}`, project: { name, path: project } });
      paths.push(relative(root, path));
    }
    const folders = paths.map((each) => dirname(each));
    for (const each of folders) expect(each).toMatch(/^[\w-]{1,50}$/);
    expect(new Set(folders).size).toBe(names.length);
    expect(folders).toContain('a-b');
    expect(readdirSync(dirname(root))).toEqual([basename(root)]);
  });

  test.each(['', '.', '..', 'a/b', '../t1', 'a b', 'a\n', 'a.lock', 'é', 'x'.repeat(65)])(
    'refuses the task id %j',
    async (taskId) => {
      const { project, root, worktrees, open } = makeScene();
      expect(await messageOf(open(taskId))).toBe(
        `Could not open a worktree of project "shop" for task "${taskId}": the id is not 1 to 64 letters, digits, _ or -. Give the task such an id.`,
      );
      expect(await worktrees.find(taskId)).toBeUndefined();
      expect([existsSync(root), branchesOf(project)]).toEqual([false, []]);
    },
  );

  test('says what git said when it cannot', async () => {
    const { project, open, worktrees } = makeScene();
    const attempt = worktrees.open({ taskId: 't1', project: { name: 'shop', path: tempDir() } });
    expect(await messageOf(attempt)).toMatch(
      /^Could not open a worktree of project "shop" for task "t1": not a git repository .*\. Run git there by hand to see more\.$/,
    );
    git(project, 'checkout', '--quiet', '-b', 'swarm/t1');
    expect(await messageOf(open('t1'))).toContain(`'swarm/t1' is already checked out at '${project}'`);
    expect(registeredIn(project)).toEqual([]);
  });

  test('leaves nothing behind when the files cannot be written', async () => {
    const { project, root, open } = makeScene();
    write(project, { '.gitattributes': '*.txt filter=broken\n' });
    git(project, 'add', '.');
    git(project, 'commit', '--quiet', '-m', 'filter');
    git(project, 'config', 'filter.broken.smudge', 'false');
    git(project, 'config', 'filter.broken.required', 'true');
    expect(await messageOf(open('t1'))).toContain('smudge filter broken failed');
    expect([registeredIn(project), branchesOf(project), readdirSync(join(root, 'shop'))]).toEqual([[], [], []]);
  });
});

describe('tasks at the same time', () => {
  const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

  test('do not disturb each other in one repository', async () => {
    const { project, worktrees, open } = makeScene();
    const results = await Promise.all(
      IDS.map(async (id) => {
        const worktree = await open(id);
        write(worktree.path, { 'who.txt': id });
        return worktrees.close({ worktree, outcome: 'done', message: id });
      }),
    );
    expect(results).toEqual(IDS.map((id) => ({ branch: `swarm/${id}`, commits: 1, filesChanged: 1 })));
    expect(IDS.map((id) => git(project, 'show', `swarm/${id}:who.txt`))).toEqual(IDS);
    expect(registeredIn(project)).toEqual([]);
  });

  test('may be those of several processes', async () => {
    const { project, root } = makeScene();
    const script = `import { createWorktrees } from ${JSON.stringify(BUILT)};
      import { writeFileSync } from 'node:fs';
      const [root, path, ...ids] = process.argv.slice(1);
      const worktrees = createWorktrees({ root, log: console });
      await Promise.all(ids.map(async (taskId) => {
        const worktree = await worktrees.open({ taskId, project: { name: 'shop', path } });
        writeFileSync(worktree.path + '/who.txt', taskId);
        await worktrees.close({ worktree, outcome: 'done', message: taskId });
      }));`;
    await Promise.all(
      ['p', 'q', 'r'].map((process_) =>
        promisify(execFile)(process.execPath, [
          '--input-type=module',
          '-e',
          script,
          root,
          project,
          ...IDS.map((id) => process_ + id),
        ]),
      ),
    );
    expect(branchesOf(project)).toEqual(['p', 'q', 'r'].flatMap((each) => IDS.map((id) => `swarm/${each}${id}`)));
    expect(registeredIn(project)).toEqual([]);
  });
});

describe('a task that is taken up again', () => {
  test('finds its files, its index, its commits and where it began', async () => {
    const scene = makeScene();
    const first = await scene.open('t1');
    write(first.path, { 'committed.txt': '1\n' });
    git(first.path, 'add', '.');
    git(first.path, 'commit', '--quiet', '-m', 'by the agent');
    write(first.path, { 'staged.txt': '2\n', 'src/a.txt': 'changed\n', '.env': 'ignored\n' });
    git(first.path, 'add', 'staged.txt');
    git(scene.project, 'commit', '--quiet', '--amend', '--allow-empty', '-m', 'amended by the user');
    const before = [git(first.path, 'status', '--porcelain', '--ignored'), git(first.path, 'log', '--format=%s')];
    const worktree = await scene.restarted().open({ taskId: 't1', project: { name: 'shop', path: scene.project } });
    expect(worktree).toEqual(first);
    expect([git(first.path, 'status', '--porcelain', '--ignored'), git(first.path, 'log', '--format=%s')]).toEqual(
      before,
    );
    expect(await scene.worktrees.close({ worktree, outcome: 'done', message: 'rest' })).toEqual({
      branch: 'swarm/t1',
      commits: 2,
      filesChanged: 3,
    });
  });

  test('begins where its branch left the project, which has moved on', async () => {
    const { project, worktrees, open } = makeScene();
    const first = await open('t1');
    write(first.path, { one: '' });
    await worktrees.close({ worktree: first, outcome: 'done', message: 'work' });
    git(project, 'commit', '--quiet', '--allow-empty', '-m', 'second');
    expect([await open('t1'), await open('t1')]).toEqual([first, first]);
    expect(await worktrees.close({ worktree: first, outcome: 'done', message: 'nothing more' })).toEqual({
      branch: 'swarm/t1',
      commits: 1,
      filesChanged: 1,
    });
  });

  test('is not hindered by a worktree that was never finished, which stops git itself', async () => {
    const { project, root, open, gitDir } = makeScene();
    write(gitDir('t0'), { locked: 'initializing', gitdir: `${root}/shop/t0/.git\n`, HEAD: '', commondir: '' });
    utimesSync(join(gitDir('t0'), 'commondir'), 0, 0);
    expect(() => git(project, 'worktree', 'list')).toThrow('commondir');
    expect((await open('t1')).branch).toBe('swarm/t1');
    expect((await open('t0')).branch).toBe('swarm/t0');
  });

  test('does not write through a .git that was made a link', async () => {
    const { open } = makeScene();
    const victim = join(tempDir(), 'victim');
    writeFileSync(victim, 'of the user\n');
    const { path } = await open('t1');
    unlinkSync(join(path, '.git'));
    symlinkSync(victim, join(path, '.git'));
    await open('t1');
    expect([readFileSync(victim, 'utf8'), git(path, 'status', '--porcelain')]).toEqual(['of the user\n', '']);
  });

  /** What may be found of task `t1`, whose worktree held `work.txt`, and what of it must still be there afterwards. */
  test.each<[string, (scene: ReturnType<typeof makeScene>, path: string) => unknown, 'kept' | 'new']>([
    ['was given to an agent', () => {}, 'kept'],
    [
      'has the lock of a killed git',
      ({ gitDir }) => write(gitDir('t1'), { 'index.lock': '', 'HEAD.lock': '' }),
      'kept',
    ],
    ['has a locked branch', ({ project }) => write(project, { '.git/refs/heads/swarm/t1.lock': '' }), 'kept'],
    ['is locked by its user', ({ project }, path) => git(project, 'worktree', 'lock', path), 'kept'],
    ['has lost its .git', (_, path) => unlinkSync(join(path, '.git')), 'kept'],
    ['has a .git that leads nowhere', (_, path) => write(path, { '.git': 'gitdir: /nowhere\n' }), 'kept'],
    ['has lost its folder', (_, path) => rmSync(path, { recursive: true }), 'new'],
    [
      'was being made: no folder yet, and a registration without one',
      ({ gitDir }, path) => {
        rmSync(path, { recursive: true });
        rmSync(gitDir('t1'), { recursive: true });
        write(gitDir('t1'), { locked: 'initializing' });
      },
      'new',
    ],
    [
      'was being made: an empty folder',
      ({ gitDir }, path) => {
        rmSync(path, { recursive: true });
        mkdirSync(path);
        rmSync(gitDir('t1'), { recursive: true });
        write(gitDir('t1'), { locked: 'initializing', gitdir: `${path}/.git\n` });
      },
      'new',
    ],
    [
      'was being made: a registration that does not name its folder yet',
      ({ gitDir }, path) => {
        rmSync(path, { recursive: true });
        rmSync(gitDir('t1'), { recursive: true });
        write(gitDir('t1'), { locked: 'initializing', gitdir: '' });
      },
      'new',
    ],
    [
      'was being made: half its registration',
      ({ gitDir }, path) => {
        rmSync(path, { recursive: true });
        rmSync(gitDir('t1'), { recursive: true });
        write(gitDir('t1'), {
          locked: 'initializing',
          gitdir: `${path}/.git\n`,
          HEAD: `${'0'.repeat(40)}\n`,
          commondir: '',
        });
        utimesSync(join(gitDir('t1'), 'commondir'), 0, 0);
        write(path, { '.git': `gitdir: ${gitDir('t1')}\n` });
      },
      'new',
    ],
    [
      'was being made: half its files',
      ({ gitDir }, path) => {
        for (const each of ['index', 'swarm-base']) unlinkSync(join(gitDir('t1'), each));
        write(gitDir('t1'), { 'index.lock': '' });
        rmSync(join(path, 'src'), { recursive: true });
      },
      'new',
    ],
    [
      'was being removed: its branch is all there is',
      ({ project }, path) => git(project, 'worktree', 'remove', '--force', path),
      'new',
    ],
    ['was forgotten by its repository', ({ gitDir }) => rmSync(gitDir('t1'), { recursive: true }), 'new'],
    [
      'has a file in its place',
      (_, path) => {
        rmSync(path, { recursive: true });
        writeFileSync(path, 'a file\n');
      },
      'new',
    ],
  ])('works although its worktree %s', async (_, leave, expected) => {
    const scene = makeScene();
    const first = await scene.open('t1');
    write(first.path, { 'committed.txt': '1\n' });
    git(first.path, 'add', '.');
    git(first.path, 'commit', '--quiet', '-m', 'by the agent');
    write(first.path, { 'work.txt': 'not committed\n' });
    await leave(scene, first.path);
    const worktree = await scene.open('t1');
    expect(worktree).toEqual(first);
    expect(existsSync(join(first.path, 'work.txt'))).toBe(expected === 'kept');
    expect(git(first.path, 'status', '--porcelain')).toBe(expected === 'kept' ? '?? work.txt' : '');
    expect(git(first.path, 'log', '--format=%s')).toBe('by the agent\nfirst');
    expect(await scene.worktrees.close({ worktree, outcome: 'done', message: 'rest' })).toEqual({
      branch: 'swarm/t1',
      commits: expected === 'kept' ? 2 : 1,
      filesChanged: expected === 'kept' ? 2 : 1,
    });
    expect([registeredIn(scene.project), readdirSync(join(scene.project, '.git/worktrees'))]).toEqual([[], []]);
  });
});

/** A program that leaves a trace when git starts it. */
function makeTracer(folder: string): { readonly program: string; readonly hasRun: () => boolean } {
  const [program, trace] = [join(folder, 'tracer'), join(folder, 'trace')];
  writeFileSync(program, `#!/bin/sh\ntouch '${trace}'\nexit 1\n`, { mode: 0o755 });
  return { program, hasRun: () => existsSync(trace) };
}

describe('close', () => {
  const ODD_NAMES = ['with blank', 'line\nbreak', 'tab\t"quoted"', 'ünïcode 漢字 🐝', '-rf', ':(top)', '*'];

  test.each<[string, (path: string, scene: ReturnType<typeof makeScene>) => unknown, object, string[]]>([
    ['changed files', (path) => write(path, { 'src/a.txt': 'b\n' }), { commits: 1, filesChanged: 1 }, []],
    [
      'new files',
      (path) => write(path, { 'new/one': '', 'new/two': '' }),
      { commits: 1, filesChanged: 2 },
      ['new/one'],
    ],
    ['odd names', (path) => odd(path), { commits: 1, filesChanged: ODD_NAMES.length + 1 }, ODD_NAMES],
    ['a deleted file', (path) => unlinkSync(join(path, 'README.md')), { commits: 1, filesChanged: 1 }, []],
    [
      'staged files',
      (path) => {
        write(path, { staged: '' });
        git(path, 'add', '.');
      },
      { commits: 1, filesChanged: 1 },
      ['staged'],
    ],
    ['commits', (path) => commitFile(path, 'one'), { commits: 1, filesChanged: 1 }, ['one']],
    [
      'commits, and files besides',
      (path) => {
        commitFile(path, 'one');
        write(path, { two: '' });
      },
      { commits: 2, filesChanged: 2 },
      ['one', 'two'],
    ],
    [
      'a commit on a branch of its own',
      (path) => {
        git(path, 'checkout', '--quiet', '-b', 'fix/mine');
        commitFile(path, 'one');
      },
      { commits: 1, filesChanged: 1 },
      ['one'],
    ],
    [
      'a checkout of the main branch, with files besides',
      (path, { project }) => {
        commitFile(path, 'one');
        git(project, 'checkout', '--quiet', '-b', 'elsewhere');
        git(path, 'checkout', '--quiet', 'main');
        write(path, { two: '' });
      },
      { commits: 2, filesChanged: 1 },
      ['two'],
    ],
    [
      'a detached HEAD',
      (path) => {
        git(path, 'checkout', '--quiet', '--detach');
        commitFile(path, 'one');
      },
      { commits: 1, filesChanged: 1 },
      ['one'],
    ],
    [
      'a deleted branch',
      (path) => {
        git(path, 'update-ref', '-d', 'refs/heads/swarm/t1');
        write(path, { one: '' });
      },
      { commits: 1, filesChanged: 1 },
      ['one'],
    ],
    [
      'an unborn branch',
      (path) => {
        git(path, 'checkout', '--quiet', '--orphan', 'fresh');
        write(path, { one: '' });
      },
      { commits: 1, filesChanged: 1 },
      ['one'],
    ],
    ['a rebase in conflict', (path) => conflict(path), { commits: 3, filesChanged: 1 }, []],
    [
      'a lost index',
      (path, { gitDir }) => {
        write(path, { one: '' });
        unlinkSync(join(gitDir('t1'), 'index'));
      },
      { commits: 1, filesChanged: 1 },
      ['one'],
    ],
    [
      'a lock of a killed git',
      (path, { gitDir }) => {
        write(path, { one: '' });
        write(gitDir('t1'), { 'index.lock': '' });
      },
      { commits: 1, filesChanged: 1 },
      ['one'],
    ],
    [
      'a repository of its own in place of .git',
      (path) => {
        rmSync(join(path, '.git'));
        git(path, 'init', '--quiet');
        commitFile(path, 'one');
      },
      { commits: 1, filesChanged: 1 },
      ['one'],
    ],
    [
      'read-only folders, a pipe and a link to elsewhere',
      (path) => {
        write(path, { 'locked/one': '' });
        symlinkSync('/etc', join(path, 'link'));
        execFileSync('mkfifo', [join(path, 'pipe')]);
        chmodSync(join(path, 'locked'), 0o555);
      },
      { commits: 1, filesChanged: 2 },
      ['link', 'locked/one'],
    ],
    [
      'commits, and no folder',
      (path) => {
        commitFile(path, 'one');
        rmSync(path, { recursive: true });
      },
      { commits: 1, filesChanged: 1 },
      ['one'],
    ],
  ])('keeps of a task that is done: %s', async (_, work, changes, files) => {
    const scene = makeScene();
    const worktree = await scene.open('t1');
    const main = git(scene.project, 'rev-parse', 'main');
    await work(worktree.path, scene);
    const closed = await scene.worktrees.close({ worktree, outcome: 'done', message: 'Left by t1' });
    expect(closed).toEqual({ branch: 'swarm/t1', ...changes });
    expect(filesOn(scene.project, 'swarm/t1')).toEqual(expect.arrayContaining(files));
    expect(git(scene.project, 'rev-parse', 'main')).toBe(main);
    expect([existsSync(worktree.path), registeredIn(scene.project)]).toEqual([false, []]);
    expect(readdirSync(join(scene.root, '.trash'))).toEqual([]);
    expect(git(scene.project, 'fsck', '--no-dangling')).toBe('');
  });

  function odd(path: string): void {
    for (const name of ODD_NAMES) writeFileSync(join(path, name), name);
    writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0x6e, 0xff, 0xfe])]), 'not UTF-8');
  }

  function commitFile(path: string, name: string): void {
    write(path, { [name]: `${name}\n` });
    git(path, 'add', name);
    git(path, 'commit', '--quiet', '-m', name);
  }

  /** The task's branch has one commit; the rebase stopped at it, on top of another. */
  function conflict(path: string): void {
    const base = git(path, 'rev-parse', 'HEAD');
    write(path, { 'src/a.txt': 'mine\n' });
    git(path, 'commit', '--quiet', '-am', 'mine');
    git(path, 'checkout', '--quiet', '--detach', base);
    write(path, { 'src/a.txt': 'theirs\n' });
    git(path, 'commit', '--quiet', '-am', 'theirs');
    const theirs = git(path, 'rev-parse', 'HEAD');
    git(path, 'checkout', '--quiet', 'swarm/t1');
    expect(() => git(path, 'rebase', '--quiet', theirs)).toThrow('could not apply');
  }

  test.each<['done' | 'failed', string, (path: string) => unknown]>([
    ['done', 'nothing', () => {}],
    ['failed', 'nothing', () => {}],
    ['done', 'only what git ignores', (path) => write(path, { '.env': 'X=1\n', 'node_modules/a.js': '' })],
    [
      'done',
      'a change that was taken back',
      (path) => [write(path, { 'src/a.txt': 'b\n' }), git(path, 'checkout', '.')],
    ],
    ['done', 'no branch', (path) => git(path, 'update-ref', '-d', 'refs/heads/swarm/t1')],
    ['done', 'no folder', (path) => rmSync(path, { recursive: true })],
  ])('removes worktree and branch of a %s task that left %s', async (outcome, _, work) => {
    const { project, worktrees, open } = makeScene();
    const worktree = await open('t1');
    await work(worktree.path);
    const closed = await worktrees.close({ worktree, outcome, message: 'work' });
    expect(closed).toEqual({ branch: undefined, commits: 0, filesChanged: 0 });
    expect([existsSync(worktree.path), registeredIn(project), branchesOf(project)]).toEqual([false, [], []]);
  });

  test('keeps the worktree of a failed task, with everything committed, for another try', async () => {
    const { project, worktrees, open, restarted } = makeScene();
    const worktree = await open('t1');
    write(worktree.path, { one: '', '.env': 'ignored\n' });
    const closed = await worktrees.close({ worktree, outcome: 'failed', message: 'first try' });
    expect(closed).toEqual({ branch: 'swarm/t1', commits: 1, filesChanged: 1 });
    expect(git(worktree.path, 'status', '--porcelain', '--ignored')).toBe('!! .env');
    expect(await restarted().find('t1')).toBe(worktree.path);
    expect(await open('t1')).toEqual(worktree);
    write(worktree.path, { two: '' });
    expect(await restarted().close({ worktree, outcome: 'done', message: 'second try' })).toEqual({
      branch: 'swarm/t1',
      commits: 2,
      filesChanged: 2,
    });
    expect(git(project, 'log', '--format=%s', 'swarm/t1')).toBe('second try\nfirst try\nfirst');
  });

  test('brings a worktree that stays back to its branch', async () => {
    const { worktrees, open } = makeScene();
    const worktree = await open('t1');
    git(worktree.path, 'checkout', '--quiet', '-b', 'fix/mine');
    commitFile(worktree.path, 'one');
    write(worktree.path, { two: '' });
    await worktrees.close({ worktree, outcome: 'failed', message: 'work' });
    expect(git(worktree.path, 'status', '--short', '--branch')).toBe('## swarm/t1');
    expect(git(worktree.path, 'log', '--format=%s')).toBe('work\none\nfirst');
  });

  test('takes a worktree away at once, so that none is ever found half deleted', async () => {
    const { project, worktrees, open } = makeScene();
    write(project, Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`many/${index}/in/deep.txt`, ''])));
    git(project, 'add', '.');
    git(project, 'commit', '--quiet', '-m', 'many files');
    const worktree = await open('t1');
    const seen = new Set<number>();
    let isOver = false;
    const closing = worktrees.close({ worktree, outcome: 'done', message: 'work' }).finally(() => {
      isOver = true;
    });
    while (!isOver) {
      const many = join(worktree.path, 'many');
      seen.add(existsSync(many) ? readdirSync(many).length : 0);
      await nextTurn();
    }
    await closing;
    expect(seen).toEqual(new Set([300, 0]));
  });

  test.each([
    ['Fix the till', 'Fix the till'],
    ['--amend', '--amend'],
    ['two\nlines\0and\x1b[31m colour', 'two lines and [31m colour'],
    [' \n ', 'Work of an agent'],
    ['é'.repeat(300), `${'é'.repeat(199)}…`],
  ])('commits in the name of the swarm, with the message %j in one short line', async (message, subject) => {
    const { project, worktrees, open } = makeScene();
    const worktree = await open('t1');
    write(worktree.path, { one: '' });
    await worktrees.close({ worktree, outcome: 'done', message });
    const identity = 'CervellaSwarm <swarm@localhost>';
    expect(git(project, 'log', '-1', '--format=%B|%an <%ae>|%cn <%ce>', 'swarm/t1')).toBe(
      `${subject}\n|${identity}|${identity}`,
    );
  });

  test('runs no program that the project or the user has told git to run', async () => {
    const folder = tempDir();
    const { program, hasRun } = makeTracer(folder);
    const { project, worktrees, open } = makeScene();
    const hooks = [
      'post-checkout',
      'pre-commit',
      'commit-msg',
      'post-commit',
      'reference-transaction',
      'post-index-change',
    ];
    for (const hook of hooks) symlinkSync(program, join(project, '.git/hooks', hook));
    const global = { 'core.fsmonitor': program, 'gpg.program': program, 'core.editor': program, 'core.pager': program };
    const others = { 'commit.gpgSign': 'true', 'status.showUntrackedFiles': 'no', 'user.useConfigOnly': 'true' };
    for (const [key, value] of Object.entries({ ...global, ...others })) git(project, 'config', '--global', key, value);
    const worktree = await open('t1');
    write(worktree.path, { one: '' });
    await worktrees.close({ worktree, outcome: 'failed', message: 'work' });
    write(worktree.path, { two: '' });
    await worktrees.close({ worktree, outcome: 'done', message: 'work' });
    expect(filesOn(project, 'swarm/t1')).toEqual(expect.arrayContaining(['one', 'two']));
    expect(hasRun()).toBe(false);
    // The trap works: git itself walks into it.
    expect(() => git(project, 'commit', '--allow-empty', '-m', 'trapped')).toThrow();
    expect(hasRun()).toBe(true);
  });

  test('does not take the word of a worktree that names another repository', async () => {
    const [mine, other] = [makeScene(), makeProject()];
    const worktree = await mine.open('t1');
    git(other, 'worktree', 'add', '--quiet', '-b', 'other', join(tempDir(), 'elsewhere'));
    write(worktree.path, { one: '', '.git': `gitdir: ${other}/.git/worktrees/elsewhere\n` });
    const before = git(other, 'for-each-ref');
    expect(await messageOf(mine.restarted().close({ worktree, outcome: 'done', message: 'work' }))).toBe(
      `Could not close the worktree "${worktree.path}": its repository does not know it any more. Copy from that folder what you need: it stays as it is until it is old.`,
    );
    expect(existsSync(join(worktree.path, 'one'))).toBe(true);
    await mine.worktrees.close({ worktree, outcome: 'done', message: 'work' });
    expect(git(mine.project, 'show', 'swarm/t1:one')).toBe('');
    expect(git(other, 'for-each-ref')).toBe(before);
  });

  test('keeps a worktree in which a repository was made, since git saves nothing of it', async () => {
    const { project, worktrees, open } = makeScene();
    const worktree = await open('t1');
    makeProject(join(worktree.path, 'inner'));
    const closed = await worktrees.close({ worktree, outcome: 'done', message: 'work' });
    expect(closed).toEqual({ branch: 'swarm/t1', commits: 1, filesChanged: 1 });
    expect(existsSync(join(worktree.path, 'inner/README.md'))).toBe(true);
    expect(registeredIn(project)).toEqual([`worktree ${worktree.path}`]);
  });

  test('leaves everything where it is if it cannot be saved', async () => {
    const { project, worktrees, open } = makeScene();
    const worktree = await open('t1');
    write(worktree.path, { one: '1\n' });
    git(worktree.path, 'init', '--quiet', 'empty');
    const attempt = () => worktrees.close({ worktree, outcome: 'done', message: 'work' });
    expect(await messageOf(attempt())).toBe(
      `Could not close the worktree "${worktree.path}": 'empty/' does not have a commit checked out; adding files failed. Run git there by hand to see more.`,
    );
    expect(readFileSync(join(worktree.path, 'one'), 'utf8')).toBe('1\n');
    expect(registeredIn(project)).toEqual([`worktree ${worktree.path}`]);
    rmSync(join(worktree.path, 'empty'), { recursive: true });
    expect(await attempt()).toEqual({ branch: 'swarm/t1', commits: 1, filesChanged: 1 });
  });

  test('leaves an empty branch that its user has checked out', async () => {
    const { project, worktrees, open, warnings } = makeScene();
    const worktree = await open('t1');
    git(worktree.path, 'checkout', '--quiet', '--detach');
    git(project, 'checkout', '--quiet', 'swarm/t1');
    const closed = await worktrees.close({ worktree, outcome: 'done', message: 'work' });
    expect(closed).toEqual({ branch: undefined, commits: 0, filesChanged: 0 });
    expect([registeredIn(project), branchesOf(project), warnings]).toEqual([
      [],
      ['swarm/t1'],
      ['an empty branch stays'],
    ]);
  });

  test('deletes folders without write permission', async () => {
    const { project, root } = makeScene();
    const script = `import { createWorktrees } from ${JSON.stringify(BUILT)};
      import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
      const [root, path] = process.argv.slice(1);
      const worktrees = createWorktrees({ root, log: console });
      const worktree = await worktrees.open({ taskId: 't1', project: { name: 'shop', path } });
      mkdirSync(worktree.path + '/locked/deep', { recursive: true });
      writeFileSync(worktree.path + '/locked/deep/one', '');
      for (const each of ['/locked/deep', '/locked', '']) chmodSync(worktree.path + each, 0o555);
      await worktrees.close({ worktree, outcome: 'done', message: 'work' });`;
    const node = [process.execPath, '--input-type=module', '-e', script, root, project];
    const [program, ...args] = [...boundByPermissions(), ...node];
    expect(await promisify(execFile)(program, args)).toEqual({ stdout: '', stderr: '' });
    expect([existsSync(join(root, 'shop/t1')), readdirSync(join(root, '.trash'))]).toEqual([false, []]);
    expect(filesOn(project, 'swarm/t1')).toContain('locked/deep/one');
  });

  test.skipIf(!IS_ROOT)('keeps a worktree when the disk is full (skipped unless run as root)', async () => {
    const mounted = tempDir();
    const script = `import { createWorktrees } from ${JSON.stringify(BUILT)};
      import { execFileSync } from 'node:child_process';
      import { rmSync, writeFileSync } from 'node:fs';
      const [folder] = process.argv.slice(1);
      const worktrees = createWorktrees({ root: folder + '/worktrees', log: console, limits: { keepFailedMs: 0, maxCount: 0, maxBytes: 0 } });
      const project = { name: 'shop', path: folder + '/project' };
      const [saved, unsaved] = [await worktrees.open({ taskId: 'saved', project }), await worktrees.open({ taskId: 'unsaved', project })];
      writeFileSync(saved.path + '/one', 'one');
      await worktrees.close({ worktree: saved, outcome: 'failed', message: 'saved' });
      writeFileSync(unsaved.path + '/noise', Buffer.from(Array.from({ length: 200_000 }, () => Math.random() * 256)));
      try { execFileSync('sh', ['-c', 'cat /dev/zero > ' + folder + '/full'], { stdio: 'ignore' }); } catch {}
      const attempt = () => worktrees.close({ worktree: unsaved, outcome: 'done', message: 'work' });
      await attempt().catch(({ message, hint }) => console.log(message, hint));
      console.log(Boolean(await worktrees.find('unsaved')));
      console.log((await worktrees.prune({ isInUse: (id) => id === 'unsaved' })).removed, await worktrees.find('saved'));
      rmSync(folder + '/full');
      console.log(JSON.stringify(await attempt()));`;
    const mount = 'mount -t tmpfs -o size=4m none "$1" && cp -r "$0" "$1/project" && shift && exec "$@"';
    const node = [process.execPath, '--input-type=module', '-e', script, mounted];
    findProgram('mount');
    const args = ['-m', 'sh', '-ec', mount, makeProject(), mounted, ...node];
    const { stdout } = await promisify(execFile)(findProgram('unshare'), args);
    expect(stdout.replaceAll(mounted, '<folder>').split('\n')).toEqual([
      expect.stringMatching(
        /^Could not close the worktree "<folder>.*No space left on device.* Free disk space, then try again\.$/,
      ),
      'true',
      '1 undefined',
      '{"branch":"swarm/unsaved","commits":1,"filesChanged":1}',
      '',
    ]);
  });
});

describe('prune', () => {
  const nobody = { isInUse: () => false };

  /** Failed tasks of 1, 2, 3… days ago, each with this many bytes. */
  async function failedTasks(scene: ReturnType<typeof makeScene>, count: number, bytes = 1): Promise<void> {
    const today = scene.clock.nowMs;
    for (let days = count; days > 0; days -= 1) {
      scene.clock.nowMs = today - days * DAY_MS;
      const worktree = await scene.open(`days-${days}`);
      write(worktree.path, { 'work.txt': 'x'.repeat(bytes) });
      await scene.worktrees.close({ worktree, outcome: 'failed', message: 'work' });
    }
    scene.clock.nowMs = today;
  }

  const left = (root: string): string[] => readdirSync(join(root, 'shop')).toSorted();

  test.each<[string, NonNullable<Scene['limits']>, string[], string[]]>([
    ['nothing within the limits', {}, [], ['days-1', 'days-2', 'days-3']],
    ['what is too old', { keepFailedMs: 1.5 * DAY_MS }, [], ['days-1']],
    ['the oldest of too many', { maxCount: 2 }, [], ['days-1', 'days-2']],
    ['the oldest while they take too much room', { maxBytes: 2_500_000 }, [], ['days-1', 'days-2']],
    ['everything, if nothing may stay', { maxCount: 0 }, [], []],
    [
      'nothing that is in use',
      { keepFailedMs: 0, maxCount: 0, maxBytes: 0 },
      ['days-1', 'days-3'],
      ['days-1', 'days-3'],
    ],
    ['the next oldest in place of one in use', { maxCount: 2 }, ['days-3'], ['days-1', 'days-3']],
  ])('removes %s', async (_, limits, inUse, expected) => {
    const scene = makeScene({ limits });
    await failedTasks(scene, 3, 1_000_000);
    const pruned = await scene.restarted().prune({ isInUse: (taskId) => inUse.includes(taskId) });
    expect(left(scene.root)).toEqual(expected);
    expect(pruned.removed).toBe(3 - expected.length);
    expect(Math.floor(pruned.keptBytes / 1_000_000)).toBe(expected.length);
    expect(registeredIn(scene.project)).toHaveLength(expected.length);
    expect(branchesOf(scene.project)).toEqual(['swarm/days-1', 'swarm/days-2', 'swarm/days-3']);
    expect(scene.warnings).toEqual([]);
  });

  test('commits first what is not committed, and leaves no branch of a task that did nothing', async () => {
    const scene = makeScene({ limits: { maxCount: 0 } });
    const [worked] = [await scene.open('worked'), await scene.open('idle')];
    write(worked.path, { one: '', '.env': 'ignored\n' });
    expect(await scene.restarted().prune(nobody)).toEqual({ removed: 2, keptBytes: 0 });
    expect(git(scene.project, 'log', '-1', '--format=%s', '--name-only', 'swarm/worked')).toBe(
      'Left by task worked\n\none',
    );
    expect([branchesOf(scene.project), registeredIn(scene.project), left(scene.root)]).toEqual([
      ['swarm/worked'],
      [],
      [],
    ]);
  });

  test('goes on when one cannot be saved, and says so', async () => {
    const scene = makeScene({ limits: { maxCount: 0 } });
    await failedTasks(scene, 2);
    git(join(scene.root, 'shop/days-2'), 'init', '--quiet', 'empty');
    expect(await scene.worktrees.prune(nobody)).toMatchObject({ removed: 1 });
    expect([left(scene.root), scene.warnings]).toEqual([['days-2'], ['a worktree could not be pruned']]);
  });

  test('leaves a task alone that is taken up while others are removed', async () => {
    const scene = makeScene({ limits: { maxCount: 0 } });
    await failedTasks(scene, 2);
    // Free when first asked, in use by the time its turn has come.
    const asked: string[] = [];
    const isInUse = (taskId: string): boolean => asked.push(taskId) > 1 && taskId === 'days-2';
    expect(await scene.worktrees.prune({ isInUse })).toMatchObject({ removed: 1 });
    expect(left(scene.root)).toEqual(['days-2']);
  });

  test('removes by age alone what belongs to no repository any more', async () => {
    const scene = makeScene({ limits: { maxCount: 0, maxBytes: 0 } });
    await failedTasks(scene, 2);
    await scene.open('fresh');
    rmSync(scene.project, { recursive: true });
    expect(await scene.restarted().prune(nobody)).toMatchObject({ removed: 0 });
    scene.clock.nowMs += 5.5 * DAY_MS;
    expect(await scene.restarted().prune(nobody)).toMatchObject({ removed: 1 });
    expect(left(scene.root)).toEqual(['days-1', 'fresh']);
    scene.clock.nowMs += 2 * DAY_MS;
    expect(await scene.worktrees.prune(nobody)).toEqual({ removed: 2, keptBytes: 0 });
  });

  test('removes files that were put aside, when they are old', async () => {
    const scene = makeScene();
    const { path } = await scene.open('t1');
    write(path, { one: 'of unknown origin\n' });
    rmSync(scene.gitDir('t1'), { recursive: true });
    await scene.open('t1');
    const [aside] = left(scene.root).filter((name) => name.startsWith('t1.lost-'));
    expect(readFileSync(join(scene.root, 'shop', aside, 'one'), 'utf8')).toBe('of unknown origin\n');
    expect(scene.warnings).toEqual(['files that belong to no worktree were put aside']);
    const isInUse = (taskId: string): boolean => taskId === 't1';
    expect(await scene.worktrees.prune({ isInUse })).toMatchObject({ removed: 0 });
    scene.clock.nowMs += 8 * DAY_MS;
    expect(await scene.worktrees.prune({ isInUse })).toMatchObject({ removed: 1 });
    expect(left(scene.root)).toEqual(['t1']);
  });

  test('forgets worktrees of ours whose folder is gone, and none of the user', async () => {
    const scene = makeScene();
    const users = join(tempDir(), 'of the user');
    git(scene.project, 'worktree', 'add', '--quiet', '-b', 'mine', users);
    renameSync(users, `${users}, not mounted`);
    for (const id of ['gone', 'here']) write((await scene.open(id)).path, { one: '' });
    rmSync(join(scene.root, 'shop/gone'), { recursive: true });
    expect(await scene.restarted().prune(nobody)).toMatchObject({ removed: 1 });
    const expected = [`worktree ${users}`, `worktree ${join(scene.root, 'shop/here')}`];
    expect(new Set(registeredIn(scene.project))).toEqual(new Set(expected));
    expect(branchesOf(scene.project)).toEqual(['swarm/here']);
  });

  test('finishes what a killed process was deleting', async () => {
    const scene = makeScene();
    await scene.open('t1');
    write(scene.root, { '.trash/half/deleted/file': 'x' });
    await scene.worktrees.prune(nobody);
    expect(readdirSync(join(scene.root, '.trash'))).toEqual([]);
  });

  test('finds nothing where no worktree was ever opened', async () => {
    const { worktrees } = makeScene();
    expect(await worktrees.prune(nobody)).toEqual({ removed: 0, keptBytes: 0 });
    expect(await worktrees.find('t1')).toBeUndefined();
  });
});

test('killed at any moment, it takes up every task again and loses no work', async () => {
  const scene = makeScene();
  write(scene.project, Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`many/${index}.txt`, 'x'])));
  git(scene.project, 'add', '.');
  git(scene.project, 'commit', '--quiet', '-m', 'many files');
  const before = stateOf(scene.project);
  // Each task leaves one file more each time it is opened, and is done after the fourth.
  const script = `import { createWorktrees } from ${JSON.stringify(BUILT)};
    import { readdirSync, writeFileSync } from 'node:fs';
    const [root, path] = process.argv.slice(1);
    const worktrees = createWorktrees({ root, log: console });
    await Promise.all(['a', 'b'].map(async (taskId) => {
      for (;;) {
        const worktree = await worktrees.open({ taskId, project: { name: 'shop', path } });
        const count = readdirSync(worktree.path).filter((name) => name.startsWith('work-')).length;
        writeFileSync(worktree.path + '/work-' + count, '');
        console.log(taskId, count);
        await worktrees.close({ worktree, outcome: count % 3 === 2 ? 'done' : 'failed', message: 'work' });
      }
    }));`;
  const args = ['--input-type=module', '-e', script, scene.root, scene.project];
  const most = { a: 0, b: 0 };
  for (let round = 0; round < 10; round += 1) {
    // A group of its own, so that git is killed with it.
    const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let [said, trouble] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      trouble += text;
    });
    const ended = once(child, 'close');
    await sleep(300 + round * 77);
    process.kill(-(child.pid as number), 'SIGKILL');
    expect(await ended, trouble).toEqual([null, 'SIGKILL']);
    for (const [, id, count] of said.matchAll(/^(\w) (\d+)$/gm))
      most[id as 'a' | 'b'] = Math.max(most[id as 'a' | 'b'], Number(count) + 1);
    for (const id of ['a', 'b'] as const) {
      const worktree = await scene.restarted().open({ taskId: id, project: { name: 'shop', path: scene.project } });
      expect(readdirSync(worktree.path).filter((name) => name.startsWith('work-')).length).toBeGreaterThanOrEqual(
        most[id],
      );
      expect(git(worktree.path, 'status', '--porcelain')).not.toMatch(/^.?[DM]/m);
      expect(readdirSync(join(worktree.path, 'many'))).toHaveLength(150);
    }
  }
  expect(Math.min(most.a, most.b)).toBeGreaterThan(1);
  expect(stateOf(scene.project)).toEqual(before);
  expect(readdirSync(join(scene.project, '.git/worktrees')).toSorted()).toEqual(['a', 'b']);
  expect(git(scene.project, 'fsck', '--no-dangling')).toBe('');
});
