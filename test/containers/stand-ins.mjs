// Where no image registry can be reached, the official images are replaced by stand-ins of the same names.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { fetchPackages, findMirror } from './debian.mjs';
import { DOCKER } from './engine.mjs';
import { run } from './run.mjs';

const PULLS_WITHIN_MS = 300_000;
const SERVICES = ['prometheus', 'alertmanager', 'node-exporter', 'redis', 'grafana'];
const PROGRAMS = ['prometheus', 'prometheus-alertmanager', 'prometheus-node-exporter'];
const INCLUDED = ['ca-certificates', 'busybox', 'redis-server'];
/** What the official slim images leave out as well, so that sizes can be compared. */
const LEFT_OUT = ['usr/share/doc/*', 'usr/share/man/*', 'usr/share/locale/*', 'usr/share/info/*', 'var/cache/apt/*']
  .concat(['var/lib/apt/lists/*', 'var/log/*', 'dev/*'])
  .map((path) => `--exclude=./${path}`);
const DOCKERFILE_NODE = /^ARG NODE_IMAGE=(node:(\S+?)-\S+)$/m;

/**
 * Fetches the official images, or makes the stand-ins. Says which.
 * @param {string} folder
 * @param {NodeJS.ProcessEnv} env
 */
export async function provideImages(folder, env) {
  const [, nodeImage, nodeVersion] = DOCKERFILE_NODE.exec(readFileSync('Dockerfile', 'utf8')) ?? [];
  const { services } = parse(readFileSync('docker-compose.monitoring.yml', 'utf8'), { merge: true });
  /** @type {[string, string][]} */
  const images = [
    ['node', nodeImage],
    ...SERVICES.map((name) => /** @type {[string, string]} */ ([name, services[name].image])),
  ];
  if (canPull(images[0][1], env)) {
    for (const [, image] of images) run(DOCKER, ['pull', '--quiet', image], { env });
    return 'official images';
  }
  // It downloads while the rest is got together.
  const base = makeBase(folder, env);
  makeContext(folder, nodeVersion);
  await base;
  for (const [target, image] of images) {
    run(DOCKER, ['build', '--quiet', '--target', target, '--tag', image, folder], { env });
  }
  return 'stand-ins for the official images: no registry can be reached';
}

/**
 * @param {string} image
 * @param {NodeJS.ProcessEnv} env
 */
function canPull(image, env) {
  const options = { env: { ...process.env, ...env }, timeout: PULLS_WITHIN_MS };
  return spawnSync(DOCKER, ['pull', '--quiet', image], options).status === 0;
}

/**
 * A small Debian as an image, from its packages.
 * @param {string} folder
 * @param {NodeJS.ProcessEnv} env
 */
async function makeBase(folder, env) {
  const root = join(folder, 'base');
  const { release, address } = findMirror();
  const options = ['--variant=minbase', `--include=${INCLUDED}`, release, root, address];
  const [status] = await once(spawn('debootstrap', options, { stdio: 'ignore' }), 'exit');
  if (status !== 0) throw new Error('debootstrap could not make a small Debian.');
  const tar = spawn('tar', ['-C', root, ...LEFT_OUT, '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const docker = spawn(DOCKER, ['import', '-', 'stand-in-base'], {
    env: { ...process.env, ...env },
    stdio: [tar.stdout, 'ignore', 'inherit'],
  });
  const [code] = await once(docker, 'exit');
  if (code !== 0) throw new Error("The stand-ins' base could not be imported.");
  rmSync(root, { recursive: true });
}

/**
 * What the Dockerfile of the stand-ins copies.
 * @param {string} folder
 * @param {string} nodeVersion
 */
function makeContext(folder, nodeVersion) {
  cpSync('test/containers/stand-ins', folder, { recursive: true });
  const debian = join(folder, 'debian');
  mkdirSync(debian);
  for (const file of fetchPackages(PROGRAMS, join(folder, 'packages'))) run('dpkg', ['-x', file, debian]);
  // Node's own builds are on the npm registry too, headers included.
  run('npm', ['pack', '--silent', `node-linux-${process.arch}@${nodeVersion}`], { cwd: folder });
  const node = join(folder, 'node');
  mkdirSync(node);
  const archive = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  run('tar', ['-xzf', join(folder, String(archive)), '-C', node, '--strip-components=1']);
  // As in the official image: OpenSSL's headers for one architecture.
  const headers = join(node, 'include/node/openssl/archs');
  const kept = process.arch === 'arm64' ? 'linux-aarch64' : 'linux-x86_64';
  for (const name of readdirSync(headers)) if (name !== kept) rmSync(join(headers, name), { recursive: true });
  cpSync(join(run('npm', ['root', '--global']).trim(), 'npm'), join(folder, 'npm'), { recursive: true });
  cpSync('/etc/ssl/certs/ca-certificates.crt', join(folder, 'certificates.crt'));
}
