import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Environment } from './config.ts';

/** What `swarm up` writes down, so that commands in another shell find the same database and ports. */
export interface RunFile {
  readonly pid: number;
  /** Values of environment variables that stand in for those left unset. */
  readonly environment: Readonly<Record<string, string>>;
}

const RUN_FILE = './data/run.json';

/** Writes the file, readable by this user only, and returns how to remove it. */
export function writeRunFile(environment: Readonly<Record<string, string>>): () => void {
  const path = resolve(RUN_FILE);
  const content: RunFile = { pid: process.pid, environment };
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  return () => {
    if (readRunFile()?.pid === process.pid) rmSync(path, { force: true });
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
