import { setTimeout as sleep } from 'node:timers/promises';
import { describeError } from '../../lib/errors.ts';
import type { Check, CheckType } from '../../lib/project-checks.ts';
import { same } from '../words.ts';
import { type CheckFunction, type CheckResult, down, unavailable } from './check.ts';
import { CHECKS } from './checks/all.ts';
import type { Target } from './targets.ts';

/** What came of one check. */
export interface CheckOutcome extends CheckResult {
  readonly project: string;
  readonly check: string;
  readonly type: CheckType;
  /** How long its last try took. */
  readonly seconds: number;
}

export interface CheckRun {
  readonly targets: readonly Target[];
  readonly swarmDbPath: string;
  readonly backupDir: string;
  readonly clock: () => number;
  readonly signal: AbortSignal;
  /** How often a check is tried until it is up, and how long is waited in between. */
  readonly tries: number;
  readonly pauseMs: number;
}

/** So many checks at the same time: a machine with two processors serves something else besides. */
const MOST_AT_ONCE = 8;
const LONGEST_REASON = 200;

/**
 * Makes every check, several at a time; each fails alone. What is down is tried again, for what does not answer for a
 * moment is not down. The outcomes are in the order of the targets.
 */
export async function runChecks(run: CheckRun): Promise<readonly CheckOutcome[]> {
  const all = run.targets.flatMap((target) => target.checks.map((check) => ({ target, check })));
  const outcomes: CheckOutcome[] = [];
  for (let tried = 1; tried <= run.tries; tried += 1) {
    const left = [...all.entries()].filter(([index]) => tried === 1 || outcomes[index].state === 'down').values();
    const work = async (): Promise<void> => {
      for (const [index, { target, check }] of left) {
        run.signal.throwIfAborted();
        outcomes[index] = await makeCheck(target, check, run);
      }
    };
    await Promise.all(Array.from({ length: MOST_AT_ONCE }, work));
    if (tried === run.tries || outcomes.every(({ state }) => state !== 'down')) break;
    await sleep(run.pauseMs, undefined, { signal: run.signal });
  }
  return outcomes;
}

async function makeCheck(target: Target, check: Check, run: CheckRun): Promise<CheckOutcome> {
  const startedAt = performance.now();
  const result = await tryCheck(target, check, run);
  const seconds = (performance.now() - startedAt) / 1_000;
  return { project: target.project, check: check.name, type: check.type, seconds, ...result };
}

async function tryCheck({ path }: Target, check: Check, run: CheckRun): Promise<CheckResult> {
  const { swarmDbPath, backupDir, clock } = run;
  const { timeoutSeconds } = check;
  const timeout = new AbortController();
  const signal = AbortSignal.any([run.signal, timeout.signal]);
  // Not every question can be taken back: a disk that hangs holds nothing up but its own answer.
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<CheckResult>((resolve) => {
    timer = setTimeout(() => {
      const s = timeoutSeconds;
      resolve(down({ it: `nessuna risposta entro ${s} s`, en: `no answer within ${s} s` }));
      timeout.abort();
    }, timeoutSeconds * 1_000);
  });
  // The compiler cannot see that each function is given a check of its own type.
  const look = CHECKS[check.type] as CheckFunction<CheckType>;
  const context = { projectPath: path, swarmDbPath, backupDir, nowMs: clock(), signal };
  try {
    return await Promise.race([look(check, context), late]);
  } catch (error) {
    return unavailable(same(describeError(error, LONGEST_REASON)));
  } finally {
    clearTimeout(timer);
  }
}
