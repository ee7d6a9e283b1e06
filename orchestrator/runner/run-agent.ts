import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AgentProcess, type Exit, startProcess } from './agent-process.ts';
import type { RunFacts } from './classify.ts';
import { markerVariables } from './marker.ts';
import type { SessionTotals } from './model-usage.ts';
import { endOfRun, type RunEnd } from './run-end.ts';
import { createStreamReader, type StreamReader } from './stream.ts';
import { stopReasonOf, supervise } from './supervision.ts';
import { sweepProcesses } from './sweep.ts';
import type { TaskLog } from './task-log.ts';
import type { RunTimers } from './watchdog.ts';

/** One run of an agent. */
export interface RunRequest {
  readonly program: string;
  readonly args: readonly string[];
  /** Without the markers of the run, which are added. */
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly prompt: string;
  readonly taskId: string;
  /** Unlike that of any other run: by it everything that descends from the run is found and ended. */
  readonly runId: string;
  readonly timers: RunTimers;
  /** Aborted with a StopReason. */
  readonly signal: AbortSignal;
  readonly log: TaskLog;
  /** `sessionTotals` of the last run of the session that had some, if this one resumes it. */
  readonly sessionBefore?: SessionTotals | undefined;
  readonly onStart?: (pid: number) => void;
  readonly onSession?: (sessionId: string) => void;
}

type Ending = Pick<RunFacts, 'seen' | 'exit' | 'startError' | 'firedTimer' | 'stopReason'>;

/** What was written before the end has been read by then, unless somebody beyond our reach holds the pipe, or a disk hangs. */
const OUTPUT_WITHIN_MS = 2_000;
/** What outlives its agent has no work to finish. */
const LEFTOVER_KILL_MS = 2_000;

/**
 * Runs an agent until it and everything it started is gone. Whatever goes wrong with it is an outcome: only what a callback
 * throws is thrown, and only then.
 */
export async function runAgent(request: RunRequest): Promise<RunEnd> {
  const startedMs = performance.now();
  const { log, args, sessionBefore } = request;
  const ending = await execute(request);
  const facts = { ...ending, isSchemaAsked: args.includes('--json-schema'), nowMs: Date.now() };
  const end = endOfRun(facts, sessionBefore, Math.round(performance.now() - startedMs));
  const { firedTimer, stopReason, exit } = ending;
  log.note({ event: 'run ended', outcome: end.outcome, error: end.error, firedTimer, stopReason, ...exit });
  await within(OUTPUT_WITHIN_MS, log.flush());
  return end;
}

async function execute(request: RunRequest): Promise<Ending> {
  const { signal, log } = request;
  const nothing: Ending = {
    seen: createStreamReader({}).seen(),
    exit: undefined,
    firedTimer: undefined,
    stopReason: undefined,
  };
  if (signal.aborted) return { ...nothing, stopReason: stopReasonOf(signal) };
  let agent: AgentProcess;
  try {
    const environment = { ...request.environment, ...markerVariables(request) };
    agent = await startProcess({ ...request, environment });
  } catch (error) {
    return { ...nothing, startError: error as NodeJS.ErrnoException };
  }
  const supervision = supervise(agent, request);
  const reader = createStreamReader({
    onLine: log.write,
    onEvent: (event) => {
      supervision.onEvent(event);
      if (event.kind === 'start') request.onSession?.(event.sessionId);
    },
  });
  const exit = await follow(agent, reader, request);
  return { seen: reader.seen(), exit, ...supervision.cause() };
}

/** Reads what an agent says until it is gone, and then ends what it left running. */
async function follow(agent: AgentProcess, reader: StreamReader, request: RunRequest): Promise<Exit> {
  const { runId, timers, log } = request;
  const decoder = new TextDecoder();
  const output = Promise.all([
    announce(agent, request),
    readAll(agent.stdout, (chunk) => {
      reader.push(chunk);
      // What the disk has not taken yet must not pile up here.
      return log.flush();
    }),
    readAll(agent.stderr, (chunk) => {
      const text = decoder.decode(chunk, { stream: true });
      reader.addPlainText(text);
      log.note({ event: 'stderr', text });
      return log.flush();
    }),
  ]);
  // A bug of ours; it is thrown below, when the agent is gone.
  output.catch(() => agent.stop(timers.killMs));
  const exit = await agent.ended;
  // Measured: what the agent's Bash tool started outlives it, with 2.1.197 after a SIGTERM too, in the background always.
  await sweepProcesses({
    match: (marker) => marker.runId === runId,
    killMs: Math.min(LEFTOVER_KILL_MS, timers.killMs),
  });
  await agent.endGroup();
  try {
    await within(OUTPUT_WITHIN_MS, output);
  } finally {
    agent.stdout.destroy();
    agent.stderr.destroy();
  }
  reader.end();
  return exit;
}

async function announce({ pid }: AgentProcess, { log, runId, onStart }: RunRequest): Promise<void> {
  log.note({ event: 'run started', runId, pid });
  onStart?.(pid);
  await log.flush();
}

async function readAll(stream: Readable, take: (chunk: Buffer) => Promise<void>): Promise<void> {
  try {
    for await (const chunk of stream) await take(chunk as Buffer);
  } catch (error) {
    // Closed from our side, or broken from theirs: what was said until then counts. Anything else is a bug.
    const isClosed = (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE';
    if (!isClosed && error !== stream.errored) throw error;
  }
}

async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  const limit = new AbortController();
  const { signal } = limit;
  await Promise.race([work, sleep(limitMs, undefined, { signal }).catch(() => {})]);
  limit.abort();
}
