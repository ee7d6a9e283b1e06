import { pino } from 'pino';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type AutoscalerOptions, createAutoscaler } from '../../../orchestrator/autoscaler/autoscaler.ts';
import { bounded } from '../../../orchestrator/autoscaler/bounded.ts';
import type { Decision } from '../../../orchestrator/autoscaler/decide.ts';
import { DEFAULT_TARGETS } from '../../../orchestrator/autoscaler/demand.ts';
import { EASY, MINUTE, NOW } from './builders.ts';

afterEach(() => vi.useRealTimers());

/** An autoscaler of one to four workers, and everything it did. A test changes the sources and the clock through `world`. */
function autoscalerOf(extra: Partial<AutoscalerOptions> = {}) {
  const world = { nowMs: NOW, signals: EASY, queue: { waiting: 0, active: 0 } };
  const applied: number[] = [];
  const records: Decision[] = [];
  const logged: { level: number; msg: string; reason?: string }[] = [];
  const autoscaler = createAutoscaler({
    limits: { min: 1, max: 4 },
    targets: DEFAULT_TARGETS,
    readSignals: async () => world.signals,
    readQueue: async () => world.queue,
    apply: (target) => void applied.push(target),
    record: (decision) => void records.push(decision),
    nowMs: () => world.nowMs,
    log: pino({}, { write: (line) => void logged.push(JSON.parse(line)) }),
    ...extra,
  });
  /** Lets minutes pass, each with a sample every 15 s and a decision at its end. */
  const pass = async (minutes: number): Promise<void> => {
    for (let beat = 1; beat <= minutes * 4; beat += 1) {
      world.nowMs += 15_000;
      await (beat % 4 === 0 ? autoscaler.tick() : autoscaler.sample());
    }
  };
  return { autoscaler, world, applied, records, logged, pass };
}

const BACKLOG = { waiting: 5, active: 1 };
const hang = (): Promise<never> => new Promise(() => {});
const refuse = (message: string) => async (): Promise<never> => {
  throw new Error(message);
};

describe('an autoscaler', () => {
  test('starts with the least number of workers and has decided nothing', () => {
    const { autoscaler, applied } = autoscalerOf({ limits: { min: 2, max: 4 } });
    expect([autoscaler.target(), autoscaler.latest(), applied]).toEqual([2, undefined, []]);
  });

  test('applies, records and tells what it decides', async () => {
    const { autoscaler, world, applied, records, logged, pass } = autoscalerOf();
    world.queue = BACKLOG;
    await pass(1);
    expect([applied, autoscaler.target()]).toEqual([[2], 2]);
    expect(records).toEqual([autoscaler.latest()]);
    expect(records[0].inputs).toMatchObject({ nowMs: NOW + MINUTE, workers: 1, samples: { length: 4 } });
    expect(logged).toMatchObject([{ level: 30, from: 1, to: 2, msg: 'number of workers changed' }]);
  });

  test('applies only changes, and remembers them: the cooldown, the window, the idleness', async () => {
    const { world, applied, records, pass } = autoscalerOf();
    world.queue = BACKLOG;
    await pass(10);
    world.queue = { waiting: 0, active: 0 };
    world.signals = { ...EASY, cpuRatio: 0.9, memoryRatio: 0.8 };
    await pass(16);
    expect(records.map(({ target }) => target).join('')).toBe('22222333332222222222111111');
    expect(applied).toEqual([2, 3, 2, 1]);
    expect(records.map(({ inputs }) => inputs.samples.length)).toEqual([4, 8, 12, 16, ...Array(22).fill(20)]);
  });

  test('halves for answers 429 and 529 noted since the sample before, each counted once', async () => {
    const { autoscaler, world, applied, records, pass } = autoscalerOf({ limits: { min: 1, max: 2 } });
    world.queue = BACKLOG;
    await pass(6);
    autoscaler.noteOverloadedAnswer();
    autoscaler.noteOverloadedAnswer();
    await pass(1);
    expect(applied).toEqual([2, 1]);
    const counted = records.at(-1)?.inputs.samples.map(({ overloadedAnswers }) => overloadedAnswers) ?? [];
    expect(counted.filter((answers) => answers > 0)).toEqual([2]);
    expect(records.at(-1)?.veto).toBe('overloaded_answers');
  });

  test('survives a clock that is set back: within 5 minutes it goes on', async () => {
    const { world, applied, pass } = autoscalerOf();
    world.queue = BACKLOG;
    await pass(1);
    world.nowMs -= 24 * 60 * MINUTE;
    await pass(5);
    expect(applied).toEqual([2]);
    await pass(1);
    expect(applied).toEqual([2, 3]);
  });

  test('with one number allowed keeps it', async () => {
    const { world, applied, records, pass } = autoscalerOf({ limits: { min: 2, max: 2 } });
    world.queue = BACKLOG;
    await pass(2);
    expect([applied, records.map(({ target }) => target)]).toEqual([[], [2, 2]]);
  });

  test.each([
    [0, 2],
    [3, 2],
    [1, 2.5],
    [Number.NaN, 2],
  ])('refuses limits that allow no number: %d to %d', (min, max) => {
    expect(() => autoscalerOf({ limits: { min, max } })).toThrow(
      `Could not scale the workers between "${min}" and "${max}": expected whole numbers from 1, the least first.`,
    );
  });
});

