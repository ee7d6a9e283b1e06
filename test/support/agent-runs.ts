import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { type RunRequest, runAgent } from '../../orchestrator/runner/run-agent.ts';
import type { RunEnd } from '../../orchestrator/runner/run-end.ts';
import { openTaskLog } from '../../orchestrator/runner/task-log.ts';
import type { RunTimers } from '../../orchestrator/runner/watchdog.ts';

/** The fake agent; its directives are described at its head. */
export const FAKE_AGENT = fileURLToPath(new URL('./fake-agent.mjs', import.meta.url));

const REAL_AGENT_FOLDER = fileURLToPath(new URL('../agent-cli/', import.meta.url));

/** Long enough for a busy machine; tests of a timer set that one themselves. */
export const PATIENT: RunTimers = { startMs: 30_000, idleMs: 30_000, wallMs: 45_000, exitMs: 10_000, killMs: 10_000 };

/**
 * The real command line.
 * @throws Error with the command that installs it.
 */
export function findRealAgent(): string {
  const { dependencies } = JSON.parse(readFileSync(join(REAL_AGENT_FOLDER, 'package.json'), 'utf8'));
  const [name] = Object.keys(dependencies as object);
  const folder = join(REAL_AGENT_FOLDER, 'node_modules', name);
  try {
    const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { bin: { claude: string } };
    return join(folder, bin.claude);
  } catch {
    throw new Error(
      `This test needs ${name}, which is not installed. Install it: npm install --no-save --prefix test/agent-cli`,
    );
  }
}

/** Folders of one test, gone when it ends. */
export interface RunPlace {
  readonly home: string;
  readonly cwd: string;
  readonly logs: string;
  /** For what a test wants to keep out of those. */
  readonly scratch: string;
  /** PATH, HOME and what finds leftovers of `npm test`. */
  readonly environment: Readonly<Record<string, string>>;
}

/** A home, a working directory and a folder of logs. */
export function makeRunPlace(): RunPlace {
  const root = mkdtempSync(join(tmpdir(), 'agent-run-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true, maxRetries: 5 }));
  const [home, cwd, logs, scratch] = ['home', 'project', 'logs', 'scratch'].map((name) => join(root, name));
  for (const folder of [home, cwd, scratch]) mkdirSync(folder);
  const mark = process.env.SWARM_TEST_RUN ? { SWARM_TEST_RUN: process.env.SWARM_TEST_RUN } : {};
  return {
    home,
    cwd,
    logs,
    scratch,
    environment: { PATH: process.env.PATH ?? '', HOME: home, TMPDIR: scratch, ...mark },
  };
}

type Given = Partial<Omit<RunRequest, 'timers'>> & { readonly timers?: Partial<RunTimers> };

let runs = 0;

/** Runs the fake agent, or another program, in a place; what is not given has a default. */
export async function runIn(place: RunPlace, prompt: string, given: Given = {}): Promise<RunEnd> {
  runs += 1;
  const taskId = given.taskId ?? 'task-1';
  const log = openTaskLog({ folder: place.logs, taskId });
  try {
    return await runAgent({
      program: process.execPath,
      args: [FAKE_AGENT, '-p', '--output-format', 'stream-json', '--verbose', '--session-id', `session-${runs}`],
      environment: place.environment,
      cwd: place.cwd,
      prompt,
      taskId,
      runId: `run-${process.pid}-${runs}`,
      signal: new AbortController().signal,
      log,
      ...given,
      timers: { ...PATIENT, ...given.timers },
    });
  } finally {
    await log.close();
  }
}

/** The fake agent's arguments for a session that is begun or resumed. */
export function fakeArguments(session: string, isResumed = false): string[] {
  return [FAKE_AGENT, '-p', isResumed ? '--resume' : '--session-id', session];
}

/** Makes a program of a text; `sh` unless its first line says otherwise. */
export function writeProgram(place: RunPlace, text: string, mode = 0o755): string {
  runs += 1;
  const path = join(place.scratch, `program-${runs}`);
  writeFileSync(path, text.startsWith('#!') ? text : `#!/bin/sh\n${text}`);
  chmodSync(path, mode);
  return path;
}

/** The processes that carry the marker of a run. */
export function processesOf(runId: string): number[] {
  return processesWith(`SWARM_RUN_ID=${runId}`);
}

/** The same for all runs of a task. */
export function processesOfTask(taskId: string): number[] {
  return processesWith(`SWARM_TASK_ID=${taskId}`);
}

function processesWith(marker: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isAlive(pid) && environOf(pid).includes(marker));
}

/** Ends a process that nobody else will, when the test ends. */
export function endWithTest(pid: number): void {
  onTestFinished(async () => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    while (isAlive(pid)) await sleep(20);
  });
}

/** Whether a process runs. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}

function environOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
