import { readFileSync, readlinkSync } from 'node:fs';

/** What the environment of an agent, and of everything it starts, says of where it comes from. */
export interface Marker {
  readonly taskId: string | undefined;
  readonly runId: string | undefined;
  /** The process of ours that started it. */
  readonly owner: string | undefined;
}

/** The variables that mark an agent and all its descendants. */
export function markerVariables(run: { readonly taskId: string; readonly runId: string }): Record<string, string> {
  return { SWARM_TASK_ID: run.taskId, SWARM_RUN_ID: run.runId, SWARM_OWNER: processOwner() };
}

/** The marker in the text of /proc/PID/environ. */
export function parseMarker(environ: string): Marker {
  const values = new Map<string, string>();
  for (const entry of environ.split('\0')) {
    if (entry.startsWith('SWARM_')) values.set(entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1));
  }
  return {
    taskId: values.get('SWARM_TASK_ID'),
    runId: values.get('SWARM_RUN_ID'),
    owner: values.get('SWARM_OWNER'),
  };
}

/** Parent and start time (clock ticks since boot) in the text of /proc/PID/stat; `undefined` for what is none. */
export function parseStat(stat: string): { readonly parent: number; readonly startTicks: string } | undefined {
  // The name, in brackets, may itself hold blanks and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.length < 20 ? undefined : { parent: Number(fields[1]), startTicks: fields[19] };
}

let ownOwner: string | undefined;

/** This process, so that it is told from every other that has, had or will have its number; empty where there is no /proc. */
export function processOwner(): string {
  ownOwner ??= readOwner();
  return ownOwner;
}

/**
 * Whether the process that an owner names is known to be gone. One of another container or from before a restart of the
 * machine is not: its number means nothing here.
 */
export function isOwnerGone(owner: string): boolean {
  const [space, pid, startTicks] = owner.split(':');
  if (space === '' || space !== processOwner().split(':')[0] || !/^\d+$/.test(pid ?? '')) return false;
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.startTicks !== startTicks;
  } catch {
    return true;
  }
}

function readOwner(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8);
    const namespace = readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
    const { startTicks } = parseStat(readFileSync('/proc/self/stat', 'utf8'))!;
    return `${boot}-${namespace}:${process.pid}:${startTicks}`;
  } catch {
    return '';
  }
}
