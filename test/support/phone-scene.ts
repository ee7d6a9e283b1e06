import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, vi } from 'vitest';
import { createLog } from '../../lib/log.ts';
import { createNotifier, type NewNotification } from '../../lib/queue/notification.ts';
import { openTaskQueue, type TaskQueue } from '../../lib/queue/task-queue.ts';
import { createTelegramParts } from '../../scheduler/parts/telegram.ts';
import { startScheduler } from '../../scheduler/scheduler.ts';
import { readSettings } from '../../scheduler/settings.ts';
import { type FakeBotApi, startBotApi } from './fake-bot-api.ts';
import { makeMemory, type TestMemory, tempDir } from './memory-builder.ts';
import { parseSamples } from './running-exporter.ts';
import { type RunningRedis, startRedis } from './running-redis.ts';
import type { SwarmScene } from './swarm-scene.ts';

/** A scheduler with its phone: a fake Telegram, a real Redis, a real memory. */
export interface PhoneScene {
  readonly api: FakeBotApi;
  readonly redis: RunningRedis;
  readonly queue: TaskQueue;
  readonly memory: TestMemory;
  readonly folder: string;
  /** The environment of our programs in this scene. */
  readonly env: Readonly<Record<string, string>>;
  /** Puts notifications on their queue. */
  readonly notify: (...notifications: readonly NewNotification[]) => Promise<void>;
  /** Moves the clock of the scheduler. */
  readonly pass: (ms: number) => void;
  readonly start: (more?: Readonly<Record<string, string>>) => Promise<void>;
  readonly stop: () => Promise<void>;
  /** The value of a series of its metrics. */
  readonly metric: (series: string) => Promise<number | undefined>;
  /** Rows of its monitor.db. */
  readonly rows: (sql: string) => readonly Record<string, unknown>[];
}

/** Makes a scene, and starts the scheduler unless told otherwise. */
export async function makePhone({
  isStarted = true,
  env: more = {},
  atMs = Date.now(),
  scene,
}: {
  readonly isStarted?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly atMs?: number;
  /** Where an orchestrator runs as well: its Redis, memory and project are used. */
  readonly scene?: SwarmScene;
} = {}): Promise<PhoneScene> {
  const folder = tempDir();
  const api = await startBotApi();
  const redis = scene?.redis ?? (await startRedis(join(folder, 'redis')));
  const memory = makeMemory({ hasUsage: true });
  const projectsFile = join(folder, 'projects.json');
  mkdirSync(join(folder, 'acme'));
  writeFileSync(projectsFile, JSON.stringify({ projects: [{ name: 'acme', path: join(folder, 'acme') }] }));
  const queue = openTaskQueue(redis.client);
  const notifier = createNotifier(redis.client);
  onTestFinished(async () => {
    await Promise.all([queue.close(), notifier.close()]);
  });
  const env = {
    SWARM_DB_PATH: memory.path,
    MONITOR_DB_PATH: join(folder, 'monitor.db'),
    PROJECTS_FILE: projectsFile,
    REDIS_URL: redis.url,
    WORK_DIR: join(folder, 'work'),
    SCHEDULER_PORT: '0',
    TELEGRAM_BOT_TOKEN: api.token,
    TELEGRAM_CHAT_ID: String(api.chatId),
    TELEGRAM_API_URL: api.url,
    TELEGRAM_ALLOWED_USER_IDS: String(api.userId),
    QUIET_HOURS: '00:00-00:00',
    LOG_LEVEL: 'silent',
    ...scene?.env,
    ...more,
  };
  let offsetMs = atMs - Date.now();
  let running: Awaited<ReturnType<typeof startScheduler>> | undefined;
  const stop = async (): Promise<void> => {
    const stopping = running;
    running = undefined;
    await stopping?.stop();
  };
  onTestFinished(stop);
  const start = async (others: Readonly<Record<string, string>> = {}): Promise<void> => {
    const settings = readSettings({ ...env, ...others });
    const polls = api.polls();
    running = await startScheduler(settings, createLog('scheduler', settings.config.logLevel), {
      timetable: [],
      jobs: [],
      clock: () => Date.now() + offsetMs,
      parts: createTelegramParts({ paceMs: 5, retryMs: 50, yieldMs: 300, watchMs: 100, pollSeconds: 5 }),
    });
    // What is said before it listens is dropped.
    await vi.waitFor(() => expect(api.polls()).toBeGreaterThan(polls + 1), { timeout: 10_000, interval: 20 });
  };
  if (isStarted) await start();
  return {
    api,
    redis,
    queue,
    memory,
    folder,
    env,
    start,
    stop,
    notify: notifier.notify,
    pass: (ms) => {
      offsetMs += ms;
    },
    metric: async (series) => {
      const text = await (await fetch(`http://127.0.0.1:${running?.port}/metrics`)).text();
      return parseSamples(text).get(series);
    },
    rows: (sql) => {
      const db = new Database(env.MONITOR_DB_PATH, { readonly: true });
      try {
        return db.prepare<[], Record<string, unknown>>(sql).all();
      } finally {
        db.close();
      }
    },
  };
}
