import { mkdirSync } from 'node:fs';
import { findProgram } from './programs.ts';

/** A command that runs another one where `mountPoint`, which it makes, shows a folder read-only. Only root may mount. */
export function withReadOnlyMount(folder: string, mountPoint: string): readonly [string, ...string[]] {
  mkdirSync(mountPoint);
  const script = 'mount --bind "$0" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"';
  return [findProgram('unshare'), '-m', 'sh', '-ec', script, folder, mountPoint];
}
