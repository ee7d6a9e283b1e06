import type { AgentProcess } from './agent-process.ts';
import type { StopReason } from './classify.ts';
import type { AgentEvent } from './events.ts';
import { createWatchdog, type RunTimers, type TimerName } from './watchdog.ts';

/** What ended a run, if it did not end by itself: the first of these that came. */
export interface StopCause {
  readonly firedTimer: TimerName | undefined;
  readonly stopReason: StopReason | undefined;
}

/** Watches a run until its process is gone. */
export interface Supervision {
  readonly onEvent: (event: AgentEvent) => void;
  readonly cause: () => StopCause;
}

const HURRY_MS = 1_000;

/** Stops an agent when one of its timers fires or when it is told to. */
export function supervise(
  agent: AgentProcess,
  { timers, signal }: { readonly timers: RunTimers; readonly signal: AbortSignal },
): Supervision {
  let cause: StopCause = { firedTimer: undefined, stopReason: undefined };
  let hasStarted = false;
  let hasResult = false;

  function stop(why: Partial<StopCause>, killMs: number): void {
    if (!cause.firedTimer && !cause.stopReason) cause = { ...cause, ...why };
    watchdog.stop();
    agent.stop(killMs);
  }

  function onAbort(): void {
    const stopReason = stopReasonOf(signal);
    stop({ stopReason }, stopReason === 'shutdown-now' ? Math.min(HURRY_MS, timers.killMs) : timers.killMs);
  }

  const watchdog = createWatchdog(timers, (firedTimer) => stop({ firedTimer }, timers.killMs));
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  void agent.ended.then(() => {
    watchdog.stop();
    signal.removeEventListener('abort', onAbort);
  });

  return {
    onEvent: ({ kind }) => {
      hasStarted ||= kind === 'start';
      hasResult ||= kind === 'result';
      // After its result it may still take up the answer of something it had left to itself.
      if (hasResult) watchdog.expect('exit');
      else if (hasStarted) watchdog.expect('idle');
    },
    cause: () => cause,
  };
}

/** Why a run is to stop: the reason its signal was aborted with; `cancel` if it is none we know. */
export function stopReasonOf(signal: AbortSignal): StopReason {
  const reason: unknown = signal.reason;
  return reason === 'shutdown' || reason === 'shutdown-now' ? reason : 'cancel';
}
