import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { startExporter } from '../../exporter/exporter.ts';
import {
  type Config,
  loadConfig,
  loadSchedulerConfig,
  loadWorkConfig,
  readEnvironment,
  type WorkConfig,
} from '../../lib/config.ts';
import { describeError, OperatorError, UsageError } from '../../lib/errors.ts';
import { type Stop, stopOnSignal } from '../../lib/lifecycle.ts';
import { createLog, type Log } from '../../lib/log.ts';
import { createDemoMemory, growDemoMemory } from '../../lib/memory/demo/demo.ts';
import { keepHeapSmall } from '../../lib/memory-footprint.ts';
import { claimRunFile } from '../../lib/run-file.ts';
import { type Orchestrator, startOrchestrator } from '../../orchestrator/orchestrator.ts';
import { type Scheduler, startScheduler } from '../../scheduler/scheduler.ts';
import { readSettings, type Settings } from '../../scheduler/settings.ts';
import type { AddCommand } from '../command.ts';
import { makeDemoProject } from '../demo-project.ts';
import { type OwnRedis, startOwnRedis } from '../redis-server.ts';

const DEMO_PATH = './data/demo/swarm_memory.db';
const DEMO_DAYS = 30;
/** Slow enough not to fill a disk, quick enough to see something move. */
const GROW_EVERY_MS = 20_000;

/** `swarm up`: every room in one process. */
export const addUpCommand: AddCommand = (program) => {
  program
    .command('up')
    .description('run everything in one process; without SWARM_DB_PATH on a demo memory that grows')
    .action(up);
};

async function up(): Promise<void> {
  keepHeapSmall();
  const environment = readEnvironment();
  const isDemo = !environment.SWARM_DB_PATH && !environment.SWARM_DB_PATH_FILE;
  const settings: Record<string, string | undefined> = {
    ...environment,
    ...(isDemo ? { SWARM_DB_PATH: DEMO_PATH } : {}),
  };
  const log = createLog('up', loadConfig(settings).logLevel);
  loadWorkConfig(settings);
  const schedulerConfig = loadSchedulerConfig(settings);
  const runFile = claimRunFile();
  const stops: Stop[] = [runFile.remove];
  try {
    const redis = await prepareQueue(settings, log);
    if (redis) stops.push(redis.stop);
    const config = loadConfig(settings);
    const work = loadWorkConfig(settings);
    if (isDemo) prepareDemo(log, config.swarmDbPath, config.timezone);
    const exporter = await startExporter(config, createLog('exporter', config.logLevel));
    stops.push(exporter.stop);
    const orchestrator = work.redisUrl ? await tryOrchestrator(config, work, log) : undefined;
    if (orchestrator) stops.push(orchestrator.stop);
    const scheduler = await tryScheduler(readSettings(settings), log);
    if (scheduler) stops.push(scheduler.stop);
    runFile.write({
      SWARM_DB_PATH: config.swarmDbPath,
      BIND_HOST: config.bindHost,
      EXPORTER_PORT: String(exporter.port),
      PROJECTS_FILE: config.projectsFile,
      WORK_DIR: work.workDir,
      AGENT_COMMAND: work.agentCommand,
      ...(work.agentAuth ? { AGENT_AUTH: work.agentAuth } : {}),
      MONITOR_DB_PATH: schedulerConfig.monitorDbPath,
      BACKUP_DIR: schedulerConfig.backupDir,
      APPROVAL_ABOVE_USD: String(schedulerConfig.approvalAboveUsd),
      ...(schedulerConfig.timetableFile ? { TIMETABLE_FILE: schedulerConfig.timetableFile } : {}),
      ...(scheduler ? { SCHEDULER_PORT: String(scheduler.port) } : {}),
      ...(orchestrator ? { ORCHESTRATOR_PORT: String(orchestrator.port) } : {}),
      ...(work.redisUrl ? { REDIS_URL: work.redisUrl } : {}),
      ...(work.redisPassword ? { REDIS_PASSWORD: work.redisPassword } : {}),
    });
    if (isDemo) stops.push(growSlowly(log, config.swarmDbPath, config.timezone));
    stopOnSignal(log, stops, orchestrator ? { hurry: orchestrator.hurry } : {});
    const page = `http://${config.bindHost}:${exporter.port}/`;
    log.info({ page, queue: orchestrator !== undefined }, isDemo ? 'up, with made-up demo data' : 'up');
    process.stderr.write(
      `\nThe swarm monitor is up: ${page}${isDemo ? ' (on made-up demo data)' : ''}. Ctrl-C stops it.\n\n`,
    );
  } catch (error) {
    for (const stop of stops.toReversed()) await stop();
    throw error;
  }
}

function tryOrchestrator(config: Config, work: WorkConfig, log: Log): Promise<Orchestrator | undefined> {
  return tryRoom('orchestrator', log, () =>
    startOrchestrator(config, work, createLog('orchestrator', config.logLevel)),
  );
}

function tryScheduler(settings: Settings, log: Log): Promise<Scheduler | undefined> {
  const hasQueue = settings.work.redisUrl !== undefined;
  return tryRoom('scheduler', log, () =>
    startScheduler(settings, createLog('scheduler', settings.config.logLevel), { hasQueue }),
  );
}

/** One broken part never hides the others: without one of these rooms there are still figures and alerts. */
async function tryRoom<T>(name: string, log: Log, start: () => Promise<T>): Promise<T | undefined> {
  try {
    return await start();
  } catch (error) {
    if (!(error instanceof OperatorError) || error instanceof UsageError) throw error;
    log.error({ reason: describeError(error) }, `the ${name} does not run: everything else does`);
    process.stderr.write(`\nNo ${name}: ${describeError(error)}\n`);
    return undefined;
  }
}

/** What the queue needs and nobody has set: a Redis of our own, and a project to try things on. */
async function prepareQueue(settings: Record<string, string | undefined>, log: Log): Promise<OwnRedis | undefined> {
  if (!settings.PROJECTS_FILE && !existsSync(loadConfig(settings).projectsFile)) {
    try {
      settings.PROJECTS_FILE = makeDemoProject();
    } catch (error) {
      log.warn({ reason: describeError(error) }, 'no demo project: is git installed?');
    }
  }
  if (loadWorkConfig(settings).redisUrl) return undefined;
  try {
    const redis = await startOwnRedis(log);
    settings.REDIS_URL = redis.url;
    settings.REDIS_PASSWORD = redis.password;
    return redis;
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = isMissing
      ? 'redis-server is not installed (Debian: apt-get install redis-server)'
      : describeError(error);
    log.warn({ reason }, 'no queue and no orchestrator: everything else runs');
    process.stderr.write(`\nNo queue: ${reason}. Install it, or set REDIS_URL, and start again.\n`);
    return undefined;
  }
}

function prepareDemo(log: Log, path: string, timezone: string): void {
  if (existsSync(path)) return;
  createDemoMemory({ path, seed: 1, days: DEMO_DAYS, untilMs: Date.now(), timezone });
  log.info({ path: resolve(path) }, 'made a demo memory, since SWARM_DB_PATH is not set');
}

function growSlowly(log: Log, path: string, timezone: string): () => void {
  const grow = (): void => {
    try {
      growDemoMemory(path, Date.now(), timezone);
    } catch (error) {
      log.warn({ reason: describeError(error) }, 'the demo memory did not grow');
    }
  };
  const timer = setInterval(grow, GROW_EVERY_MS);
  return () => clearInterval(timer);
}
