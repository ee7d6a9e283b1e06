import { basename, parse } from 'node:path';

/** What a file still being written is called; whoever has the folder to itself may remove those it finds. */
const TEMPORARY = /^\.backup-[\da-f-]{36}\.tmp(-journal|-wal|-shm)?$/;
const BACKUP = /^(?<name>.+)-(?<stamp>\d{8}T\d{6}Z)\.(?:db|json)\.gz$/;
/** The ending of a file that has been encrypted. */
export const SEALED_ENDING = '.enc';

/** The name of a file that is not whole yet. */
export function temporaryName(id: string): string {
  return `.backup-${id}.tmp`;
}

export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}

/** The name of a backup: its source's base name and the second it was made, as in `swarm_memory-20261122T060000Z.db.gz`. */
export function backupName(sourcePath: string, madeMs: number, kind: 'db' | 'json' = 'db'): string {
  return `${parse(sourcePath).name}-${stampOf(madeMs)}.${kind}.gz`;
}

/** A moment as it stands in names of files: to the second, UTC. */
export function stampOf(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '');
}

/** What the name of a backup says; undefined for any other file. */
export function readBackupName(file: string): { readonly name: string; readonly madeMs: number } | undefined {
  const { name, stamp } = BACKUP.exec(basename(file))?.groups ?? {};
  if (name === undefined || stamp === undefined) return undefined;
  const madeMs = Date.parse(stamp.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  return Number.isNaN(madeMs) ? undefined : { name, madeMs };
}
