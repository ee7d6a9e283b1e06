import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, vi } from 'vitest';
import { describeTask } from '../../cli/queue/describe-task.ts';
import { openTaskQueue } from '../../lib/queue/task-queue.ts';
import { FAKE_AGENT } from './agent-runs.ts';
import { type CommandResult, swarm } from './command-line.ts';
import { makeMemory } from './memory-builder.ts';
import { findProgram } from './programs.ts';
import { type RoomProcess, startRoom } from './room-process.ts';
import { parseSamples, type Samples } from './running-exporter.ts';
import { type RunningRedis, startRedis } from './running-redis.ts';

/** Everything an orchestrator needs, in one folder that is gone when the test ends. */
export interface SwarmScene {
  readonly folder: string;
  /** A git repository with one commit on `main`. */
  readonly project: string;
  readonly memoryPath: string;
  readonly redis: RunningRedis;
  /** The environment of our programs in this scene. */
  readonly env: Readonly<Record<string, string>> & { readonly HOME: string };
  /** Runs git in the project. */
  readonly git: (...args: readonly string[]) => string;
  /** Starts `dist/orchestrator/main.js`; it must end well when the test ends, unless it was killed. */
  readonly startOrchestrator: (env?: Readonly<Record<string, string>>) => Promise<RunningOrchestrator>;
  /** Runs a command of `swarm` in this scene. */
  readonly swarm: (...args: readonly string[]) => Promise<CommandResult>;
  /** Enqueues a task for the fake agent and gives its id. */
  readonly enqueue: (prompt: string, ...options: readonly string[]) => Promise<string>;
  /** What `queue show ID --json` says. */
  readonly show: (id: string) => Promise<ShownTask>;
  /** Waits until a task is in one of these states. */
  readonly until: (id: string, ...states: readonly string[]) => Promise<ShownTask>;
  /** Rows of swarm_events, oldest first, or of another query. */
  readonly rows: (sql?: string) => readonly Record<string, unknown>[];
  /** Waits until the memory has this many rows of ours. */
  readonly untilRows: (count: number) => Promise<readonly Record<string, unknown>[]>;
}

/** What commands print of a task. */
export type ShownTask = ReturnType<typeof describeTask>;

/** A running orchestrator. */
export interface RunningOrchestrator extends RoomProcess {
  readonly samples: () => Promise<Samples>;
  /** Waits until no task is taken for this reason, and gives the samples of then. */
  readonly untilPaused: (reason: string) => Promise<Samples>;
  readonly readiness: () => Promise<{ readonly status: number; readonly reason: string }>;
}

const PROJECT = 'acme';
const AGENT = 'cervella-fake';

/** Makes a scene with a real Redis and an empty memory. */
export async function makeScene(extraEnv: Readonly<Record<string, string>> = {}): Promise<SwarmScene> {
  const folder = mkdtempSync(join(tmpdir(), 'swarm-scene-'));
  // Registered first, so that it is done last: after every program of the scene has ended.
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
  const redis = await startRedis(join(folder, 'redis'));
  mkdirSync(join(folder, 'memory'));
  const { path: memoryPath } = makeMemory({ path: join(folder, 'memory', 'swarm_memory.db') });
  const project = makeProject(join(folder, PROJECT));
  const projectsFile = join(folder, 'projects.json');
  writeFileSync(projectsFile, JSON.stringify({ projects: [{ name: PROJECT, path: project }] }));
  const home = join(folder, 'home');
  mkdirSync(home);
  const env = {
    HOME: home,
    SWARM_DB_PATH: memoryPath,
    PROJECTS_FILE: projectsFile,
    REDIS_URL: redis.url,
    WORK_DIR: join(folder, 'work'),
    AGENT_COMMAND: FAKE_AGENT,
    ORCHESTRATOR_PORT: '0',
    ...extraEnv,
  };
  const run = (...args: readonly string[]): Promise<CommandResult> => swarm(args, { cwd: folder, env });
  // What `queue show --json` prints, without starting a program each time.
  const queue = openTaskQueue(redis.client);
  onTestFinished(() => queue.close());
  const show = async (id: string): Promise<ShownTask> => {
    const view = await queue.show(id);
    if (!view) throw new Error(`There is no task ${id}`);
    return describeTask(view);
  };
  const rows = (
    sql = "SELECT * FROM swarm_events WHERE tags LIKE '%orchestrated%' ORDER BY rowid",
  ): Record<string, unknown>[] => {
    const db = new Database(memoryPath, { readonly: true });
    try {
      return db.prepare<[], Record<string, unknown>>(sql).all();
    } finally {
      db.close();
    }
  };
  return {
    folder,
    project,
    memoryPath,
    redis,
    env,
    git: (...args) => runGit(project, args),
    startOrchestrator: (more = {}) => startOrchestrator(folder, { ...env, ...more }),
    swarm: run,
    enqueue: async (prompt, ...options) => {
      const { stdout, stderr } = await run('enqueue', prompt, '--agent', AGENT, '--project', PROJECT, ...options);
      expect(stdout, stderr).not.toBe('');
      return (JSON.parse(stdout) as { id: string }).id;
    },
    show,
    until: (id, ...states) =>
      vi.waitFor(
        async () => {
          const shown = await show(id);
          expect(states, JSON.stringify(shown)).toContain(shown.state);
          return shown;
        },
        { timeout: 45_000, interval: 200 },
      ),
    rows,
    untilRows: (count) =>
      vi.waitFor(
        () => {
          const found = rows();
          expect(found).toHaveLength(count);
          return found;
        },
        { timeout: 20_000, interval: 100 },
      ),
  };
}

/** A git repository with one commit on `main`. */
export function makeProject(path: string): string {
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'README.md'), '# A project\n');
  const git = (...args: string[]): string => runGit(path, args);
  git('init', '--quiet', '--initial-branch=main', '--template=');
  git('add', '.');
  git('commit', '--quiet', '--message=Begin');
  return path;
}

/** Runs git in a repository; gives what it printed. */
export function runGit(path: string, args: readonly string[]): string {
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@localhost', '-c', 'commit.gpgsign=false'];
  return execFileSync(findProgram('git'), ['-C', path, ...identity, ...args], {
    encoding: 'utf8',
    stdio: 'pipe',
  }).trim();
}

async function startOrchestrator(cwd: string, env: Readonly<Record<string, string>>): Promise<RunningOrchestrator> {
  // Twice, so that nothing is waited for.
  const room = await startRoom('orchestrator', { cwd, env, endSignals: ['SIGTERM', 'SIGINT'] });
  const { url } = room;
  const samples = async (): Promise<Samples> => parseSamples(await (await fetch(`${url}/metrics`)).text());
  return {
    ...room,
    samples,
    untilPaused: (reason) =>
      vi.waitFor(
        async () => {
          const found = await samples();
          expect(found.get(`swarm_queue_paused{reason="${reason}"}`)).toBe(1);
          return found;
        },
        { timeout: 20_000, interval: 200 },
      ),
    readiness: async () => {
      const response = await fetch(`${url}/readyz`);
      const { reason = '' } = (await response.json()) as { reason?: string };
      return { status: response.status, reason };
    },
  };
}
