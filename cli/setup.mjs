// What `npm start` and `npm test` need before anything of ours can run: plain Node, nothing installed yet.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCES = [
  'lib',
  'exporter',
  'cli',
  'grafana/builder',
  'bench',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
];
const STAMP = 'node_modules/.installed-for';
/** What compiles better-sqlite3 where no prebuilt binary can be fetched: program and Debian package. */
const COMPILER = [
  ['python3', 'python3'],
  ['make', 'make'],
  ['g++', 'g++'],
];

/** Installs npm packages and builds, each only if needed. */
export async function prepare() {
  process.chdir(ROOT);
  installPackages();
  build();
}

/**
 * Installs what the lock file says if node_modules does not belong to it and to this Node. Not `npm ci`: it refuses a lock
 * file without the binaries of every other platform, and a registry that mirrors one platform only cannot supply them.
 */
export function installPackages() {
  process.chdir(ROOT);
  const wanted = createHash('sha256').update(readFileSync('package-lock.json')).update(process.version).digest('hex');
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return;
  if (existsSync('/etc/debian_version') && process.getuid?.() === 0) installDebianPackages(COMPILER);
  say('installing npm packages (compiling SQLite takes a minute or two)');
  run('npm', ['install', '--no-save', '--no-audit', '--no-fund']);
  writeFileSync(STAMP, wanted);
}

/**
 * On Debian and as root, installs the packages whose program is missing.
 * @param {string[][]} wanted pairs of program and package
 */
export function installDebianPackages(wanted) {
  const missing = wanted.filter(([program]) => !hasProgram(program)).map(([, name]) => name);
  if (missing.length === 0) return;
  say(`installing Debian packages: ${missing.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  run('apt-get', ['-qq', 'update'], env);
  run('apt-get', ['-qq', 'install', '-y', '--no-install-recommends', ...missing], env);
}

/** Compiles TypeScript if a source is newer than the last build. */
export function build() {
  process.chdir(ROOT);
  const builtMs = statSync('dist/build.json', { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (SOURCES.every((path) => newestMs(path) < builtMs)) return;
  say('building');
  run('npm', ['run', '--silent', 'build']);
}

/**
 * When the newest file at or below a path was written.
 * @param {string} path
 * @returns {number}
 */
function newestMs(path) {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return 0;
  if (!found.isDirectory()) return found.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newestMs(`${path}/${name}`)));
}

/** @param {string} name */
export function hasProgram(name) {
  return (process.env.PATH ?? '').split(':').some((folder) => {
    const file = statSync(`${folder}/${name}`, { throwIfNoEntry: false });
    return file?.isFile() ?? false;
  });
}

/** @param {string} text */
function say(text) {
  process.stderr.write(`swarm: ${text}\n`);
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
function run(command, args, env = process.env) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2], env });
  if (status === 0) return;
  say(`could not run: ${command} ${args.join(' ')} (${error?.message ?? `exit code ${status}`})`);
  process.exit(1);
}
