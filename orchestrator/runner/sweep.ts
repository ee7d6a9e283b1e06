import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isOwnerGone, type Marker, parseMarker, parseStat } from './marker.ts';

/** What is to be swept, and how. */
export interface SweepRequest {
  readonly match: (marker: Marker) => boolean;
  /** How long what is asked to end may take before it is killed. */
  readonly killMs: number;
  /** What it is asked with. */
  readonly signalFirst?: NodeJS.Signals;
}

/** A process as /proc shows it. */
export interface FoundProcess {
  readonly pid: number;
  readonly parent: number;
  readonly startTicks: string;
  readonly marker: Marker;
}

const SWEEP_KILL_MS = 5_000;
const POLL_MS = 25;
/** What is killed may have started something meanwhile, but not without end. */
const MOST_ROUNDS = 5;
/** Killed processes go at once, unless the kernel has them wait for a disk. */
const GONE_WITHIN_MS = 2_000;

/**
 * Ends every process whose environment carries a marker that matches, and returns how many there were. Only this reaches
 * what has left its group and session: the command line's children do. Where there is no /proc nothing is found. Never our
 * own process, what we descend from, or what belongs to the agent that may have started us.
 */
export async function sweepProcesses({ match, killMs, signalFirst = 'SIGTERM' }: SweepRequest): Promise<number> {
  const swept = new Set<string>();
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const found = await findProcesses(match);
    if (found.length === 0) break;
    for (const { pid, startTicks } of found) swept.add(`${pid}:${startTicks}`);
    if (round === 0) {
      await signal(found, signalFirst);
      await untilGone(found, killMs);
    }
    await signal(found, 'SIGKILL');
    await untilGone(found, GONE_WITHIN_MS);
  }
  return swept.size;
}

/** Ends what any run of a task has left running on this machine. */
export function sweepTask(taskId: string): Promise<number> {
  return sweepProcesses({ match: (marker) => marker.taskId === taskId, killMs: SWEEP_KILL_MS });
}

/** Ends what the agents of orchestrators left that are no more: for the start of one. */
export function sweepOrphans(): Promise<number> {
  return sweepProcesses({ match: isOrphan, killMs: SWEEP_KILL_MS });
}

/** Whether the orchestrator that started it is no more. */
export function isOrphan({ owner }: Marker): boolean {
  return owner !== undefined && isOwnerGone(owner);
}

async function findProcesses(match: (marker: Marker) => boolean): Promise<FoundProcess[]> {
  return chooseProcesses(await readProcesses(), process.pid, match);
}

/** Which of all processes may be ended: of agents, matching, and neither we nor the agent that may have started us. */
export function chooseProcesses(
  all: readonly FoundProcess[],
  ownPid: number,
  match: (marker: Marker) => boolean,
): FoundProcess[] {
  const own = all.find(({ pid }) => pid === ownPid);
  const spared = new Set([ownPid, ...ancestorsOf(own, all)]);
  return all.filter(
    ({ pid, marker }) =>
      marker.runId !== undefined && match(marker) && !spared.has(pid) && marker.runId !== own?.marker.runId,
  );
}

/** All processes but those that vanish while we look. What we may not look into has no marker. */
async function readProcesses(): Promise<FoundProcess[]> {
  const names = await readdir('/proc').catch(() => []);
  const found = await Promise.all(names.filter((name) => /^\d+$/.test(name)).map((name) => readProcess(Number(name))));
  return found.filter((each) => each !== undefined);
}

async function readProcess(pid: number): Promise<FoundProcess | undefined> {
  const [stat, environ] = await Promise.all([read(`/proc/${pid}/stat`), read(`/proc/${pid}/environ`)]);
  const parsed = parseStat(stat);
  return parsed && { pid, ...parsed, marker: parseMarker(environ) };
}

function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

function ancestorsOf(start: FoundProcess | undefined, all: readonly FoundProcess[]): number[] {
  const byPid = new Map(all.map((each) => [each.pid, each]));
  const ancestors: number[] = [];
  for (let each = start; each && !ancestors.includes(each.parent); each = byPid.get(each.parent)) {
    ancestors.push(each.parent);
  }
  return ancestors;
}

async function signal(processes: readonly FoundProcess[], name: NodeJS.Signals): Promise<void> {
  for (const each of processes) {
    // Its number may be somebody else's by now; the moment between this look and the signal cannot be closed from here.
    if (!(await isStillThere(each))) continue;
    try {
      process.kill(each.pid, name);
    } catch {
      // It ended by itself.
    }
  }
}

async function untilGone(processes: readonly FoundProcess[], withinMs: number): Promise<void> {
  const untilMs = performance.now() + withinMs;
  let left = processes;
  while (performance.now() < untilMs) {
    const states = await Promise.all(left.map(isStillThere));
    left = left.filter((_, index) => states[index]);
    if (left.length === 0) return;
    await sleep(POLL_MS);
  }
}

/** Alive, and no other of the same number. A dead process that nobody has waited for has no environment left. */
async function isStillThere({ pid, startTicks, marker }: FoundProcess): Promise<boolean> {
  const now = await readProcess(pid);
  return now?.startTicks === startTicks && now.marker.runId === marker.runId;
}
