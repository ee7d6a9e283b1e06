// A container engine of the tests' own: its data, socket and processes lie in one folder, and nothing of it stays behind.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installDebianPackages } from '../../cli/setup.mjs';
import { fetchPackages } from './debian.mjs';
import { run } from './run.mjs';

const PROGRAMS = [
  ['dockerd', 'docker.io'],
  ['iptables-save', 'iptables'],
  ['ip', 'iproute2'],
  ['debootstrap', 'debootstrap'],
  // The old generation, written in Python.
  ['docker-compose', 'docker-compose'],
];
/** The client of the same package: another one on the path may lack BuildKit. */
export const DOCKER = '/usr/bin/docker';
const FORWARDING = '/proc/sys/net/ipv4/ip_forward';
const STARTS_WITHIN_MS = 60_000;
const STOPS_WITHIN_MS = 30_000;

/**
 * Starts an engine in a folder.
 * @param {string} folder
 */
export async function startEngine(folder) {
  installDebianPackages(PROGRAMS);
  const composeV2 = installComposeV2(join(folder, 'compose'));
  const before = {
    firewall: run('iptables-save', []),
    forwarding: readFileSync(FORWARDING, 'utf8'),
    interfaces: readInterfaces(),
  };
  const socket = `unix://${join(folder, 'docker.sock')}`;
  const paths = { '--data-root': 'data', '--exec-root': 'exec', '--pidfile': 'docker.pid' };
  const options = Object.entries(paths).flatMap(([option, name]) => [option, join(folder, name)]);
  // To a file: who runs the tests is busy, and a full pipe would stop the engine.
  const log = join(folder, 'dockerd.log');
  const daemon = spawn('dockerd', [...options, '--host', socket], { stdio: ['ignore', 'ignore', openSync(log, 'w')] });
  const ended = new Promise((resolve) => daemon.once('exit', resolve));
  const env = { DOCKER_HOST: socket, DOCKER_BUILDKIT: '1' };
  await untilAnswers(env, () => (daemon.exitCode === null ? undefined : readFileSync(log, 'utf8').slice(-4_000)));
  return {
    composeV2,
    env,
    /** Ends the engine and undoes what it did to the machine's network. */
    stop: async () => {
      daemon.kill('SIGTERM');
      await Promise.race([ended, sleep(STOPS_WITHIN_MS, undefined, { ref: false })]);
      sweep(folder);
      const added = readInterfaces().filter((name) => !before.interfaces.includes(name));
      for (const name of added) spawnSync('ip', ['link', 'delete', name], { stdio: 'ignore' });
      spawnSync('iptables-restore', [], { input: before.firewall });
      writeFileSync(FORWARDING, before.forwarding);
    },
  };
}

/**
 * What an engine that hangs leaves: its processes name the folder, those in containers have it as their root.
 * @param {string} folder
 */
function sweep(folder) {
  const ownMounts = readlinkSync('/proc/self/ns/mnt');
  const isOfEngine = (/** @type {string} */ pid) => {
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${folder}/`)) return true;
      const isElsewhere = readlinkSync(`/proc/${pid}/ns/mnt`) !== ownMounts;
      return isElsewhere && readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes(`${folder}/data/`);
    } catch {
      return false;
    }
  };
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isOfEngine(name))) {
    process.kill(Number(pid), 'SIGKILL');
  }
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1]);
  for (const mount of mounts.filter((path) => path?.startsWith(`${folder}/`))) spawnSync('umount', ['--lazy', mount]);
}

function readInterfaces() {
  return readdirSync('/sys/class/net');
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {() => string | undefined} findEnd
 */
async function untilAnswers(env, findEnd) {
  const startedMs = performance.now();
  for (;;) {
    const { status } = spawnSync(DOCKER, ['info'], { env: { ...process.env, ...env }, stdio: 'ignore' });
    if (status === 0) return;
    const log = findEnd();
    if (log !== undefined) throw new Error(`No container engine can be started here:\n${log}`);
    if (performance.now() - startedMs > STARTS_WITHIN_MS) throw new Error('The container engine does not answer.');
    await sleep(200);
  }
}

/**
 * Compose v2 is in no package of Debian 12, but the next release's runs here.
 * @param {string} folder
 */
function installComposeV2(folder) {
  mkdirSync(folder, { recursive: true });
  for (const file of fetchPackages(['docker-compose'], folder)) run('dpkg', ['-x', file, folder]);
  return join(folder, 'usr/libexec/docker/cli-plugins/docker-compose');
}
