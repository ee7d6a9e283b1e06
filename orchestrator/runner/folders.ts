import type { Stats } from 'node:fs';
import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';

/** Deletes what an agent left, folders without write permission too. What cannot be deleted now, `prune` tries again. */
export async function deleteTree(path: string, log: Log): Promise<void> {
  const options = { recursive: true, force: true, maxRetries: 2 };
  await rm(path, options)
    .catch(async () => {
      await openUp(path);
      await rm(path, options);
    })
    .catch((error: unknown) => log.warn({ path, reason: describeError(error) }, 'a folder could not be deleted'));
}

async function openUp(path: string): Promise<void> {
  await chmod(path, 0o700);
  for (const name of await entriesOf(path)) if (await isFolder(join(path, name))) await openUp(join(path, name));
}

/** What a folder takes on its disk, everything in it included. */
export async function bytesOf(path: string): Promise<number> {
  const stats = await look(path);
  if (!stats) return 0;
  let bytes = stats.blocks * 512;
  if (!stats.isDirectory()) return bytes;
  for (const name of await entriesOf(path)) bytes += await bytesOf(join(path, name));
  return bytes;
}

/** Whether there is a folder; a link to one is none. */
export async function isFolder(path: string): Promise<boolean> {
  return (await look(path))?.isDirectory() ?? false;
}

/** Links are looked at, not followed: they are the agent's. */
export function look(path: string): Promise<Stats | undefined> {
  return lstat(path).catch(nothingIfGone);
}

/** The names in a folder; none if it is gone. */
export async function entriesOf(path: string): Promise<readonly string[]> {
  return (await readdir(path).catch(nothingIfGone)) ?? [];
}

/** For what may be deleted at any moment. @throws the error if it is another. */
export function nothingIfGone(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}
