import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished, vi } from 'vitest';
import { readGates } from '../../lib/queue/gates.ts';
import type { Task } from '../../lib/queue/task.ts';
import { openTaskQueue, type TaskQueue } from '../../lib/queue/task-queue.ts';
import type { TaskView } from '../../lib/queue/task-view.ts';
import { isAlive } from './agent-runs.ts';
import { type RoomProcess, startRoom } from './room-process.ts';
import { makeProject, makeScene, type SwarmScene } from './swarm-scene.ts';

const ORCHESTRATOR = fileURLToPath(new URL('./orchestrator-process.mjs', import.meta.url));
const WAIT = { timeout: 40_000, interval: 50 };

type Environment = Readonly<Record<string, string>>;

/** A scene whose orchestrators soon notice the death of another, and that is looked at in Redis itself. */
export interface CrashScene extends SwarmScene {
  readonly queue: TaskQueue;
  /** Directives that let an agent of this scene hang the first time, and be `then` the next. */
  readonly hangFirst: (then?: string) => string;
  /** Starts an orchestrator; `within` is a command to start it in. */
  readonly start: (env?: Environment, within?: readonly string[]) => Promise<RoomProcess>;
  /** The settings of another machine: with a clone and worktrees of its own. */
  readonly otherMachine: () => Environment;
  /** Enqueues a task for the fake agent, which does what the directives say and is recorded. */
  readonly ask: (directives?: string, extra?: Partial<Task>) => Promise<string>;
  /** Waits until something holds for what Redis knows of a task. */
  readonly untilTask: (id: string, holds: (view: TaskView) => boolean) => Promise<TaskView>;
  /** Waits until a task is over. */
  readonly untilOver: (id: string) => Promise<TaskView>;
  /** Waits until an agent has begun a session that can be resumed, in a run other than `before`. */
  readonly untilBegun: (id: string, before?: string) => Promise<string>;
  readonly runs: () => readonly RecordedRun[];
  /** Waits until a gate is closed. */
  readonly untilClosed: (reason: string) => Promise<{ readonly text: string; readonly untilMs?: number | undefined }>;
}

/** A run of the fake agent as it was recorded. */
export interface RecordedRun {
  readonly taskId: string;
  readonly pid: number;
  readonly cwd: string;
  readonly session: string;
  readonly isResumed: boolean;
}

/** Makes a scene with one project in which four tasks may run at once. */
export async function makeCrashScene(extraEnv: Environment = {}): Promise<CrashScene> {
  const scene = await makeScene({ WORKERS_MIN: '4', WORKERS_MAX: '4', ...extraEnv });
  const { folder, redis, env } = scene;
  const recordFile = join(folder, 'runs.jsonl');
  writeProjects(env.PROJECTS_FILE, scene.project);
  const queue = openTaskQueue(redis.client);
  onTestFinished(() => queue.close());

  const untilTask: CrashScene['untilTask'] = (id, holds) =>
    vi.waitFor(async () => {
      const view = await queue.show(id);
      if (view === undefined || !holds(view)) throw new Error(`Not yet: ${JSON.stringify(view)}`);
      return view;
    }, WAIT);
  return {
    ...scene,
    queue,
    hangFirst: (then = '') => `outcome=hang fail-first=1 state=${join(folder, 'state')} ${then}`,
    start: (more = {}, within = []) => startOrchestrator(folder, { ...env, ...more }, within),
    otherMachine: () => {
      const machine = join(folder, 'other-machine');
      const projectsFile = join(machine, 'projects.json');
      mkdirSync(machine);
      writeProjects(projectsFile, makeProject(join(machine, 'acme')));
      return { PROJECTS_FILE: projectsFile, WORK_DIR: join(machine, 'work') };
    },
    ask: async (directives = '', extra = {}) => {
      const { id } = await queue.enqueue({
        version: 1,
        id: randomUUID(),
        prompt: `Do it. #fake record=${recordFile} ${directives}`,
        agent: 'cervella-fake',
        project: 'acme',
        priority: 'normal',
        budgetUsd: 0.5,
        timeoutMs: 60_000,
        source: 'test',
        approval: 'not-needed',
        requestedAt: new Date().toISOString(),
        ...extra,
      });
      return id;
    },
    untilTask,
    untilOver: (id) => untilTask(id, ({ end }) => end !== undefined),
    untilBegun: async (id, before) => {
      const { progress } = await untilTask(
        id,
        ({ progress: { run, session } }) =>
          run !== undefined && run.runId !== before && session?.isResumable === true && agentsOf(id).length > 0,
      );
      return progress.run?.runId ?? '';
    },
    runs: () => (existsSync(recordFile) ? readRuns(recordFile) : []),
    untilClosed: (reason) =>
      vi.waitFor(async () => {
        const gate = (await readGates(redis.client, Date.now())).find((each) => each.reason === reason);
        if (!gate) throw new Error(`The gate ${reason} is open.`);
        return gate;
      }, WAIT),
  };
}

/** The processes that carry the marker of a task. */
export function agentsOf(id: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isAlive(pid) && environOf(pid).includes(`SWARM_TASK_ID=${id}`));
}

function environOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function writeProjects(file: string, path: string): void {
  writeFileSync(file, JSON.stringify({ projects: [{ name: 'acme', path, concurrency: 4 }] }));
}

function readRuns(file: string): RecordedRun[] {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const { args, env, pid, cwd } = JSON.parse(line) as { args: string[]; env: Environment; pid: number; cwd: string };
    const resumed = args.indexOf('--resume');
    const session = args[(resumed === -1 ? args.indexOf('--session-id') : resumed) + 1];
    return { taskId: env.SWARM_TASK_ID, pid, cwd, session, isResumed: resumed !== -1 };
  });
}

async function startOrchestrator(cwd: string, env: Environment, within: readonly string[]): Promise<RoomProcess> {
  // Twice, so that nothing is waited for.
  const endSignals = ['SIGCONT', 'SIGTERM', 'SIGINT'] as const;
  return await startRoom('orchestrator', { main: ORCHESTRATOR, cwd, env, within, endSignals });
}
