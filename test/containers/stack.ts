import { execFile } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, vi } from 'vitest';
import { FAKE_AGENT } from '../support/agent-runs.ts';
import { freePort } from '../support/free-port.ts';
import { makeProject } from '../support/swarm-scene.ts';
import { run } from './run.mjs';

const execute = promisify(execFile);
const { DOCKER = '', DOCKER_HOST = '', COMPOSE_V1 = '', COMPOSE_V2 = '', CONTAINERS_FOLDER = '' } = process.env;
const ENVIRONMENT = { PATH: process.env.PATH, HOME: process.env.HOME, DOCKER_HOST };
const PROJECT_FILE = 'docker-compose.monitoring.yml';

/** Both generations of Compose. */
export const GENERATIONS = { 'Compose v2': COMPOSE_V2, 'docker-compose 1.29': COMPOSE_V1 } as const;

/** Whoever owns the folders of the host, and is the user inside. */
const OWNER = '1000:1000';
/** What runs when the stack is up. */
export const RUNNING = ['swarm-exporter', 'scheduler', 'orchestrator', 'redis'].concat([
  'prometheus',
  'alertmanager',
  'grafana',
  'node-exporter',
]);

export const PATIENTLY = { timeout: 60_000, interval: 250 };

/** The host as the stack sees it: folders, free ports, and an `.env`. */
export interface Site {
  readonly folder: string;
  readonly memoryPath: string;
  readonly project: string;
  readonly fakeAgent: string;
  readonly port: (variable: string) => number;
  /** Sets variables of `.env` on top of the others. */
  readonly configure: (variables: Readonly<Record<string, string>>) => void;
  /** Gives everything below the site to the user of the containers. */
  readonly giveAway: () => void;
}

const PORTS = ['EXPORTER_PORT', 'ORCHESTRATOR_PORT', 'SCHEDULER_PORT', 'WEBHOOK_PORT', 'GRAFANA_PORT'].concat([
  'PROMETHEUS_PORT',
  'ALERTMANAGER_PORT',
  'REDIS_PORT',
]);
const ENV_FILE = join(CONTAINERS_FOLDER, 'site/.env');
const OVERRIDE = join(CONTAINERS_FOLDER, 'site/override.yml');

/** Makes the host's side; only waiting times differ from what is shipped. */
export async function makeSite(): Promise<Site> {
  const folder = join(CONTAINERS_FOLDER, 'site');
  for (const name of ['memory', 'backups', 'projects/.tools']) mkdirSync(join(folder, name), { recursive: true });
  const project = makeProject(join(folder, 'projects/acme'));
  writeFileSync(
    join(folder, 'projects/projects.json'),
    JSON.stringify({ projects: [{ name: 'acme', path: project }] }),
  );
  const fakeAgent = join(folder, 'projects/.tools/fake-agent.mjs');
  cpSync(FAKE_AGENT, fakeAgent);
  chmodSync(fakeAgent, 0o755);
  const ports = new Map<string, number>();
  for (const variable of PORTS) ports.set(variable, await freePort());
  let variables: Record<string, string> = {
    GRAFANA_PASSWORD: 'a "quoted" $password',
    SWARM_DB_DIR: join(folder, 'memory'),
    PROJECTS_DIR: join(folder, 'projects'),
    BACKUP_HOST_DIR: join(folder, 'backups'),
    SWARM_IMAGE_TAG: 'test',
    ...Object.fromEntries([...ports].map(([variable, port]) => [variable, String(port)])),
  };
  const configure: Site['configure'] = (more) => {
    variables = { ...variables, ...more };
    // Single quotes: both generations take what is between them as it is.
    writeFileSync(
      ENV_FILE,
      Object.entries(variables)
        .map(([name, value]) => `${name}='${value}'\n`)
        .join(''),
    );
  };
  configure({});
  writeFileSync(OVERRIDE, JSON.stringify(makeOverride(folder)));
  const giveAway = (): void => void run('chown', ['-R', OWNER, folder]);
  giveAway();
  return {
    folder,
    memoryPath: join(folder, 'memory/swarm_memory.db'),
    project,
    fakeAgent,
    port: (variable) => ports.get(variable) ?? 0,
    configure,
    giveAway,
  };
}

