import { expect, test } from 'vitest';
import { NO_PROGRESS, type TaskProgress } from '../../lib/queue/progress.ts';
import { decideNext, type Ended, type PolicySettings } from '../../orchestrator/policy.ts';

const NOW = Date.UTC(2026, 10, 23, 12);
const SETTINGS: PolicySettings = { attempts: 3, fallbackModels: 2, onUsageLimit: 'wait' };
const HOUR_MS = 3_600_000;

function decide(
  ended: Partial<Ended>,
  {
    progress = {},
    settings = {},
    random = 0.5,
  }: {
    progress?: Partial<TaskProgress>;
    settings?: Partial<PolicySettings>;
    random?: number;
  } = {},
) {
  const whole: Ended = { outcome: 'ok', isInterrupted: false, isUnknownSession: false, hasSession: true, ...ended };
  return decideNext(whole, { ...NO_PROGRESS, ...progress }, { ...SETTINGS, ...settings }, { nowMs: NOW, random });
}

test.each(['ok', 'needs-attention', 'budget', 'max-turns', 'auth', 'bad-request', 'timeout', 'cancelled'] as const)(
  'after %s the task is over, whatever attempts are left',
  (outcome) => {
    expect(decide({ outcome, error: 'why' })).toEqual({ kind: 'end', outcome, error: 'why' });
  },
);

test.each([
  ['crashed', 5_000, false],
  ['stuck', 5_000, false],
  ['overloaded', 10_000, true],
] as const)(
  'after %s there is another attempt, %i ms later and twice as late each time',
  (outcome, delayMs, isResume) => {
    expect(decide({ outcome })).toMatchObject({ kind: 'retry', delayMs, isResume });
    expect(decide({ outcome }, { progress: { failures: 1 } })).toMatchObject({ kind: 'retry', delayMs: 2 * delayMs });
  },
);

test.each([
  [1, 0, 'end'],
  [2, 0, 'retry'],
  [2, 1, 'end'],
  [3, 1, 'retry'],
  [3, 2, 'end'],
  [3, 5, 'end'],
])('of %i attempts, %i of them failed before, a crash is followed by: %s', (attempts, failures, kind) => {
  expect(decide({ outcome: 'crashed' }, { settings: { attempts }, progress: { failures } }).kind).toBe(kind);
});

test('a wait is a quarter more or less, and ten minutes at the most', () => {
  const waits = [0, 0.5, 1].map((random) => decide({ outcome: 'crashed' }, { random }));
  expect(waits).toMatchObject([{ delayMs: 3_750 }, { delayMs: 5_000 }, { delayMs: 6_250 }]);
  const late = decide({ outcome: 'overloaded' }, { progress: { failures: 20 }, settings: { attempts: 30 } });
  expect(late).toMatchObject({ delayMs: 600_000 });
});

test('an overloaded model is followed by the next of the chain, and the last of it by itself', () => {
  const next = (fallback: number) => decide({ outcome: 'overloaded' }, { progress: { fallback } });
  expect([0, 1, 2].map(next)).toMatchObject([{ fallback: 1 }, { fallback: 2 }, { fallback: 2 }]);
  expect(decide({ outcome: 'crashed' }, { progress: { fallback: 1 } })).toMatchObject({ fallback: 1 });
  expect(decide({ outcome: 'overloaded' }, { settings: { fallbackModels: 0 } })).toMatchObject({ fallback: 0 });
});

test('a run that had not begun cannot be gone on with', () => {
  expect(decide({ outcome: 'overloaded', hasSession: false })).toMatchObject({ kind: 'retry', isResume: false });
});

const inHours = (hours: number): number => NOW + hours * HOUR_MS;

test.each([
  ['at the time it says', inHours(5), inHours(5) + 15_000],
  ['in half an hour if it says none', undefined, inHours(0.5)],
  ['in half an hour if its time is past', inHours(-1), inHours(0.5)],
  ['in half an hour if its time is beyond every limit', inHours(24 * 30), inHours(0.5)],
])('a usage limit uses no attempt and pauses the queue; it opens again %s', (_, resetsAtMs, untilMs) => {
  const ended = {
    outcome: 'rate-limited',
    error: 'limit',
    ...(resetsAtMs === undefined ? {} : { resetsAtMs }),
  } as const;
  expect(decide(ended, { progress: { failures: 2 } })).toEqual({
    kind: 'give-back',
    isResume: true,
    gate: { reason: 'usage-limit', text: 'limit', untilMs },
  });
});

test('with ON_USAGE_LIMIT=stop only a person opens the queue again', () => {
  expect(
    decide({ outcome: 'rate-limited', resetsAtMs: inHours(1) }, { settings: { onUsageLimit: 'stop' } }),
  ).toMatchObject({
    gate: { reason: 'usage-limit', untilMs: undefined },
  });
});

test('a run that our shutdown stopped goes back with its session, whatever the agent made of it', () => {
  for (const outcome of ['crashed', 'cancelled', 'timeout'] as const) {
    expect(decide({ outcome, isInterrupted: true })).toEqual({ kind: 'give-back', isResume: true });
    expect(decide({ outcome, isInterrupted: true, hasSession: false })).toEqual({ kind: 'give-back', isResume: false });
  }
});

test('a session that is gone costs no attempt: the task begins anew', () => {
  expect(decide({ outcome: 'bad-request', isUnknownSession: true })).toEqual({ kind: 'give-back', isResume: false });
});
