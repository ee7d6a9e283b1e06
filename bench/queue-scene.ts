import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import type { Redis } from 'ioredis';
import { SWARM_TABLES } from '../lib/memory/tables.ts';
import { connectForGood } from '../lib/queue/connection.ts';
import type { Task } from '../lib/queue/task.ts';
import { openTaskQueue, type TaskQueue } from '../lib/queue/task-queue.ts';

/** A Redis, an empty memory, a project, and an agent that does next to nothing, in a folder of their own. */
export interface QueueScene {
  readonly folder: string;
  readonly redisUrl: string;
  readonly redis: Redis;
  readonly queue: TaskQueue;
  readonly agent: string;
  readonly memoryPath: string;
  /** A git repository with one commit. */
  readonly project: string;
  /** The environment of our programs in this scene. */
  readonly env: Readonly<Record<string, string>>;
  /** Rows of swarm_events. */
  readonly rows: () => number;
  /** Forgets all tasks and all rows. */
  readonly clear: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** One of our programs. */
export interface RunningProgram {
  readonly port: number;
  readonly residentMb: () => number;
  /** CPU time since its start, in steps of 10 ms. */
  readonly cpuMs: () => number;
  readonly stop: () => Promise<void>;
}

const PROJECT = 'acme';
const REDIS = 'redis-server';

/** Makes a scene with Redis as `swarm up` starts it: append-only file, written each second. */
export async function makeQueueScene(): Promise<QueueScene> {
  const folder = mkdtempSync(join(tmpdir(), 'swarm-bench-'));
  const port = await freePort();
  const server = spawn(REDIS, redisArguments(folder, port), { stdio: 'ignore' });
  const redisUrl = `redis://127.0.0.1:${port}`;
  const redis = connectForGood({ redisUrl, redisPassword: undefined });
  redis.on('error', () => undefined);
  const memoryPath = join(folder, 'swarm_memory.db');
  const agent = makeAgent(folder);
  const project = join(folder, PROJECT);
  makeMemory(memoryPath);
  makeProject(project);
  // 20 at a time: the limit of the project is not what is measured.
  const projects = [{ name: PROJECT, path: project, concurrency: 20 }];
  writeFileSync(join(folder, 'projects.json'), JSON.stringify({ projects }));
  const queue = openTaskQueue(redis);
  const onMemory = <T>(work: (db: Database.Database) => T): T => {
    const db = new Database(memoryPath);
    try {
      return work(db);
    } finally {
      db.close();
    }
  };
  return {
    folder,
    redisUrl,
    redis,
    queue,
    agent,
    memoryPath,
    project,
    env: environmentOf(folder, redisUrl, memoryPath, agent),
    rows: () => onMemory((db) => db.prepare('SELECT count(*) FROM swarm_events').pluck().get() as number),
    clear: async () => {
      await redis.flushall();
      onMemory((db) => db.exec('DELETE FROM swarm_events'));
    },
    stop: async () => {
      await queue.close();
      redis.disconnect();
      await end(server);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A task of the scene; what it costs does not matter. */
export function makeTask(id: string): Task {
  return {
    version: 1,
    id,
    prompt: 'Do nothing at all, and say so.',
    agent: 'cervella-bench',
    project: PROJECT,
    priority: 'normal',
    budgetUsd: 0.01,
    timeoutMs: 60_000,
    source: 'cli',
    approval: 'not-needed',
    requestedAt: new Date().toISOString(),
  };
}

/** Puts tasks on the queue, a hundred at a time; gives their ids. */
export async function enqueueMany(queue: TaskQueue, count: number, prefix: string): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  for (let from = 0; from < count; from += 100) {
    await Promise.all(ids.slice(from, from + 100).map((id) => queue.enqueue(makeTask(id))));
  }
  return ids;
}

/** Starts a program below dist and waits until it has said which port it listens on. */
export async function startProgram(
  scene: QueueScene,
  path: string,
  { env = {}, args = [] }: { readonly env?: Readonly<Record<string, string>>; readonly args?: readonly string[] } = {},
): Promise<RunningProgram> {
  const program = fileURLToPath(new URL(`../${path}`, import.meta.url));
  const child = spawn(process.execPath, [program, ...args], {
    cwd: scene.folder,
    env: { PATH: process.env.PATH, ...scene.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await readPort(child);
  return {
    port,
    residentMb: () => {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return (Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1_024) / 1e6;
    },
    cpuMs: () => {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
      return (Number(fields[11]) + Number(fields[12])) * 10;
    },
    stop: () => end(child),
  };
}

async function readPort(child: ChildProcess): Promise<number> {
  let text = '';
  for (let waitedMs = 0; waitedMs < 30_000; waitedMs += 20) {
    text += String(child.stdout?.read() ?? '');
    const match = /"port":(\d+)/.exec(text);
    if (match) {
      // What it says later is not wanted, but must go somewhere.
      child.stdout?.resume();
      return Number(match[1]);
    }
    if (child.exitCode !== null) break;
    await sleep(20);
  }
  throw new Error('The program ended, or said nothing, before it listened.');
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

function redisArguments(folder: string, port: number): string[] {
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: folder,
    save: '',
    appendonly: 'yes',
    'maxmemory-policy': 'noeviction',
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

function environmentOf(folder: string, redisUrl: string, memoryPath: string, agent: string): Record<string, string> {
  return {
    HOME: folder,
    SWARM_DB_PATH: memoryPath,
    PROJECTS_FILE: join(folder, 'projects.json'),
    REDIS_URL: redisUrl,
    WORK_DIR: join(folder, 'work'),
    AGENT_COMMAND: agent,
    ORCHESTRATOR_PORT: '0',
    EXPORTER_PORT: '0',
    ...Object.fromEntries(['DAY', 'WEEK', 'MONTH'].map((period) => [`BUDGET_${period}_USD`, '100000'])),
  };
}

/** Its first act is to write down when it began; all it does is done by the shell itself. */
function makeAgent(folder: string): string {
  const path = join(folder, 'agent');
  const events = [
    { type: 'system', subtype: 'init', session_id: 's', model: 'bench' },
    {
      type: 'result',
      subtype: 'success',
      is_error: false,
      result: 'Done.',
      num_turns: 1,
      total_cost_usd: 0,
      modelUsage: {},
    },
  ];
  const lines = [
    '#!/bin/bash',
    'now=$EPOCHREALTIME',
    `echo "$SWARM_TASK_ID $now" >> '${join(folder, 'starts')}'`,
    ...events.map((event) => `echo '${JSON.stringify(event)}'`),
    '',
  ];
  writeFileSync(path, lines.join('\n'), { mode: 0o755 });
  return path;
}

function makeMemory(path: string): void {
  const db = new Database(path);
  db.pragma('journal_mode = WAL');
  db.exec(SWARM_TABLES);
  db.close();
}

/** A git repository with one commit. */
function makeProject(path: string): void {
  mkdirSync(path);
  writeFileSync(join(path, 'README.md'), '# A project\n');
  const git = (...args: string[]): void => {
    const identity = ['-c', 'user.name=Bench', '-c', 'user.email=bench@localhost'];
    execFileSync('git', ['-C', path, ...identity, ...args], { stdio: 'ignore' });
  };
  git('init', '--quiet', '--initial-branch=main', '--template=');
  git('add', '.');
  git('commit', '--quiet', '--message=Begin');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return address.port;
}
