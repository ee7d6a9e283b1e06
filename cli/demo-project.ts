import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const FOLDER = './data/demo';
const README = `# Demo project

Made by \`npm start\`, so that there is something for the demo agent to work on.
`;

/**
 * A small git repository and a projects.json that knows it, for a first look without a single setting; made once.
 * Returns the path of that projects.json.
 * @throws Error if git is not installed.
 */
export function makeDemoProject(): string {
  const repository = resolve(FOLDER, 'project');
  const file = resolve(FOLDER, 'projects.json');
  if (!existsSync(join(repository, '.git'))) makeRepository(repository);
  const projects = [{ name: 'demo', path: repository, isDemo: true }];
  writeFileSync(file, `${JSON.stringify({ projects }, null, 2)}\n`);
  return file;
}

function makeRepository(path: string): void {
  // What a run that was killed in the middle has left.
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'README.md'), README);
  const git = (...args: string[]): void => {
    const identity = [
      '-c',
      'user.name=CervellaSwarm',
      '-c',
      'user.email=swarm@localhost',
      '-c',
      'commit.gpgsign=false',
    ];
    execFileSync('git', ['-C', path, ...identity, ...args], { stdio: 'ignore', timeout: 20_000 });
  };
  git('init', '--quiet', '--initial-branch=main', '--template=');
  git('add', '.');
  git('commit', '--quiet', '--message=A project to try things on');
}
