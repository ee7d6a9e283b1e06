/** How long an agent may take for what, milliseconds. */
export interface RunTimers {
  /** From its start until it says which session it is. */
  readonly startMs: number;
  /** Between two events. */
  readonly idleMs: number;
  readonly wallMs: number;
  /** From its result, or what it says after it, until it exits. */
  readonly exitMs: number;
  /** From SIGTERM to SIGKILL. */
  readonly killMs: number;
}

/** The timers that end a run. */
export type TimerName = 'start' | 'idle' | 'wall' | 'exit';

/** Watches over the time a run takes. */
export interface Watchdog {
  /** Something came; from then on the given timer runs. */
  readonly expect: (timer: 'idle' | 'exit') => void;
  readonly stop: () => void;
}

/** Starts to watch a run that has just been started. `onFire` is called once at most. */
export function createWatchdog(timers: RunTimers, onFire: (timer: TimerName) => void): Watchdog {
  let current: NodeJS.Timeout;

  function arm(timer: TimerName, delayMs: number): NodeJS.Timeout {
    return setTimeout(() => {
      stop();
      onFire(timer);
    }, delayMs);
  }

  function stop(): void {
    clearTimeout(current);
    clearTimeout(wall);
    isStopped = true;
  }

  let isStopped = false;
  const wall = arm('wall', timers.wallMs);
  current = arm('start', timers.startMs);
  return {
    expect: (timer) => {
      if (isStopped) return;
      clearTimeout(current);
      current = arm(timer, timer === 'idle' ? timers.idleMs : timers.exitMs);
    },
    stop,
  };
}
