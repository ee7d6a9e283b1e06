import { describeError, EXIT, exitCodeOf, OperatorError, UnreachableError } from '../lib/errors.ts';
import { LATE_AFTER_MS } from './catch-up.ts';
import type { Job } from './jobs/job.ts';
import type { Lead } from './lead.ts';
import type { ClaimedSlot, Ledger, SlotEnd } from './ledger.ts';
import type { ScheduledEntry } from './timetable-file.ts';
import type { Tools } from './tools.ts';

/** Does what is due, while this process has the lead. */
export interface Runner {
  /** Looks at the clock: what is due is written down and begun. */
  readonly tick: () => void;
  /** Begins what is written down: what was asked for by hand, and what came while a run was not over. */
  readonly beginDue: () => void;
  /** Begins what is due of one job alone, if this process has the lead. */
  readonly beginJob: (name: string) => void;
  /** Resolves when nothing runs. */
  readonly settled: () => Promise<void>;
  /** Begins nothing more, and tells what runs to stop. What does is given back, and done by the next process. */
  readonly stop: () => void;
}

export interface RunnerOptions {
  readonly entries: readonly ScheduledEntry[];
  readonly jobs: readonly Job[];
  readonly ledger: Ledger;
  readonly lead: Lead;
  readonly tools: Tools;
}

const TIMEOUT_MS = 15 * 60_000;

/** A runner of jobs: different ones side by side, each by itself one run at a time. */
export function createRunner({ entries, jobs, ledger, lead, tools }: RunnerOptions): Runner {
  const { clock, log } = tools;
  const running = new Map<string, Promise<void>>();
  const stopping = new AbortController();
  /** Ends that could not be written down yet: a disk that is full now may not be in a minute. */
  const unsaved = new Map<ClaimedSlot, SlotEnd>();

  /** True if this process may work. What others left half done is taken up first. */
  const isLeading = (): boolean => {
    if (stopping.signal.aborted) return false;
    if (lead.isHeld()) return true;
    if (!lead.take()) return false;
    ledger.recover(clock());
    ledger.notice(entries, clock(), (job) => running.has(job));
    return true;
  };

  const begin = (job: Job): void => {
    if (running.has(job.name) || stopping.signal.aborted) return;
    const slot = ledger.claim(job.name, clock());
    if (slot === undefined) return;
    const run = work(job, slot).finally(() => {
      running.delete(job.name);
      // The next that waits, if any; an error of the ledger is told by the next look at the clock.
      if (lead.isHeld()) attempt(() => begin(job));
    });
    running.set(job.name, run);
  };

  const work = async (job: Job, slot: ClaimedSlot): Promise<void> => {
    const end = await doJob(job, slot, tools, stopping.signal);
    const { state, error, summary } = end;
    const level = state === 'failed' ? 'error' : state === 'waiting' ? 'warn' : 'info';
    const said = { job: job.name, slot: new Date(slot.slotMs).toISOString(), state, latenessMs: slot.latenessMs };
    log[level]({ ...said, ...(error ? { reason: error } : {}), ...(summary ? { summary } : {}) }, 'a job ended');
    unsaved.set(slot, end);
    attempt(save);
  };

  const save = (): void => {
    for (const [slot, end] of unsaved) {
      ledger.finish(slot, end);
      unsaved.delete(slot);
    }
  };

  const attempt = (step: () => void): void => {
    try {
      step();
    } catch (error) {
      log.error({ reason: describeError(error) }, 'monitor.db could not be used');
    }
  };

  const beginDue = (): void => {
    if (isLeading()) for (const job of jobs) begin(job);
  };

  return {
    tick: () =>
      attempt(() => {
        save();
        if (!isLeading()) return;
        ledger.notice(entries, clock(), (job) => running.has(job));
        beginDue();
      }),
    beginDue: () => attempt(beginDue),
    beginJob: (name) =>
      attempt(() => {
        const job = jobs.find((each) => each.name === name);
        if (job !== undefined && lead.isHeld()) begin(job);
      }),
    settled: async () => {
      while (running.size > 0) await Promise.all(running.values());
    },
    stop: () => stopping.abort(),
  };
}

/** Runs a job for a slot to its end, whatever that is. */
async function doJob(job: Job, slot: ClaimedSlot, tools: Tools, stopping: AbortSignal): Promise<SlotEnd> {
  const { clock } = tools;
  const { name, timeoutMs = TIMEOUT_MS } = job;
  const { slotMs, latenessMs, isManual } = slot;
  const info = { slotMs, latenessMs, isManual, nowMs: clock(), isLate: latenessMs > LATE_AFTER_MS };
  const timeout = new AbortController();
  const signal = AbortSignal.any([stopping, timeout.signal]);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new OperatorError(
          `Could not do "${name}" within ${timeoutMs / 60_000} minutes.`,
          'See the log of the scheduler.',
        ),
      );
      timeout.abort();
    }, timeoutMs);
  });
  try {
    const log = tools.log.child({ job: name });
    const report = await Promise.race([job.run({ ...tools, log, slot: info, signal }), late]);
    return { state: 'done', nowMs: clock(), exitCode: EXIT.done, ...(report ? { summary: report.summary } : {}) };
  } catch (error) {
    return { ...judgeError(error, isManual, stopping.aborted), nowMs: clock() };
  } finally {
    clearTimeout(timer);
  }
}

/** Who was told to stop has not failed; who misses something waits for it, unless somebody sits there and waits. */
function judgeError(error: unknown, isManual: boolean, isStopping: boolean): Omit<SlotEnd, 'nowMs'> {
  const exitCode = exitCodeOf(error);
  if (isStopping && !isManual) return { state: 'due', exitCode };
  const state = error instanceof UnreachableError && !isManual ? 'waiting' : 'failed';
  return { state, exitCode, error: describeError(error) };
}
