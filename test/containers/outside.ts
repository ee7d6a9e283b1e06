import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { run } from './run.mjs';

/** Of the addresses set aside for documentation. */
const [HERE, THERE] = ['198.51.100.1', '198.51.100.2'];
const NAMESPACE = 'swarm-outside';
const SERVER = `require('http').createServer((_, r) => r.end('outside')).listen(80, () => console.log('ready'))`;

/**
 * Another machine, which this one reaches and which knows the way back to this one alone: what the internet is to containers.
 * It answers "outside" by HTTP, and goes when the test ends. Gives its address.
 */
export async function startOutside(): Promise<string> {
  const ip = (...args: readonly string[]): void => void run('ip', args);
  ip('netns', 'add', NAMESPACE);
  onTestFinished(() => ip('netns', 'delete', NAMESPACE));
  ip('link', 'add', 'swarm-out', 'type', 'veth', 'peer', 'name', 'swarm-in', 'netns', NAMESPACE);
  ip('address', 'add', `${HERE}/30`, 'dev', 'swarm-out');
  ip('link', 'set', 'swarm-out', 'up');
  ip('-netns', NAMESPACE, 'address', 'add', `${THERE}/30`, 'dev', 'swarm-in');
  ip('-netns', NAMESPACE, 'link', 'set', 'swarm-in', 'up');
  const args = ['netns', 'exec', NAMESPACE, process.execPath, '-e', SERVER];
  const server = spawn('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void server.kill('SIGKILL'));
  await once(server.stdout, 'data');
  return `http://${THERE}/`;
}
