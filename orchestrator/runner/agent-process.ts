import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a process ended, as Node says it. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** An agent's process, and the group it leads. */
export interface AgentProcess {
  readonly pid: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** When the process itself is gone; bounded after `stop`. Never rejects. */
  readonly ended: Promise<Exit>;
  /** Asks the group to end, and makes it after `killMs`. Called again, the shorter time counts. */
  readonly stop: (killMs: number) => void;
  /** Ends what is left of the group once the process itself is gone. */
  readonly endGroup: () => Promise<void>;
}

/** How an agent is started. */
export interface ProcessRequest {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Given on standard input, which then ends. */
  readonly prompt: string;
}

/** A killed process is gone at once, unless the kernel has it wait for a disk. */
const GONE_WITHIN_MS = 5_000;
const POLL_MS = 25;

/**
 * Starts an agent in a process group of its own, so that one signal reaches it and what it started.
 * @throws NodeJS.ErrnoException if the operating system refuses; of a missing folder it says so.
 */
export async function startProcess(request: ProcessRequest): Promise<AgentProcess> {
  const { program, args, environment, cwd, prompt } = request;
  // The system's error would blame the program.
  if (!existsSync(cwd)) throw Object.assign(new Error(`there is no folder "${cwd}"`), { code: 'ENOCWD' });
  const child = spawn(program, args, { cwd, env: environment, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  await once(child, 'spawn');
  givePrompt(child.stdin, prompt);
  return control(child, child.pid!);
}

/** An agent that ends before it has read its prompt is no error of ours. */
function givePrompt(stdin: Writable, prompt: string): void {
  stdin.on('error', () => {});
  stdin.end(prompt);
}

function control(child: ChildProcessByStdio<Writable, Readable, Readable>, pid: number): AgentProcess {
  let killTimer: NodeJS.Timeout | undefined;
  let hasEnded = false;
  let hasGroup = true;
  let resolveEnded: (exit: Exit) => void;
  const ended = new Promise<Exit>((resolve) => {
    resolveEnded = resolve;
  });

  function end(exit: Exit): void {
    clearTimeout(killTimer);
    hasEnded = true;
    // As long as somebody is in it, the group's number is given to nobody else.
    hasGroup = signalGroup(pid, 0);
    resolveEnded(exit);
  }

  function kill(): void {
    signalGroup(pid, 'SIGKILL');
    killTimer = setTimeout(() => end({ code: null, signal: 'SIGKILL' }), GONE_WITHIN_MS);
  }

  child.once('exit', (code, signal) => end({ code, signal }));
  return {
    pid,
    stdout: child.stdout,
    stderr: child.stderr,
    ended,
    stop: (killMs) => {
      if (hasEnded) return;
      clearTimeout(killTimer);
      signalGroup(pid, 'SIGTERM');
      killTimer = setTimeout(kill, killMs);
    },
    endGroup: async () => {
      if (!hasGroup) return;
      const untilMs = performance.now() + GONE_WITHIN_MS;
      while (signalGroup(pid, 'SIGKILL') && performance.now() < untilMs) await sleep(POLL_MS);
    },
  };
}

/** Whether there was anybody to signal. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}
