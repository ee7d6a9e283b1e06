import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { promisify } from 'node:util';
import type { Config } from '../../lib/config.ts';
import type { Check, Finding } from './checks.ts';
import { readDotEnv } from './dot-env.ts';

type Result = Omit<Finding, 'check'>;

/** Whether this machine can bear the stack beside what runs on it already. */
export const MACHINE_CHECKS: readonly Check[] = [
  { name: 'memory', run: checkMemory },
  { name: 'processors', run: checkProcessors },
  { name: 'clock', run: checkClock },
  { name: 'time zone', run: checkTimeZone },
];

/** What all containers but the orchestrator may take together: a test holds it to the compose file. */
export const STACK_MEMORY_MB = 1_568;
const DEFAULT_ORCHESTRATOR_MB = 1_656;
const SYSTEM_MEMORY_MB = 300;
const MIN_PROCESSORS = 2;
const BYTES_PER_MB = 2 ** 20;
const ANSWERS_WITHIN_MS = 5_000;
const run = promisify(execFile);

function checkMemory(): Result {
  const totalMb = Math.floor(totalmem() / BYTES_PER_MB);
  const limit = /^(\d+)m$/.exec(readDotEnv()?.values.ORCHESTRATOR_MEMORY ?? '')?.[1];
  const orchestratorMb = Number(limit ?? DEFAULT_ORCHESTRATOR_MB);
  const leftMb = totalMb - STACK_MEMORY_MB - orchestratorMb - SYSTEM_MEMORY_MB;
  const inUseMb = totalMb - readAvailableMb();
  const message =
    `${totalMb} MB, of which ${inUseMb} are in use now; at most ${STACK_MEMORY_MB} for the stack and ${orchestratorMb} for ` +
    `the orchestrator with its agents leave ${leftMb} to everything else here`;
  if (leftMb >= SYSTEM_MEMORY_MB) return { level: 'ok', message };
  const remedy = 'Let fewer agents run: WORKERS_MAX=1 and ORCHESTRATOR_MEMORY=956m.';
  return { level: totalMb < STACK_MEMORY_MB ? 'problem' : 'warning', message, remedy };
}

/** What could be had without swapping; all that is unused where the kernel does not say. */
function readAvailableMb(): number {
  try {
    const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
    return Math.floor(Number(kilobytes) / 1_024);
  } catch {
    return Math.floor(process.availableMemory() / BYTES_PER_MB);
  }
}

function checkProcessors(): Result {
  const count = availableParallelism();
  return count >= MIN_PROCESSORS
    ? { level: 'ok', message: `${count}` }
    : {
        level: 'warning',
        message: 'one only: an agent at work will be felt by everything else here',
        remedy: 'Leave WORKERS_MAX at 1.',
      };
}

async function checkClock(): Promise<Result> {
  const remedy = 'Turn it on: timedatectl set-ntp true.';
  try {
    const args = ['show', '--property=NTPSynchronized', '--value'];
    const { stdout } = await run('timedatectl', args, { timeout: ANSWERS_WITHIN_MS });
    if (stdout.trim() === 'yes') return { level: 'ok', message: 'kept by the network' };
    return { level: 'warning', message: 'not kept by the network: windows, slots and signatures go by it', remedy };
  } catch {
    return { level: 'warning', message: `nobody says whether it is kept by the network; it is ${now()} here`, remedy };
  }
}

function now(): string {
  return new Date().toISOString();
}

/** Older hooks write local times without a zone, which are read as SWARM_TIMEZONE. */
function checkTimeZone({ timezone }: Config): Result {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const offset = (timeZone: string): string =>
    new Date().toLocaleString('en', { timeZone, timeZoneName: 'longOffset' });
  if (offset(here) === offset(timezone)) return { level: 'ok', message: `${timezone}, as on this machine` };
  return {
    level: 'warning',
    message: `SWARM_TIMEZONE is ${timezone}, this machine's is ${here}`,
    remedy: 'Nothing to do if the hooks run elsewhere; else set SWARM_TIMEZONE to the zone they run in.',
  };
}
