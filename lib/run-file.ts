import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Environment } from './config.ts';
import { OperatorError } from './errors.ts';

/** What `swarm up` writes down, so that commands in another shell find the same database and ports. */
export interface RunFile {
  readonly pid: number;
  /** Values of environment variables that stand in for those left unset. */
  readonly environment: Readonly<Record<string, string>>;
}

const RUN_FILE = './data/run.json';

/** The run file of this process: what it says can be changed until it is removed. */
export interface OwnRunFile {
  readonly write: (environment: Readonly<Record<string, string>>) => void;
  readonly remove: () => void;
}

/**
 * Takes the run file for this process, readable by this user only.
 * @throws OperatorError if another `swarm up` is alive in this folder: two would share its data.
 */
export function claimRunFile(): OwnRunFile {
  const path = resolve(RUN_FILE);
  mkdirSync(dirname(path), { recursive: true });
  const write = (environment: Readonly<Record<string, string>>, flag: 'w' | 'wx'): void => {
    const content: RunFile = { pid: process.pid, environment };
    writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flag });
  };
  const other = readRunFile();
  if (other === undefined) rmSync(path, { force: true });
  try {
    write({}, 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new OperatorError(
      `Could not start: the swarm monitor is up in this folder already${other ? `, as process ${other.pid}` : ''}.`,
      'Stop it first, or start this one in another folder.',
    );
  }
  return {
    write: (environment) => write(environment, 'w'),
    remove: () => {
      if (readRunFile()?.pid === process.pid) rmSync(path, { force: true });
    },
  };
}

/** What a `swarm up` that is still alive wrote; undefined if none is. */
export function readRunFile(): RunFile | undefined {
  try {
    const content = JSON.parse(readFileSync(resolve(RUN_FILE), 'utf8')) as RunFile;
    return isAlive(content.pid) && typeof content.environment === 'object' ? content : undefined;
  } catch {
    return undefined;
  }
}

/** The environment of a command: its own, and for what is unset or empty there, that of a running `swarm up`. */
export function withRunFile(environment: Environment): Environment {
  const set = Object.entries(environment).filter(([, value]) => value !== undefined && value !== '');
  return { ...readRunFile()?.environment, ...Object.fromEntries(set) };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
