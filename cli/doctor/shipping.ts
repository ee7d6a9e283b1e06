import { readdirSync } from 'node:fs';
import { readState, STATE_FOLDER, stateFileOf } from '../ship/state-file.ts';
import type { Check, Finding } from './checks.ts';

/** Where this machine ships its rows to, and when that last went well. */
export const SHIPPING_CHECK: Check = { name: 'shipping', run: checkShipping };

const LATE_AFTER_MS = 24 * 3_600_000;
const SUFFIX = '.json';

function checkShipping(): Omit<Finding, 'check'> {
  const hosts = readdirNames(STATE_FOLDER)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => decodeURIComponent(name.slice(0, -SUFFIX.length)));
  if (hosts.length === 0) return { level: 'ok', message: 'this machine ships its rows nowhere' };
  const late = hosts.filter((host) => {
    const { lastSuccessAt } = readState(stateFileOf(STATE_FOLDER, host));
    return lastSuccessAt === undefined || Date.now() - Date.parse(lastSuccessAt) > LATE_AFTER_MS;
  });
  if (late.length === 0) return { level: 'ok', message: `${hosts.join(', ')} got all rows within a day` };
  return {
    level: 'warning',
    message: `${late.join(', ')} has not got the rows of this machine for more than a day`,
    remedy: `Run: swarm ship --to ${late[0]}. If that works, see docs/ship.md for having it done.`,
  };
}

function readdirNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
