// `npm test`: installs what is missing, then proves everything but the containers. Ends with `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, installDebianPackages, installPackages } from '../cli/setup.mjs';

/** The real programs the tests start: program and Debian package. */
const PROGRAMS = [
  ['git', 'git'],
  ['redis-server', 'redis-server'],
  ['prometheus', 'prometheus'],
  ['promtool', 'prometheus'],
  ['amtool', 'prometheus-alertmanager'],
  ['openssl', 'openssl'],
  ['chromium', 'chromium'],
];
/** Marks every process that descends from this run, so that one left behind is found. */
const RUN_ID = `${process.pid}-${Date.now()}`;
const folder = mkdtempSync(join(tmpdir(), 'swarm-test-'));
const env = {
  ...process.env,
  SWARM_TEST_RUN: RUN_ID,
  TMPDIR: folder,
  ...(process.stdout.isTTY ? {} : { NO_COLOR: '1' }),
};

/** @type {{ name: string, passed: number, failed: number }[]} */
const results = [];

installPackages();
if (existsSync('/etc/debian_version') && process.getuid?.() === 0) {
  installDebianPackages(PROGRAMS);
  if (spawnSync('/usr/bin/python3', ['-c', 'import prometheus_client']).status !== 0) {
    installDebianPackages([['', 'python3-prometheus-client']]);
  }
}
installAgentCli();
check('lint and format', ['npm', 'run', '--silent', 'lint']);
check('types', ['npm', 'run', '--silent', 'types']);
check('import rules', ['npm', 'run', '--silent', 'imports']);
check('dead code', ['npm', 'run', '--silent', 'dead-code']);
build();
runTests();
checkLeftovers();
rmSync(folder, { recursive: true, force: true });

const sum = (/** @type {'passed' | 'failed'} */ key) => results.reduce((total, each) => total + each[key], 0);
console.log('');
for (const { name, passed, failed } of results)
  console.log(`${failed === 0 ? 'ok  ' : 'FAIL'} ${name}: ${passed} passed`);
console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`);
process.exitCode = sum('failed') === 0 ? 0 : 1;

/** The real command line of agents, for the tests of the runner; what needs it says so if this fails. */
function installAgentCli() {
  const { dependencies } = JSON.parse(readFileSync('test/agent-cli/package.json', 'utf8'));
  const [[name, version]] = Object.entries(dependencies);
  const installed = read(`test/agent-cli/node_modules/${name}/package.json`);
  if (installed !== '' && JSON.parse(installed).version === version) return;
  console.log(`installing ${name} ${version} for the tests`);
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--silent', '--prefix', 'test/agent-cli'];
  spawnSync('npm', args, { stdio: ['ignore', 2, 2] });
}

/**
 * Runs one tool; it passes if it exits with 0.
 * @param {string} name
 * @param {string[]} command
 */
function check(name, [program, ...args]) {
  console.log(`\n== ${name}`);
  const { status } = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'], env });
  report(name, status === 0 ? 1 : 0, status === 0 ? 0 : 1);
}

function runTests() {
  console.log('\n== tests');
  const file = join(folder, 'vitest.json');
  const args = ['vitest', 'run', '--reporter=dot', '--reporter=json', `--outputFile.json=${file}`];
  const { status } = spawnSync('npx', ['--no-install', ...args], { stdio: ['ignore', 'inherit', 'inherit'], env });
  if (!existsSync(file)) {
    report('tests', 0, 1);
    return;
  }
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(file, 'utf8'));
  if (numPendingTests > 0) console.log(`${numPendingTests} tests were skipped; their names say why.`);
  // A file that cannot be loaded fails the run without a failed test.
  report('tests', numPassedTests, Math.max(numFailedTests, status === 0 ? 0 : 1));
}

/** Nothing may be left: no process of this run, no file in its temporary folder. */
function checkLeftovers() {
  const processes = existsSync('/proc') ? descendants() : [];
  const files = readdirSync(folder).filter((name) => name !== 'vitest.json' && !name.startsWith('node-compile-cache'));
  for (const each of [...processes, ...files]) console.log(`left behind: ${each}`);
  const isClean = processes.length + files.length === 0;
  report('nothing left running or lying about', isClean ? 1 : 0, isClean ? 0 : 1);
}

/** @returns {string[]} the command lines of processes that carry this run's mark */
function descendants() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => read(`/proc/${pid}/environ`).includes(`SWARM_TEST_RUN=${RUN_ID}`))
    .map((pid) => `process ${pid}: ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`);
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/**
 * @param {string} name
 * @param {number} passed
 * @param {number} failed
 */
function report(name, passed, failed) {
  results.push({ name, passed, failed });
}
