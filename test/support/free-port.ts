import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Ports below those that the system gives out by itself, to whoever connects or listens on port 0: one that was free stays
 * free until it is used, and while a program that is killed starts again. Files that run at once have ranges of their own.
 */
const FIRST = 10_000;
const OF_EACH_WORKER = 4_000;
const WORKER = Number(process.env.VITEST_POOL_ID ?? 0) % 5;
/** Not the same in each file: a port is not given again while somebody may still knock there. */
let next = Math.floor(Math.random() * OF_EACH_WORKER);

/** A port that is free, for programs that cannot say which one they took. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < OF_EACH_WORKER; tries += 1) {
    next = (next + 1) % OF_EACH_WORKER;
    const port = FIRST + WORKER * OF_EACH_WORKER + next;
    if (await isFree(port)) return port;
  }
  throw new Error('there is no free port');
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    const listening = once(server, 'listening');
    server.listen(port, '127.0.0.1');
    await listening;
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
