import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import type { Config } from '../../lib/config.ts';
import { describeError, OperatorError, UnreachableError } from '../../lib/errors.ts';
import { lookAtFiles } from '../../lib/memory/files.ts';
import { probeSchema } from '../../lib/memory/schema.ts';
import { readMemory } from '../../lib/memory/source.ts';
import { findRedisFault, parseRedisInfo } from '../../lib/queue/redis-info.ts';
import { createAgentLauncher } from '../../orchestrator/agent-launch.ts';
import { lookIntoMonitorDb } from '../../scheduler/monitor-db.ts';
import { TIMETABLE } from '../../scheduler/timetable.ts';
import { readTimetable } from '../../scheduler/timetable-file.ts';
import { loadCommandScheduler, loadCommandWork } from '../command.ts';
import { withQueue } from '../queue/open-queue.ts';
import { askRoom, ROOMS, type Room } from '../rooms.ts';

/** What a check found. A problem has a remedy; a warning may have one. */
export interface Finding {
  readonly check: string;
  readonly level: 'ok' | 'warning' | 'problem';
  readonly message: string;
  readonly remedy?: string;
}

/** Looks at one thing. Throwing an OperatorError is a problem with its remedy. */
export interface Check {
  readonly name: string;
  readonly run: (config: Config) => Promise<Omit<Finding, 'check'>> | Omit<Finding, 'check'>;
}

const MIN_NODE = [20, 19] as const;
/** From here on better-sqlite3 12 aborts the process when a statement is collected: docs/decisions.md. */
const FIRST_UNFIT_NODE = 24;
const MIN_FREE_BYTES = 10e9;
const CRITICAL_FREE_BYTES = 1e9;

/** Every check, in the order they are shown. To add one: an object here. */
export const CHECKS: readonly Check[] = [
  { name: 'node', run: checkNode },
  { name: 'database path', run: checkPath },
  { name: 'database mount and permissions', run: checkReading },
  { name: 'database schema', run: checkSchema },
  ...ROOMS.map((room): Check => ({ name: `port of the ${room.name}`, run: (config) => checkPort(room, config) })),
  { name: 'timetable', run: checkTimetable },
  { name: 'disk', run: checkDisk },
  { name: 'redis', run: checkRedis },
  { name: 'agent', run: checkAgent },
];

/** Runs the checks one after another; none hides the others. */
export async function runChecks(checks: readonly Check[], config: Config): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { name, run } of checks) {
    try {
      findings.push({ check: name, ...(await run(config)) });
    } catch (error) {
      const [message, remedy] =
        error instanceof OperatorError
          ? [error.message, error.hint]
          : [describeError(error), 'This is a bug: report it.'];
      findings.push({ check: name, level: 'problem', message, remedy });
    }
  }
  return findings;
}

function checkNode(): Omit<Finding, 'check'> {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major >= FIRST_UNFIT_NODE) {
    return {
      level: 'problem',
      message: `with Node ${process.versions.node} SQLite's binding ends the process now and then`,
      remedy: 'Use Node 22 or 20.',
    };
  }
  const isNewEnough = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
  return isNewEnough
    ? { level: 'ok', message: `Node ${process.versions.node}` }
    : {
        level: 'problem',
        message: `Node ${process.versions.node} is too old`,
        remedy: `Install Node ${MIN_NODE.join('.')} or later.`,
      };
}

function checkPath(config: Config): Omit<Finding, 'check'> {
  const files = lookAtFiles(config.swarmDbPath);
  return { level: 'ok', message: `${files.path}, ${(files.sizeBytes / 1e6).toFixed(1)} MB` };
}

/** Read access, and what the folder allows: a read-only folder works, but not while a -wal lies there without its -shm. */
async function checkReading(config: Config): Promise<Omit<Finding, 'check'>> {
  const mode = await readMemory(config.swarmDbPath, (memory) => {
    memory.db.prepare('SELECT count(*) FROM sqlite_master').get();
    return memory.mode;
  });
  const folder = dirname(lookAtFiles(config.swarmDbPath).path);
  return {
    level: 'ok',
    message: `readable (${mode}); its folder is ${isWritable(folder) ? 'writable' : 'read-only'} here`,
  };
}

async function checkSchema(config: Config): Promise<Omit<Finding, 'check'>> {
  const schema = await readMemory(config.swarmDbPath, ({ db }) => probeSchema(db));
  return schema.state === 'other'
    ? {
        level: 'warning',
        message: 'a shape not seen before; figures whose columns are missing will be absent',
        remedy: 'Compare its tables with the ones in the documentation of your hooks.',
      }
    : { level: 'ok', message: `shape ${schema.state}${schema.isDemo ? ', demo data' : ''}` };
}

async function checkPort(room: Room, config: Config): Promise<Omit<Finding, 'check'>> {
  const port = room.port();
  const answer = await askRoom(room, config);
  if (answer.state !== 'not running') return { level: 'ok', message: `${port}, where the ${room.name} is running` };
  const refusal = await tryListening(config.bindHost, port);
  return refusal === undefined
    ? { level: 'ok', message: `${port} is free` }
    : {
        level: 'problem',
        message: `${config.bindHost}:${port} cannot be used (${refusal})`,
        remedy: 'Stop the program that listens there, or choose another port in the environment.',
      };
}

/** Why a port cannot be listened on; undefined if it can. */
export function tryListening(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}

/** Whatever is wrong with either is thrown, with its remedy. */
function checkTimetable(config: Config): Omit<Finding, 'check'> {
  const { timetableFile, monitorDbPath } = loadCommandScheduler();
  const entries = readTimetable({ timetable: TIMETABLE, timezone: config.timezone, file: timetableFile });
  lookIntoMonitorDb(monitorDbPath)?.close();
  const off = entries.filter(({ cron }) => cron === undefined).length;
  return { level: 'ok', message: `${entries.length} jobs, ${off} of them off` };
}

function checkDisk(config: Config): Omit<Finding, 'check'> {
  const folder = firstExisting(dirname(config.swarmDbPath));
  const { bavail, bsize } = statfsSync(folder);
  const message = `${((bavail * bsize) / 1e9).toFixed(1)} GB free at ${folder}`;
  const remedy = 'Free some: old images (docker image prune), logs, backups.';
  if (bavail * bsize < CRITICAL_FREE_BYTES) return { level: 'problem', message, remedy };
  return bavail * bsize < MIN_FREE_BYTES ? { level: 'warning', message, remedy } : { level: 'ok', message };
}

/** Without a Redis everything but the queue works, so its absence is no problem of this machine. */
async function checkRedis(): Promise<Omit<Finding, 'check'>> {
  const { redisUrl } = loadCommandWork();
  const fault = await withQueue(async (_, redis) => findRedisFault(parseRedisInfo(await redis.info()))).catch(
    (error: unknown) => {
      if (error instanceof UnreachableError && redisUrl === undefined) return error;
      throw error;
    },
  );
  if (fault === undefined) return { level: 'ok', message: 'answers, forgets nothing and throws nothing away' };
  if (fault instanceof UnreachableError) return { level: 'warning', message: fault.message, remedy: fault.hint };
  return { level: 'problem', message: fault, remedy: 'Start it so, then run this again.' };
}

async function checkAgent(): Promise<Omit<Finding, 'check'>> {
  const work = loadCommandWork();
  const fault = await createAgentLauncher(work).findFault();
  if (fault === undefined) return { level: 'ok', message: `"${work.agentCommand}" can be started` };
  return { level: 'warning', message: fault, remedy: 'Until then tasks wait; the demo agent works without it.' };
}

function firstExisting(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : firstExisting(dirname(folder));
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
