// What `npm run chaos` breaks: a real Redis, two real orchestrators that both may record, a memory, two projects.
// The orchestrators are on one machine, or as if on two: with clones and worktrees of their own.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { Redis } from 'ioredis';

export const PROJECTS = ['acme', 'zenith'];
const ORCHESTRATOR = fileURLToPath(new URL('./orchestrator-process.mjs', import.meta.url));
const FAKE_AGENT = fileURLToPath(new URL('./fake-agent.mjs', import.meta.url));
const ENDS_WITHIN_MS = 20_000;
const { SWARM_TABLES } = await import(new URL('../../dist/lib/memory/tables.js', import.meta.url).href);

/**
 * Makes the world, with nothing running but a connection that waits for Redis.
 * @param {number} machines
 */
export async function makeWorld(machines) {
  const folder = mkdtempSync(join(tmpdir(), 'swarm-chaos-'));
  for (const name of ['redis', 'memory', 'home', 'state', 'logs']) mkdirSync(join(folder, name));
  const memoryPath = join(folder, 'memory', 'swarm_memory.db');
  const db = new Database(memoryPath);
  db.pragma('journal_mode = WAL');
  db.exec(SWARM_TABLES);
  db.close();
  for (let machine = 1; machine <= machines; machine += 1) makeMachine(join(folder, `machine-${machine}`));
  const port = await freePort();
  const redis = new Redis({ port, maxRetriesPerRequest: null, retryStrategy: () => 50 });
  redis.on('error', () => undefined);
  const programs = [
    makeProgram('redis', join(folder, 'logs'), () => startRedis(join(folder, 'redis'), port)),
    ...[1, 2].map((number) => {
      const machine = join(folder, `machine-${Math.min(number, machines)}`);
      return makeProgram(`orchestrator ${number}`, join(folder, 'logs'), () =>
        startOrchestrator(folder, machine, port),
      );
    }),
  ];
  return {
    folder,
    stateFolder: join(folder, 'state'),
    memoryPath,
    redis,
    programs,
    /**
     * Ends what still runs, and leaves nothing but the folder, if it is to be kept.
     * @param {boolean} isKept
     */
    remove: async (isKept) => {
      redis.disconnect();
      for (const program of programs) await program.end('SIGKILL');
      if (isKept) return;
      rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

/** @typedef {ReturnType<typeof makeProgram>} Program */

/**
 * A program that can be killed and started again.
 * @param {string} name
 * @param {string} logs
 * @param {() => import('node:child_process').ChildProcess} launch
 */
function makeProgram(name, logs, launch) {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  let child;
  /** @type {string[]} */
  const unexpected = [];
  /** @type {Set<number | undefined>} */
  const killed = new Set();
  let isUp = false;
  const isRunning = () => child !== undefined && child.exitCode === null && child.signalCode === null;
  return {
    name,
    /** How it ended although nobody wanted it to. */
    unexpected,
    /** The processes that had no time to put anything in order. */
    killed,
    isRunning,
    /** Whether it has said that it listens: until then it ends at a signal without putting anything in order. */
    isUp: () => isUp,
    start: () => {
      const started = launch();
      child = started;
      isUp = false;
      for (const stream of [started.stdout, started.stderr]) {
        stream?.on('data', (chunk) => {
          appendFileSync(join(logs, `${name}.log`), chunk);
          if (child === started && String(chunk).includes('orchestrator is listening')) isUp = true;
        });
      }
      started.on('exit', (code, signal) => {
        if (child === started) unexpected.push(`${name} ended by itself: ${code ?? signal}`);
      });
    },
    /** @param {NodeJS.Signals} signal */
    signal: (signal) => child?.kill(signal),
    /**
     * Ends it, and waits for its end.
     * @param {NodeJS.Signals} signal
     */
    end: async (signal) => {
      const ending = child;
      if (!ending || !isRunning()) return;
      child = undefined;
      if (signal === 'SIGKILL') killed.add(ending.pid);
      const ended = once(ending, 'exit');
      ending.kill(signal);
      const timer = setTimeout(() => {
        unexpected.push(`${name} did not end after ${signal}`);
        ending.kill('SIGKILL');
      }, ENDS_WITHIN_MS);
      const [code] = await ended;
      clearTimeout(timer);
      if (signal === 'SIGTERM' && code !== 0) unexpected.push(`${name} ended with ${code} after ${signal}`);
    },
  };
}

/**
 * @param {string} folder
 * @param {number} port
 */
function startRedis(folder, port) {
  const data = ['--dir', folder, '--save', '', '--appendonly', 'yes', '--maxmemory-policy', 'noeviction'];
  return spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', ...data], { stdio: 'ignore' });
}

/**
 * @param {string} folder
 * @param {string} machine
 * @param {number} port
 */
function startOrchestrator(folder, machine, port) {
  const { PATH, SWARM_TEST_RUN } = process.env;
  return spawn(process.execPath, [ORCHESTRATOR], {
    cwd: folder,
    env: {
      PATH,
      SWARM_TEST_RUN,
      HOME: join(folder, 'home'),
      SWARM_DB_PATH: join(folder, 'memory', 'swarm_memory.db'),
      PROJECTS_FILE: join(machine, 'projects.json'),
      REDIS_URL: `redis://127.0.0.1:${port}`,
      WORK_DIR: join(machine, 'work'),
      AGENT_COMMAND: FAKE_AGENT,
      ORCHESTRATOR_PORT: '0',
      WORKERS_MIN: '3',
      WORKERS_MAX: '3',
      TASK_ATTEMPTS: '2',
      BUDGET_DAY_USD: '500',
      BUDGET_WEEK_USD: '500',
      BUDGET_MONTH_USD: '500',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** @param {string} folder */
function makeMachine(folder) {
  const projects = PROJECTS.map((name) => ({ name, path: makeProject(join(folder, name)), concurrency: 3 }));
  writeFileSync(join(folder, 'projects.json'), JSON.stringify({ projects }));
}

/** @param {string} path */
function makeProject(path) {
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'README.md'), '# A project\n');
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@localhost', '-c', 'commit.gpgsign=false'];
  /** @param {string[]} args */
  const git = (...args) => execFileSync('git', ['-C', path, ...identity, ...args], { stdio: 'ignore' });
  git('init', '--quiet', '--initial-branch=main', '--template=');
  git('add', '.');
  git('commit', '--quiet', '--message=Begin');
  return path;
}

/** Below those that the system gives out by itself, since Redis is killed and comes back on it; others of ours begin lower. */
async function freePort() {
  for (;;) {
    const port = 30_000 + Math.floor(Math.random() * 2_000);
    const server = createServer();
    const listening = once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.listen(port, '127.0.0.1');
    if (!(await listening)) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/**
 * The processes of agents of these tasks, and of what they started.
 * @param {ReadonlySet<string>} taskIds
 */
export function agentProcesses(taskIds) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => ({ pid, taskId: /\0?SWARM_TASK_ID=([^\0]*)/.exec(readText(`/proc/${pid}/environ`))?.[1] ?? '' }))
    .filter(({ taskId }) => taskIds.has(taskId));
}

/** @param {string} path */
function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
