import { createHmac, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, vi } from 'vitest';
import { createLog } from '../../lib/log.ts';
import { openTaskQueue, type TaskQueue } from '../../lib/queue/task-queue.ts';
import type { TaskView } from '../../lib/queue/task-view.ts';
import { createGithubPart, type GithubTimings } from '../../scheduler/parts/github.ts';
import { startScheduler as startInProcess } from '../../scheduler/scheduler.ts';
import { swarm } from './command-line.ts';
import { type FakeGithub, type FakePull, REPOSITORY, startFakeGithub } from './fake-github.ts';
import { freePort } from './free-port.ts';
import { parseSamples, type Samples } from './running-exporter.ts';
import { type RunningScheduler, startScheduler } from './running-scheduler.ts';
import { schedulerSettings } from './scheduler-scene.ts';
import { makeScene, type SwarmScene } from './swarm-scene.ts';

export const SECRET = "It's a Secret to Everybody";

/** A swarm whose project is on GitHub. */
export interface GithubScene extends SwarmScene {
  readonly github: FakeGithub;
  readonly queue: TaskQueue;
  /** Starts `dist/scheduler/main.js`. */
  readonly startScheduler: (env?: Readonly<Record<string, string>>) => Promise<RunningScheduler>;
  /** Starts the scheduler in this process, with short waits; `port` is its own. */
  readonly startHere: (
    timings?: Partial<GithubTimings>,
    env?: Readonly<Record<string, string>>,
  ) => Promise<{ readonly port: number; readonly stop: () => Promise<void>; readonly samples: () => Promise<Samples> }>;
  readonly deliver: (payload: unknown, given?: Delivering) => Promise<Delivered>;
  /** Tells of a pull request as GitHub has it. */
  readonly tell: (pull: FakePull, action?: string, given?: Delivering) => Promise<Delivered>;
  /** All tasks of reviews that the queue knows. */
  readonly tasks: () => Promise<readonly TaskView[]>;
  /** Waits until there are so many, and gives them. */
  readonly untilTasks: (count: number) => Promise<readonly TaskView[]>;
  /** Waits until a review stands on a pull request for its head; there must be one review of ours, and no more. */
  readonly untilReviewed: (pull: FakePull) => Promise<string>;
  /** Waits until the only head that is known is in a state. */
  readonly untilState: (state: string) => Promise<void>;
  /** Looks into, or changes, monitor.db. */
  readonly sql: (text: string) => readonly Record<string, unknown>[];
}

/** How a delivery differs from what GitHub would send. */
export interface Delivering {
  readonly id?: string;
  readonly event?: string;
  readonly signature?: string;
  readonly path?: string;
  readonly method?: string;
}

export interface Delivered {
  readonly status: number;
  readonly answer: { readonly status?: string; readonly reason?: string; readonly error?: string };
}

/** GitHub's signature of a body. */
export function sign(body: string | Uint8Array, secret = SECRET): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/** What GitHub sends when something happens to a pull request. */
export function payloadOf(pull: FakePull, action = 'opened'): Record<string, unknown> {
  return { action, number: pull.number, pull_request: pull, repository: { full_name: REPOSITORY }, sender: pull.user };
}

/** Makes a scene with an imitation of GitHub. */
export async function makeGithubScene(extraEnv: Readonly<Record<string, string>> = {}): Promise<GithubScene> {
  const github = await startFakeGithub();
  const port = await freePort();
  const scene = await makeScene({
    GITHUB_WEBHOOK_SECRET: SECRET,
    GITHUB_TOKEN: github.token,
    GITHUB_API_URL: github.url,
    WEBHOOK_PORT: String(port),
    ...extraEnv,
  });
  const projects = [{ name: 'acme', path: scene.project, repository: REPOSITORY }];
  writeFileSync(scene.env.PROJECTS_FILE, JSON.stringify({ projects }));
  const env = { ...scene.env, MONITOR_DB_PATH: join(scene.folder, 'monitor.db') };
  const queue = openTaskQueue(scene.redis.client);
  onTestFinished(() => queue.close());
  const tasks = async (): Promise<readonly TaskView[]> =>
    (await queue.list(100)).filter(({ id }) => id.startsWith('review-'));
  const deliver: GithubScene['deliver'] = async (payload, given = {}) => {
    const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
    const response = await fetch(`http://127.0.0.1:${port}${given.path ?? '/webhooks/github'}`, {
      method: given.method ?? 'POST',
      headers: {
        'Content-Type': 'application/json',
        'X-GitHub-Event': given.event ?? 'pull_request',
        'X-GitHub-Delivery': given.id ?? randomUUID(),
        ...(given.signature === '' ? {} : { 'X-Hub-Signature-256': given.signature ?? sign(body) }),
      },
      ...(given.method === 'GET' ? {} : { body }),
    });
    return { status: response.status, answer: (await response.json()) as Delivered['answer'] };
  };
  const sql: GithubScene['sql'] = (text) => {
    const db = new Database(env.MONITOR_DB_PATH);
    try {
      const statement = db.prepare<[], Record<string, unknown>>(text);
      if (statement.reader) return statement.all();
      statement.run();
      return [];
    } finally {
      db.close();
    }
  };
  return {
    ...scene,
    ...{ env, github, queue, tasks, deliver },
    swarm: (...args) => swarm(args, { cwd: scene.folder, env }),
    tell: (pull, action, given) => {
      github.pulls.set(pull.number, pull);
      return deliver(payloadOf(pull, action), given);
    },
    startScheduler: async (more = {}) => {
      const scheduler = await startScheduler(scene.folder, { ...env, ...more });
      await vi.waitFor(() => expect(scheduler.output()).toContain('the webhook is listening'), { timeout: 10_000 });
      return scheduler;
    },
    startHere: async (timings = {}, more = {}) => {
      const part = createGithubPart({ debounceMs: 0, lookEveryMs: 50, ...timings });
      const settings = schedulerSettings(scene.folder, { ...env, SCHEDULER_PORT: '0', ...more });
      const running = await startInProcess(settings, createLog('test', 'silent'), { timetable: [], parts: [part] });
      let isStopped = false;
      const stop = async (): Promise<void> => {
        if (!isStopped) await running.stop();
        isStopped = true;
      };
      onTestFinished(stop);
      await vi.waitFor(async () => expect((await deliver({}, { event: 'ping' })).status).toBe(200), {
        timeout: 10_000,
      });
      const samples = async (): Promise<Samples> =>
        parseSamples(await (await fetch(`http://127.0.0.1:${running.port}/metrics`)).text());
      return { port: running.port, stop, samples };
    },
    untilTasks: (count) =>
      vi.waitFor(
        async () => {
          const found = await tasks();
          expect(found).toHaveLength(count);
          return found;
        },
        { timeout: 15_000, interval: 50 },
      ),
    untilReviewed: (pull) =>
      vi.waitFor(
        () => {
          const ours = github.reviews(pull.number).filter(({ user }) => user.login === github.login);
          expect(ours).toHaveLength(1);
          expect(ours[0].body).toContain(pull.head.sha);
          return ours[0].body;
        },
        { timeout: 30_000, interval: 50 },
      ),
    sql,
    untilState: async (state) => {
      await vi.waitFor(() => expect(sql('SELECT state FROM pull_request_reviews')).toEqual([{ state }]), {
        timeout: 15_000,
        interval: 50,
      });
    },
  };
}
