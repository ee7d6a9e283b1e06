import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Check, Finding } from './checks.ts';
import { readDotEnv } from './dot-env.ts';

type Result = Omit<Finding, 'check'>;

/** What runs the containers. Without an `.env` nobody means to, so what is missing is no problem then. */
export const DOCKER_CHECKS: readonly Check[] = [
  { name: 'docker', run: checkDocker },
  { name: 'compose', run: checkCompose },
];

const OLDEST_ENGINE = [20, 10] as const;
const OLDEST_COMPOSE = [1, 29] as const;
const ANSWERS_WITHIN_MS = 10_000;
const run = promisify(execFile);

async function checkDocker(): Promise<Result> {
  const remedy = `Install Docker ${OLDEST_ENGINE.join('.')} or later (Debian: apt-get install docker.io), start it, and join the group docker.`;
  try {
    const version = await ask('docker', 'version', '--format', '{{.Server.Version}}');
    return isAtLeast(version, OLDEST_ENGINE)
      ? { level: 'ok', message: `engine ${version}` }
      : { level: 'problem', message: `engine ${version} is too old`, remedy };
  } catch (error) {
    return { level: missingLevel(), message: describe(error), remedy };
  }
}

async function checkCompose(): Promise<Result> {
  const remedy = `Install Compose: apt-get install docker-compose gives ${OLDEST_COMPOSE.join('.')}, Docker's own packages give v2.`;
  for (const command of [['docker', 'compose'], ['docker-compose']]) {
    const [program, ...args] = command;
    const version = await ask(program, ...args, 'version', '--short').catch(() => undefined);
    if (version === undefined) continue;
    const message = `${command.join(' ')} ${version}`;
    if (isAtLeast(version, OLDEST_COMPOSE)) return { level: 'ok', message };
    return { level: 'problem', message: `${message} is too old`, remedy };
  }
  return { level: missingLevel(), message: 'neither "docker compose" nor "docker-compose" can be run', remedy };
}

/** Host ports of our own containers that are up; none where Docker cannot be asked. */
export async function portsOfOurContainers(): Promise<ReadonlySet<number>> {
  const text = await ask('docker', 'ps', '--filter', 'name=cervellaswarm-', '--format', '{{.Ports}}').catch(() => '');
  return new Set([...text.matchAll(/:(\d+)->/g)].map(([, port]) => Number(port)));
}

async function ask(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run(program, args, { timeout: ANSWERS_WITHIN_MS });
  return stdout.trim();
}

function missingLevel(): Finding['level'] {
  return readDotEnv() ? 'problem' : 'warning';
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [, foundMajor, foundMinor] = /^v?(\d+)\.(\d+)/.exec(version)?.map(Number) ?? [];
  return foundMajor > major || (foundMajor === major && foundMinor >= minor);
}

function describe(error: unknown): string {
  const { code, stderr } = error as { code?: unknown; stderr?: string };
  if (code === 'ENOENT') return 'there is no program "docker"';
  return `its engine does not answer: ${(stderr || String(error)).trim().split('\n').at(-1)}`.slice(0, 200);
}
