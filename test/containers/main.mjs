// `npm run test:containers`: the real image and the whole stack in a container engine. Ends with `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, installPackages } from '../../cli/setup.mjs';
import { DOCKER, startEngine } from './engine.mjs';
import { run } from './run.mjs';
import { provideImages } from './stand-ins.mjs';

const startedMs = performance.now();
const folder = mkdtempSync(join(tmpdir(), 'swarm-containers-'));
/** @type {{ passed: number, failed: number }} */
const result = { passed: 0, failed: 0 };

if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
  // In CI that is a failure: it would prove nothing.
  console.log('Skipped: a container engine for the tests needs Debian and root.');
  if (process.env.CI) result.failed += 1;
} else {
  installPackages();
  build();
  await testInEngine();
  checkLeftovers();
}
console.log(`\n${result.passed} passed, ${result.failed} failed`);
process.exitCode = result.failed === 0 ? 0 : 1;

async function testInEngine() {
  const engine = await startEngine(join(folder, 'engine')).catch((/** @type {Error} */ error) => fail(error));
  if (!engine) return;
  say('an engine runs');
  try {
    const images = join(folder, 'images');
    mkdirSync(images);
    say(await provideImages(images, engine.env));
    for (const target of ['default', 'with-agent']) {
      const tag = `swarm-test:${target}`;
      run(DOCKER, ['build', '--quiet', '--network', 'host', '--target', target, '--tag', tag, '.'], {
        env: engine.env,
      });
      say(`the image "${target}" is built`);
    }
    runTests({
      ...engine.env,
      COMPOSE_V2: engine.composeV2,
      COMPOSE_V1: 'docker-compose',
      DOCKER,
      CONTAINERS_FOLDER: folder,
    });
  } catch (error) {
    fail(/** @type {Error} */ (error));
  } finally {
    await engine.stop();
    say('the engine has ended');
  }
}

/** @param {NodeJS.ProcessEnv} env */
function runTests(env) {
  const file = join(folder, 'vitest.json');
  const args = ['--config', 'test/containers/vitest.config.ts', '--reporter=verbose', '--reporter=json'];
  const { status } = spawnSync('npx', ['--no-install', 'vitest', 'run', ...args, `--outputFile.json=${file}`], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env, ...(process.stdout.isTTY ? {} : { NO_COLOR: '1' }) },
  });
  const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { numPassedTests: 0, numFailedTests: 0 };
  result.passed += report.numPassedTests;
  // A file that cannot be loaded fails the run without a failed test.
  result.failed += Math.max(report.numFailedTests, status === 0 ? 0 : 1);
}

/** No process and no mount of the engine may be left, and the folder must go. */
function checkLeftovers() {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const left = [
    ...mounts.filter((line) => line.includes(folder)),
    ...processes.map(commandLine).filter((line) => line.includes(folder)),
  ];
  for (const each of left) console.log(`left behind: ${each}`);
  result[left.length === 0 ? 'passed' : 'failed'] += 1;
  if (left.length === 0) rmSync(folder, { recursive: true, force: true });
}

/** @param {string} pid */
function commandLine(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** @param {Error} error */
function fail(error) {
  console.log(error.message);
  result.failed += 1;
}

/** @param {string} text */
function say(text) {
  console.log(`${((performance.now() - startedMs) / 1_000).toFixed(0).padStart(4)} s  ${text}`);
}
