import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';

/** Names of files that are still being written. */
const UNFINISHED = /^\.|\.(?:tmp|part|partial|lock)$/;

/**
 * When the newest file of a folder, or of a folder in it, was written, UTC milliseconds; undefined without one. `prefix` is
 * how its name must begin.
 * @throws Error with a code if the folder cannot be read.
 */
export async function findLatestBackup(folder: string, prefix = ''): Promise<number | undefined> {
  const entries = await readdir(folder, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => ({ name, path: join(folder, name) }));
  for (const each of folders) {
    const inside = await readdir(each, { withFileTypes: true }).catch(() => []);
    files.push(...inside.filter((entry) => entry.isFile()).map(({ name }) => ({ name, path: join(each, name) })));
  }
  let latestMs: number | undefined;
  for (const { name, path } of files) {
    if (!name.startsWith(prefix) || UNFINISHED.test(name)) continue;
    const { mtimeMs, size } = await stat(path).catch(() => ({ mtimeMs: 0, size: 0 }));
    if (size > 0) latestMs = Math.max(latestMs ?? 0, mtimeMs);
  }
  return latestMs;
}

/** The same for backups of a swarm's memory, whose names begin with that of its file. */
export function findLatestMemoryBackup(backupDir: string, swarmDbPath: string): Promise<number | undefined> {
  return findLatestBackup(backupDir, `${basename(swarmDbPath, extname(swarmDbPath))}-`);
}
