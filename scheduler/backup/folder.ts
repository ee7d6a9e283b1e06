import { mkdirSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../../lib/errors.ts';
import { createLead } from '../lead.ts';
import { isTemporary } from './file-names.ts';

const LOOK_EVERY_MS = 200;
const PRIVATE = 0o700;

/**
 * Has a folder of backups to itself for some work: others wait, and what somebody who was killed left half done is removed.
 * @throws OperatorError if the folder cannot be used.
 */
export async function withFolder<T>(folder: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    mkdirSync(folder, { recursive: true, mode: PRIVATE });
    const turn = createLead(join(folder, 'backups'));
    while (!turn.take()) await sleep(LOOK_EVERY_MS, undefined, signal ? { signal } : {});
    try {
      removeTemporary(folder);
      return await work();
    } finally {
      turn.giveUp();
    }
  } catch (error) {
    throw explainFolder(folder, error);
  }
}

/** Removes files that were never finished. Only whoever has the folder may: nobody else is writing then. */
export function removeTemporary(folder: string): void {
  for (const name of readdirSync(folder))
    if (isTemporary(name)) rmSync(join(folder, name), { recursive: true, force: true });
}

/**
 * Refuses to begin what would fill the disk.
 * @throws OperatorError saying how much is free and how much is needed.
 */
export function assertRoom(folder: string, neededBytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  const freeBytes = bavail * bsize;
  if (freeBytes >= neededBytes) return;
  throw new OperatorError(
    `Could not write to "${folder}": ${inMegabytes(neededBytes)} are needed, ${inMegabytes(freeBytes)} are free.`,
    'Free some space there, or choose another folder.',
  );
}

/** Makes sure that a new name in a folder is still there after a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    // Some network file systems refuse it; they have no power cut of ours either.
    await handle.sync().catch(() => undefined);
  } finally {
    await handle.close();
  }
}

function inMegabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** What the file system said of a folder, for the person in charge; anything else is given back as it is. */
export function explainFolder(folder: string, error: unknown): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (error instanceof OperatorError) return error;
  const fail = (reason: string, hint: string): OperatorError =>
    new OperatorError(`Could not write to "${folder}": ${reason}.`, hint, { cause: error });
  if (/^(ENOSPC|EDQUOT|EFBIG|SQLITE_FULL|SQLITE_IOERR_WRITE)$/.test(code)) {
    return fail(`its disk is full (${code})`, 'Free some space there, or choose another folder.');
  }
  if (/^(EACCES|EPERM|EROFS|ENOTDIR|EEXIST|SQLITE_CANTOPEN|SQLITE_READONLY)/.test(code)) {
    return fail(`this user may not (${code})`, 'Check who owns it, and whether it is mounted read-only.');
  }
  return /^E[A-Z\d]+$/.test(code) ? fail(message.split(',')[0], 'Look at the disk: dmesg, df.') : error;
}
