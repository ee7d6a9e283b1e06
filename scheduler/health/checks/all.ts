import type { CheckType } from '../../../lib/project-checks.ts';
import type { CheckFunction } from '../check.ts';
import { checkBackup } from './backup.ts';
import { checkContainer } from './container.ts';
import { checkDisk } from './disk.ts';
import { checkGit } from './git.ts';
import { checkHttp } from './http.ts';
import { checkMemory } from './memory.ts';
import { checkSystemd } from './systemd.ts';
import { checkTcp } from './tcp.ts';
import { checkTls } from './tls.ts';

/** Every type of check. To add one: a file here, a line below, and its fields in lib/project-checks.ts. */
export const CHECKS: { readonly [T in CheckType]: CheckFunction<T> } = {
  http: checkHttp,
  tls: checkTls,
  tcp: checkTcp,
  disk: checkDisk,
  git: checkGit,
  container: checkContainer,
  systemd: checkSystemd,
  memory: checkMemory,
  backup: checkBackup,
};
