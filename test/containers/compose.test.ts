import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { docker, GENERATIONS } from './stack.ts';

const PROJECT_FILE = 'docker-compose.monitoring.yml';
const MOST_BYTES = 350e6;

/** Runs Compose with nothing set but these variables. */
function composeWith(program: string, environment: Record<string, string>, ...args: readonly string[]) {
  const env = { PATH: process.env.PATH, DOCKER_HOST: process.env.DOCKER_HOST, ...environment };
  try {
    return { code: 0, output: execFileSync(program, args, { env, encoding: 'utf8', stdio: 'pipe' }) };
  } catch (error) {
    const { status, stderr } = error as { status: number; stderr: string };
    return { code: status, output: stderr };
  }
}

test.each(Object.entries(GENERATIONS))(
  '%s takes the compose file, with the orchestrator inside or on the host',
  (_, program) => {
    const password = { GRAFANA_PASSWORD: 'secret' };
    expect(composeWith(program, password, '-f', PROJECT_FILE, 'config', '--quiet')).toMatchObject({ code: 0 });
    const both = ['-f', PROJECT_FILE, '-f', 'docker-compose.host-orchestrator.yml'];
    const { code, output } = composeWith(program, password, ...both, 'config', '--services');
    expect(code, output).toBe(0);
  },
);

test.each(Object.entries(GENERATIONS))('%s refuses to start without .env, and says what is missing', (_, program) => {
  const { code, output } = composeWith(program, {}, '-f', PROJECT_FILE, 'config', '--quiet');
  expect(code).not.toBe(0);
  expect(output).toContain('GRAFANA_PASSWORD is not set. Copy .env.example to .env and set it there');
});

test('an empty password is refused before anything else starts', async () => {
  const refused = docker(
    'run',
    '--rm',
    '--network',
    'none',
    '--user',
    '0',
    'swarm-test:default',
    'sh',
    'cli/prepare.sh',
  );
  await expect(refused).rejects.toThrow(/GRAFANA_PASSWORD is not set. Set it, or GRAFANA_PASSWORD_FILE, in \.env/);
});

test('the image is small, says what it is made from, and holds nothing but what runs', async () => {
  const bytes = Number(await docker('image', 'inspect', '--format', '{{.Size}}', 'swarm-test:default'));
  console.log(`image: ${(bytes / 1e6).toFixed(0)} MB`);
  expect(bytes).toBeLessThan(MOST_BYTES);
  const files = await docker('run', '--rm', 'swarm-test:default', 'ls', '-A', '/swarm');
  expect(files.split('\n')).toEqual([
    'alertmanager',
    'cli',
    'dist',
    'node_modules',
    'package-lock.json',
    'package.json',
  ]);
  expect(await docker('run', '--rm', 'swarm-test:default', 'id', '-un')).toBe('node');
  expect(await docker('run', '--rm', 'swarm-test:default', 'swarm', '--version')).toMatch(/^\d+\.\d+\.\d+/);
});

test('the image with agents has git and the agent, for a user who may write nothing', async () => {
  const options = ['--rm', '--read-only', '--tmpfs', '/home/node', '--tmpfs', '/tmp', '--network', 'none'];
  const ask = (...command: string[]): Promise<string> => docker('run', ...options, 'swarm-test:with-agent', ...command);
  expect(await ask('claude', '--version')).toMatch(/\(Claude Code\)/);
  expect(await ask('git', '--version')).toMatch(/^git version/);
  expect(await ask('rg', '--version')).toMatch(/^ripgrep/);
});
