import { type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** A user as permissions see him. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

const READ = 4;
const WRITE = 2;
const SEARCH = 1;

/** Whether a user may read a file where it lies: its folder is what is mounted, so folders above do not matter. */
export function canRead(file: string, user: User): boolean {
  return allows(statSync(dirname(file)), user, SEARCH) && allows(statSync(file), user, READ);
}

/** Whether a user may make files in a folder. */
export function canWriteIn(folder: string, user: User): boolean {
  return allows(statSync(folder), user, WRITE | SEARCH);
}

function allows({ mode, uid, gid }: Stats, user: User, wanted: number): boolean {
  if (user.uid === 0) return true;
  const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0;
  return ((mode >> shift) & wanted) === wanted;
}