/** Health is asked every second, and Prometheus scrapes every second and waits three for an alert. */
function makeOverride(folder: string): object {
  const prometheus = join(folder, 'prometheus');
  cpSync('prometheus', prometheus, { recursive: true });
  const hurry = (file: string, change: (text: string) => string): void =>
    writeFileSync(file, change(readFileSync(file, 'utf8')));
  hurry(join(prometheus, 'prometheus.yml'), (text) => text.replace(/(scrape|evaluation)_(\w+): \d+s/g, '$1_$2: 1s'));
  for (const name of readdirSync(join(prometheus, 'rules'))) {
    hurry(join(prometheus, 'rules', name), (text) => text.replace(/( for): .*/g, '$1: 3s'));
  }
  const healthcheck = { interval: '2s', start_period: '60s' };
  const services = Object.fromEntries(RUNNING.map((name) => [name, { healthcheck }]));
  return { services: { ...services, prometheus: { healthcheck, volumes: [`${prometheus}:/etc/prometheus:ro`] } } };
}

/** Runs Compose on the files of the repository and the site's `.env`; gives what it printed. */
export async function compose(args: readonly string[], program: string = COMPOSE_V2): Promise<string> {
  const files = ['-f', PROJECT_FILE, '-f', OVERRIDE, '--project-directory', '.'];
  return await succeed(program, ['--project-name', 'swarm', '--env-file', ENV_FILE, ...files, ...args]);
}

/** Starts what is not running, and waits until all of it is healthy. */
export async function up(program: string = COMPOSE_V2, ...args: readonly string[]): Promise<void> {
  await compose(['up', '-d', '--no-build', ...args], program);
  await untilHealthy(RUNNING);
}

/** Waits until services are healthy. */
export async function untilHealthy(services: readonly string[]): Promise<void> {
  await vi.waitFor(async () => {
    const states = await Promise.all(services.map((each) => inspect(each, '{{.State.Health.Status}}')));
    expect(Object.fromEntries(services.map((each, index) => [each, states[index]]))).toEqual(
      Object.fromEntries(services.map((each) => [each, 'healthy'])),
    );
  }, PATIENTLY);
}

/** The name of a service's container. */
export function containerOf(service: string): string {
  return `cervellaswarm-${service.replace('swarm-', '')}`;
}

/** Runs docker; gives what it printed. */
export async function docker(...args: readonly string[]): Promise<string> {
  return await succeed(DOCKER, args);
}

/** What docker knows of a service's container, by a template. */
export async function inspect(service: string, template: string): Promise<string> {
  return await docker('inspect', '--format', template, containerOf(service));
}

/** Runs a command in a service's container; gives its output, also if it fails. */
export async function inside(service: string, ...command: readonly string[]): Promise<string> {
  return await docker('exec', containerOf(service), ...command).catch((error: unknown) => String(error));
}

/** What a service's container has said, on both streams. */
export async function logsOf(service: string): Promise<string> {
  const { stdout, stderr } = await execute(DOCKER, ['logs', containerOf(service)], { env: ENVIRONMENT });
  return stdout + stderr;
}

/** Runs `swarm` where the queue is. */
export async function swarmInside(...args: readonly string[]): Promise<Record<string, unknown>> {
  return JSON.parse(await docker('exec', containerOf('orchestrator'), 'swarm', ...args, '--json')) as Record<
    string,
    unknown
  >;
}

/** The arguments of `swarm ship` on a laptop whose ssh is a script that goes into the orchestrator's container. */
export function shipTo(home: string): readonly string[] {
  const ssh = join(home, 'ssh');
  const command = `DOCKER_HOST='${DOCKER_HOST}' exec '${DOCKER}' exec -i ${containerOf('orchestrator')} sh -c "$*"`;
  writeFileSync(ssh, `#!/bin/sh\nshift\n${command}\n`, { mode: 0o755 });
  return ['ship', '--to', 'vm', '--ssh-command', ssh, '--state-dir', home];
}

async function succeed(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await execute(program, args, { env: ENVIRONMENT, maxBuffer: 64e6 });
  return stdout.trim();
}
