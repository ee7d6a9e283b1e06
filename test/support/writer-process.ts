import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const WRITER = fileURLToPath(new URL('./writer.mjs', import.meta.url));

/**
 * Another program that has the memory open, after it ran this SQL once, or again and again. It never checkpoints by itself.
 * Returns how to kill it with SIGKILL, which the end of the test does as well.
 */
export async function startWriter(path: string, sql: string, everyMs?: number): Promise<() => Promise<void>> {
  const interval = everyMs === undefined ? [] : [String(everyMs)];
  const child = spawn(process.execPath, [WRITER, path, sql, ...interval], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  onTestFinished(kill);
  await Promise.race([
    once(child.stdout, 'data'),
    ended.then(([code]) => {
      throw new Error(`The writer ended with ${code} before it was ready.`);
    }),
  ]);
  return kill;
}
