import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { describeError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { connectOnce } from '../lib/queue/connection.ts';

/** A Redis of our own, for `swarm up` without REDIS_URL. */
export interface OwnRedis {
  readonly url: string;
  readonly password: string;
  readonly stop: () => Promise<void>;
}

interface Place {
  readonly port: number;
  readonly password: string;
}

const FOLDER = './data/redis';
const PLACE_FILE = 'server.json';
const READY_WITHIN_MS = 10_000;
const GONE_WITHIN_MS = 5_000;
const RESTART_AFTER_MS = 1_000;

/**
 * Runs redis-server and ends it when our end of the pipe closes, whatever we died of: one that stayed would keep its data from
 * the next. What runs in the background has no standard input of its own, hence descriptor 3.
 */
const WITH_US =
  'exec 3<&0; redis-server "$0" & server=$!; (read -r _ <&3; kill "$server") & watch=$!; wait "$server"; kill "$watch"';

/**
 * Starts redis-server on a free port of the loopback, with its data under ./data/redis. If it dies, it is started again.
 * @throws Error with code ENOENT if redis-server is not installed, another if it does not answer.
 */
export async function startOwnRedis(log: Log): Promise<OwnRedis> {
  mkdirSync(resolve(FOLDER), { recursive: true, mode: 0o700 });
  if (!isInstalled()) throw Object.assign(new Error('redis-server is not installed'), { code: 'ENOENT' });
  const left = readPlace();
  if (left) await untilGone(left);
  const place = { port: await freePort(), password: randomBytes(18).toString('base64url') };
  const server = await launch(place, log);
  return { url: url(place), password: place.password, stop: () => stopServer(server) };
}

/** Keeps the server alive until it is stopped. */
interface Server {
  isStopping: boolean;
  child: ChildProcess;
}

async function launch(place: Place, log: Log): Promise<Server> {
  writePrivately(PLACE_FILE, JSON.stringify(place));
  const server: Server = { isStopping: false, child: spawnServer(place) };
  const watch = (child: ChildProcess): void => {
    child.once('error', (error) => log.error({ reason: error.message }, 'redis-server does not start'));
    child.once('exit', (code, signal) => {
      if (server.isStopping) return;
      log.error({ code, signal }, 'redis-server ended; starting it again');
      setTimeout(() => {
        if (server.isStopping) return;
        server.child = spawnServer(place);
        watch(server.child);
      }, RESTART_AFTER_MS);
    });
  };
  watch(server.child);
  if (await answers(place, READY_WITHIN_MS / 100)) return server;
  await stopServer(server);
  throw new Error(
    `redis-server does not answer on port ${place.port}; is its disk full, or ${resolve(FOLDER)} damaged?`,
  );
}

function spawnServer({ port, password }: Place): ChildProcess {
  const settings = [
    `port ${port}`,
    'bind 127.0.0.1',
    // In a file: among its arguments everybody on the machine could read it.
    `requirepass ${password}`,
    `dir ${JSON.stringify(resolve(FOLDER))}`,
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'maxmemory-policy noeviction',
  ];
  const file = writePrivately('redis.conf', `${settings.join('\n')}\n`);
  // Ctrl-C is for us alone: Redis is needed until the last task is given back.
  return spawn('sh', ['-c', WITH_US, file], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
}

/** It writes what it has and hangs up. */
async function stopServer(server: Server): Promise<void> {
  server.isStopping = true;
  const { child } = server;
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    child.stdin?.destroy();
    await ended;
  }
  rmSync(join(resolve(FOLDER), PLACE_FILE), { force: true });
}

/** One that an earlier run left is about to end by itself: two on the same data would ruin it. */
async function untilGone(place: Place): Promise<void> {
  for (let waitedMs = 0; waitedMs < GONE_WITHIN_MS; waitedMs += 100) {
    if (!(await answers(place, 1))) return;
    await new Promise((passed) => setTimeout(passed, 100));
  }
  const redis = await connectOnce({ redisUrl: url(place), redisPassword: place.password });
  await redis.shutdown().catch(() => undefined);
  redis.disconnect();
}

/** Whether our own Redis answers there, asked so many times, a tenth of a second apart. */
async function answers(place: Place, tries: number): Promise<boolean> {
  for (let left = tries; left > 0; left -= 1) {
    try {
      const redis = await connectOnce({ redisUrl: url(place), redisPassword: place.password });
      redis.disconnect();
      return true;
    } catch {
      if (left > 1) await new Promise((passed) => setTimeout(passed, 100));
    }
  }
  return false;
}

function url({ port }: Place): string {
  return `redis://127.0.0.1:${port}`;
}

function writePrivately(name: string, content: string): string {
  const file = join(resolve(FOLDER), name);
  rmSync(file, { force: true });
  writeFileSync(file, content, { mode: 0o600 });
  return file;
}

function isInstalled(): boolean {
  return spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).error === undefined;
}

function readPlace(): Place | undefined {
  try {
    const place = JSON.parse(readFileSync(join(resolve(FOLDER), PLACE_FILE), 'utf8')) as Place;
    return Number.isInteger(place.port) && typeof place.password === 'string' ? place : undefined;
  } catch {
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === 'string') throw new Error(`no free port: ${describeError(address)}`);
  return address.port;
}
