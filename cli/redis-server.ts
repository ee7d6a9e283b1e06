import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
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
const RESTART_AFTER_MS = 1_000;

/**
 * Starts redis-server on a free port of the loopback, with its data under ./data/redis. One that an earlier `swarm up` left
 * behind when it was killed is taken over: two on the same data would ruin it. If it dies, it is started again.
 * @throws Error with code ENOENT if redis-server is not installed; OperatorError if it does not answer.
 */
export async function startOwnRedis(log: Log): Promise<OwnRedis> {
  mkdirSync(resolve(FOLDER), { recursive: true, mode: 0o700 });
  const left = readPlace();
  const isLeft = left !== undefined && (await answers(left, 1));
  const place = isLeft
    ? left
    : { port: left?.port ?? (await freePort()), password: randomBytes(18).toString('base64url') };
  const server = isLeft ? undefined : await launch(place, log);
  if (isLeft) log.info('taking over the Redis that an earlier run left');
  return { url: url(place), password: place.password, stop: async () => stopServer(place, server) };
}

/** Keeps the server alive until it is stopped. */
interface Server {
  isStopping: boolean;
  child: ChildProcess;
}

async function launch(place: Place, log: Log): Promise<Server> {
  const server: Server = { isStopping: false, child: spawnServer(place) };
  const watch = (child: ChildProcess): void => {
    child.once('exit', (code, signal) => {
      if (server.isStopping) return;
      log.error({ code, signal }, 'redis-server ended; starting it again');
      setTimeout(() => {
        if (server.isStopping) return;
        server.child = spawnServer(place);
        server.child.once('error', (error) => log.error({ reason: error.message }, 'redis-server does not start'));
        watch(server.child);
      }, RESTART_AFTER_MS);
    });
  };
  await new Promise<void>((started, failed) => {
    server.child.once('spawn', started);
    server.child.once('error', failed);
  });
  watch(server.child);
  writeFileSync(placeFile(), JSON.stringify(place), { mode: 0o600 });
  if (await answers(place, READY_WITHIN_MS / 100)) return server;
  server.isStopping = true;
  server.child.kill('SIGKILL');
  throw new Error(
    `redis-server does not answer on port ${place.port}; is ${resolve(FOLDER)} readable and its disk not full?`,
  );
}

/** Its settings go in on standard input: a password among its arguments would be seen by everybody on the machine. */
function spawnServer({ port, password }: Place): ChildProcess {
  const child = spawn('redis-server', ['-'], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Ctrl-C is for us: Redis is needed until the last task is given back.
    detached: true,
  });
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `requirepass ${password}`,
      `dir ${JSON.stringify(resolve(FOLDER))}`,
      'appendonly yes',
      'appendfsync everysec',
      'save ""',
      'maxmemory-policy noeviction',
      'daemonize no',
      '',
    ].join('\n'),
  );
  return child;
}

async function stopServer(place: Place, server: Server | undefined): Promise<void> {
  if (server) server.isStopping = true;
  try {
    const redis = await connectOnce({ redisUrl: url(place), redisPassword: place.password });
    // It writes what it has and hangs up.
    await redis.shutdown().catch(() => undefined);
    redis.disconnect();
  } catch {
    server?.child.kill('SIGTERM');
  }
  rmSync(placeFile(), { force: true });
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

function placeFile(): string {
  return join(resolve(FOLDER), PLACE_FILE);
}

function readPlace(): Place | undefined {
  try {
    const place = JSON.parse(readFileSync(placeFile(), 'utf8')) as Place;
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
