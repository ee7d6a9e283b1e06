import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import type { Environment } from '../../lib/config.ts';

/** What Compose will read. Our programs never do: here it is only looked at. */
export interface DotEnv {
  readonly path: string;
  readonly values: Environment;
  readonly isReadableByOthers: boolean;
}

/** The `.env` of this folder; undefined if there is none, so that nobody means to deploy from here. */
export function readDotEnv(): DotEnv | undefined {
  const path = resolve('.env');
  try {
    const values = parseEnv(readFileSync(path, 'utf8'));
    return { path, values, isReadableByOthers: (statSync(path).mode & 0o004) !== 0 };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The memory that the containers will see. */
export function databaseInside({ values }: DotEnv): string {
  return resolve(values.SWARM_DB_DIR || './data', 'swarm_memory.db');
}

/** Who is the user inside the containers. */
export function userInside({ values }: DotEnv): { readonly uid: number; readonly gid: number } {
  return { uid: Number(values.SWARM_UID || 1_000), gid: Number(values.SWARM_GID || 1_000) };
}