describe('what fails is logged, and nothing changes', () => {
  test.each([
    ['the queue', { readQueue: refuse('Redis is gone') }, 'Redis is gone'],
    ['the machine', { readSignals: refuse('no such thing') }, 'no such thing'],
  ])('%s cannot be read', async (_, extra, message) => {
    const { autoscaler, applied, records, logged, pass } = autoscalerOf(extra);
    await pass(2);
    expect([applied, autoscaler.target()]).toEqual([[], 1]);
    expect(records.map(({ reason }) => reason)).toEqual(
      Array(2).fill('Still 1 worker: there are no readings of this moment.'),
    );
    expect(logged).toHaveLength(8);
    expect(logged[0]).toMatchObject({ level: 40, reason: message });
  });

  test('answers noted while nothing can be read are not lost', async () => {
    let isGone = true;
    const { autoscaler, records, pass } = autoscalerOf({
      readQueue: async () => (isGone ? refuse('gone')() : { waiting: 0, active: 0 }),
    });
    autoscaler.noteOverloadedAnswer();
    await pass(1);
    isGone = false;
    await pass(1);
    expect(records.map(({ veto }) => veto)).toEqual([undefined, 'overloaded_answers']);
  });

  test('a number that cannot be applied is tried again, without cooldown', async () => {
    let isBroken = true;
    const tried: number[] = [];
    const { autoscaler, world, logged, pass } = autoscalerOf({
      apply: (target) => {
        tried.push(target);
        if (isBroken) throw new Error('not now');
      },
    });
    world.queue = BACKLOG;
    await pass(1);
    expect(autoscaler.target()).toBe(1);
    expect(logged).toMatchObject([{ level: 50, to: 2, reason: 'not now' }]);
    isBroken = false;
    await pass(1);
    expect([tried, autoscaler.target()]).toEqual([[2, 2], 2]);
  });

  test('a decision that cannot be recorded is carried out', async () => {
    const { world, applied, logged, pass } = autoscalerOf({ record: refuse('disk full') });
    world.queue = BACKLOG;
    await pass(1);
    expect(applied).toEqual([2]);
    expect(logged.at(-1)).toMatchObject({ level: 40, reason: 'disk full' });
  });

  test('a source that hangs is given up on after 5 s, and not asked again until it is back', async () => {
    vi.useFakeTimers();
    let asked = 0;
    const { autoscaler, logged } = autoscalerOf({
      readQueue: () => {
        asked += 1;
        return hang();
      },
    });
    const first = autoscaler.sample();
    await vi.advanceTimersByTimeAsync(5_000);
    await first;
    await autoscaler.sample();
    expect(asked).toBe(1);
    expect(logged.map(({ reason }) => reason)).toEqual(['no answer within 5 s', 'the call before has not come back']);
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('its timer', () => {
  test('samples every 15 s, decides every minute, and is gone after stop', async () => {
    vi.useFakeTimers();
    const { autoscaler, world, applied, records } = autoscalerOf({ nowMs: Date.now });
    world.queue = BACKLOG;
    autoscaler.start();
    expect(applied).toEqual([1]);
    await vi.advanceTimersByTimeAsync(59_999);
    expect(records).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(records.map(({ inputs }) => inputs.samples.length)).toEqual([5]);
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(records).toHaveLength(2);
    expect(applied).toEqual([1, 2]);
    await autoscaler.stop();
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    expect(records).toHaveLength(2);
  });

  test('stopping waits for what is under way', async () => {
    let finish: (() => void) | undefined;
    const { autoscaler, applied } = autoscalerOf({
      readQueue: () =>
        new Promise((resolve) => {
          finish = () => resolve({ waiting: 0, active: 0 });
        }),
    });
    autoscaler.start();
    let isStopped = false;
    const stopped = autoscaler.stop().then(() => {
      isStopped = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isStopped).toBe(false);
    finish?.();
    await stopped;
    expect(applied).toEqual([1]);
  });

  test('starting twice starts one timer', async () => {
    vi.useFakeTimers();
    const { autoscaler } = autoscalerOf();
    autoscaler.start();
    autoscaler.start();
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(1);
    await autoscaler.stop();
  });
});

describe('a bounded call', () => {
  test('gives what the call gives, with its arguments, again and again', async () => {
    const add = bounded((a: number, b: number) => a + b, 1_000);
    expect([await add(1, 2), await add(3, 4)]).toEqual([3, 7]);
  });

  test('fails as the call fails, whether it throws or rejects', async () => {
    const broken = bounded(() => {
      throw new Error('at once');
    }, 1_000);
    await expect(broken()).rejects.toThrow('at once');
    await expect(bounded(refuse('later'), 1_000)()).rejects.toThrow('later');
    await expect(broken()).rejects.toThrow('at once');
  });

  test('may be called again once a late call has come back', async () => {
    vi.useFakeTimers();
    let finish: ((error: Error) => void) | undefined;
    let calls = 0;
    const slow = bounded(() => {
      calls += 1;
      return calls > 1
        ? 'quick'
        : new Promise<string>((_, reject) => {
            finish = reject;
          });
    }, 1_000);
    const first = expect(slow()).rejects.toThrow('no answer within 1 s');
    await vi.advanceTimersByTimeAsync(1_000);
    await first;
    await expect(slow()).rejects.toThrow('the call before has not come back');
    finish?.(new Error('nobody hears this'));
    await vi.advanceTimersByTimeAsync(0);
    expect(await slow()).toBe('quick');
  });
});
