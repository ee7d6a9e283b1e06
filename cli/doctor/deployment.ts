import { existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import {
  type Environment,
  loadChannelConfig,
  loadConfig,
  loadSchedulerConfig,
  loadWorkConfig,
} from '../../lib/config.ts';
import { UsageError } from '../../lib/errors.ts';
import type { Check, Finding } from './checks.ts';
import { tryListening } from './checks.ts';
import { portsOfOurContainers } from './docker.ts';
import { type DotEnv, databaseInside, readDotEnv, userInside } from './dot-env.ts';
import { canRead, canWriteIn, type User } from './permissions.ts';

type Result = Omit<Finding, 'check'>;

/** What Compose will find: each looks at the `.env` of this folder. */
export const DEPLOYMENT_CHECKS: readonly Check[] = [
  { name: '.env', run: withDotEnv(checkDotEnv) },
  { name: 'secrets in files', run: withDotEnv(checkSecretFiles) },
  { name: 'database for the containers', run: withDotEnv(checkDatabaseFolder) },
  { name: 'projects for the containers', run: withDotEnv(checkProjectsFolder) },
  { name: 'ports for the containers', run: withDotEnv(checkPorts) },
];

/** Host ports and their defaults, as the compose file has them: a test compares. */
export const PUBLISHED_PORTS: Readonly<Record<string, number>> = {
  EXPORTER_PORT: 9091,
  SCHEDULER_PORT: 9094,
  WEBHOOK_PORT: 9095,
  ORCHESTRATOR_PORT: 9092,
  REDIS_PORT: 6379,
  PROMETHEUS_PORT: 9090,
  ALERTMANAGER_PORT: 9093,
  GRAFANA_PORT: 3000,
};
const ROOT: User = { uid: 0, gid: 0 };
/** Secrets that only the one-shot `prepare` reads, as root; the others are read by the user inside. */
const READ_BY_ROOT = ['GRAFANA_PASSWORD', 'REDIS_PASSWORD', 'HEALTHCHECKS_URL', 'SLACK_WEBHOOK_URL', 'SMTP_URL'];
/** File systems by which machines share files: SQLite's write-ahead log does not work there. */
const SHARED_FILE_SYSTEMS: Readonly<Record<number, string>> = {
  26985: 'NFS',
  4283649346: 'CIFS',
  4266872130: 'SMB',
  16914839: '9p',
};

function withDotEnv(check: (env: DotEnv) => Promise<Result> | Result): Check['run'] {
  return () => {
    const env = readDotEnv();
    if (env) return check(env);
    return {
      level: 'warning',
      message: 'not looked at: there is no .env here',
      remedy: 'To deploy: cp .env.example .env.',
    };
  };
}

function checkDotEnv({ path, values, isReadableByOthers }: DotEnv): Result {
  const problem = findBadSetting(values);
  if (problem !== undefined) return { level: 'problem', message: problem, remedy: `Correct it in ${path}.` };
  if (!values.GRAFANA_PASSWORD && !values.GRAFANA_PASSWORD_FILE) {
    return {
      level: 'problem',
      message: 'GRAFANA_PASSWORD is not set: nothing will start',
      remedy: `Set it in ${path}.`,
    };
  }
  if (isReadableByOthers) {
    return { level: 'problem', message: `everybody on this machine can read ${path}`, remedy: `chmod 600 ${path}` };
  }
  return { level: 'ok', message: `${path}, every setting well-formed` };
}

/** Files of secrets are mounted for the containers, so that here only the settings themselves are judged. */
function findBadSetting(values: Environment): string | undefined {
  const withoutFiles = Object.fromEntries(Object.entries(values).filter(([name]) => !name.endsWith('_FILE')));
  for (const load of [loadConfig, loadChannelConfig, loadWorkConfig, loadSchedulerConfig]) {
    try {
      load(withoutFiles);
    } catch (error) {
      if (error instanceof UsageError) return error.message;
      throw error;
    }
  }
  return undefined;
}

function checkSecretFiles(env: DotEnv): Result {
  const files = Object.entries(env.values).filter(
    ([name, value]) =>
      name.endsWith('_FILE') && value && !['COMPOSE_FILE', 'PROJECTS_FILE', 'TIMETABLE_FILE'].includes(name),
  );
  for (const [variable, value] of files) {
    const file = resolve(String(value));
    if (!existsSync(file))
      return { level: 'problem', message: `${variable}: there is no ${file}`, remedy: 'Write it.' };
    const reader = READ_BY_ROOT.includes(variable.replace(/_FILE$/, '')) ? ROOT : userInside(env);
    const { mode } = statSync(file);
    if ((mode & 0o004) !== 0) {
      return { level: 'problem', message: `${variable}: everybody can read ${file}`, remedy: `chmod o-r ${file}` };
    }
    if (!canRead(file, reader)) {
      const message = `${variable}: user ${reader.uid}, who reads it in its container, may not read ${file}`;
      return { level: 'problem', message, remedy: `chown ${reader.uid} ${file}` };
    }
  }
  return { level: 'ok', message: files.length === 0 ? 'none' : `${files.length}, each readable by who reads it` };
}

/** The folder is mounted, not the file: see docs/decisions.md. */
function checkDatabaseFolder(env: DotEnv): Result {
  const file = databaseInside(env);
  const folder = dirname(file);
  const user = userInside(env);
  if (!existsSync(file)) {
    const remedy = 'Set SWARM_DB_DIR to the folder that your hooks write swarm_memory.db in.';
    return { level: 'problem', message: `there is no ${file}`, remedy };
  }
  const shared = SHARED_FILE_SYSTEMS[statfsSync(folder).type];
  if (shared !== undefined) {
    const remedy = 'Keep it on a disk of this machine; swarm ship brings rows from other machines.';
    return {
      level: 'problem',
      message: `${folder} is on ${shared}, where SQLite's write-ahead log does not work`,
      remedy,
    };
  }
  if (!canRead(file, user)) {
    const message = `user ${user.uid}, who the containers run as, may not read ${file}`;
    return { level: 'problem', message, remedy: ownerRemedy(file) };
  }
  if (!canWriteIn(folder, user)) {
    const message = `user ${user.uid} may not write in ${folder}, so that no result of a task can be recorded`;
    return { level: 'problem', message, remedy: ownerRemedy(file) };
  }
  return { level: 'ok', message: `${file} can be read and written by user ${user.uid}` };
}

function ownerRemedy(file: string): string {
  const { uid, gid } = statSync(file);
  return `Set SWARM_UID=${uid} and SWARM_GID=${gid}, its owner.`;
}

function checkProjectsFolder(env: DotEnv): Result {
  const folder = env.values.PROJECTS_DIR || '/srv/swarm-projects';
  if (!isAbsolute(folder)) {
    const message = `PROJECTS_DIR is "${folder}", which is no absolute path: it is the same inside the containers`;
    return { level: 'problem', message, remedy: 'Write it in full.' };
  }
  const file = resolve(folder, 'projects.json');
  if (!existsSync(file)) {
    const remedy = 'Write one when agents are to work; README.md shows it.';
    return { level: 'warning', message: `there is no ${file}, so no project is known`, remedy };
  }
  const outside = projectPaths(file).filter((path) => path !== folder && !path.startsWith(`${folder}/`));
  if (outside.length === 0) return { level: 'ok', message: file };
  const message = `${outside.join(', ')} is not below ${folder}, so the containers do not see it`;
  return { level: 'problem', message, remedy: 'Move it there, or choose a PROJECTS_DIR that has all of them.' };
}

function projectPaths(file: string): string[] {
  const { projects = [] } = JSON.parse(readFileSync(file, 'utf8')) as { projects?: { path?: unknown }[] };
  return projects.map(({ path }) => resolve(file, '..', String(path)));
}

/** A live neighbour keeps its ports: what is taken is either ours already, or to be moved. */
async function checkPorts(env: DotEnv): Promise<Result> {
  const ours = await portsOfOurContainers();
  const taken: string[] = [];
  for (const [variable, fallback] of Object.entries(PUBLISHED_PORTS)) {
    const port = Number(env.values[variable] || fallback);
    if (!ours.has(port) && (await tryListening('127.0.0.1', port)) !== undefined) taken.push(`${port} (${variable})`);
  }
  if (taken.length === 0) {
    return { level: 'ok', message: ours.size === 0 ? 'all are free' : 'free, or used by our own containers' };
  }
  const message = `something else listens on ${taken.join(', ')}`;
  return { level: 'problem', message, remedy: 'Choose other ports in .env.' };
}
