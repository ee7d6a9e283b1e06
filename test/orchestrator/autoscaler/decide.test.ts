import { describe, expect, test } from 'vitest';
import { decide } from '../../../orchestrator/autoscaler/decide.ts';
import type { Sample } from '../../../orchestrator/autoscaler/samples.ts';
import type { DecisionInputs } from '../../../orchestrator/autoscaler/scene.ts';
import { inputsOf, MINUTE, NOW, sampleAt, steady } from './builders.ts';

/** CPU and memory at their targets give 0.6, running tasks the rest: the signal is `0.6 + 0.2 × tasks per worker`. */
const signalOf = (signal: number, workers: number): readonly Sample[] =>
  signal >= 0.6
    ? steady({ cpuRatio: 0.7, memoryRatio: 0.8, activeTasks: ((signal - 0.6) / 0.2) * workers })
    : steady({ cpuRatio: 0, memoryRatio: 0, activeTasks: (signal / 0.2) * workers });
const targetOf = (extra: Partial<DecisionInputs>): number => decide(inputsOf(extra)).target;
/** Something that asks for more, so that only a veto or the cooldown can be in the way. */
const BACKLOG = { waitingTasks: 5, activeTasks: 1 };
/** Saturated CPU, full memory, a queue twice its target: the facts' example. */
const FULL = { cpuRatio: 1, memoryRatio: 0.95, waitingTasks: 4, activeTasks: 1 };

describe('the signal', () => {
  test('is 0.4 CPU + 0.2 memory + 0.2 queue + 0.2 tasks per worker, each relative to its target', () => {
    const { signal, parts } = decide(inputsOf({ samples: steady(FULL) })).demand;
    expect(parts).toEqual({ cpu: expect.closeTo(1.4286, 4), memory: expect.closeTo(1.1875), queue: 2, tasks: 1 });
    expect(signal).toBeCloseTo(1.4089, 4);
  });

  test('follows the targets it is given', () => {
    const targets = { cpu: 0.5, memory: 0.5, queue: 100, tasksPerWorker: 10 };
    const samples = steady({ cpuRatio: 0.25, memoryRatio: 0.25, waitingTasks: 50, activeTasks: 20 });
    const { signal, parts } = decide(inputsOf({ workers: 4, samples, targets })).demand;
    expect(parts).toEqual({ cpu: 0.5, memory: 0.5, queue: 0.5, tasks: 0.5 });
    expect(signal).toBeCloseTo(0.5);
  });

  test('is made of means over 5 minutes, to which samples without a reading add nothing', () => {
    const samples = [
      sampleAt(NOW - 5 * MINUTE, { cpuRatio: 1, waitingTasks: 100 }),
      sampleAt(NOW - 5 * MINUTE + 1, { cpuRatio: undefined, waitingTasks: 3 }),
      sampleAt(NOW - 15_000, { cpuRatio: 0.7, waitingTasks: 0 }),
      sampleAt(NOW, { cpuRatio: 0.14, waitingTasks: 0 }),
    ];
    expect(decide(inputsOf({ samples })).demand.parts).toMatchObject({ cpu: expect.closeTo(0.6), queue: 0.5 });
  });

  test.each([
    [1.32, 1, 2],
    [1.32, 2, 3],
    [1.32, 3, 5],
    [1.32, 4, 6],
    [1.28, 4, 5],
    [1.12, 4, 5],
    [1.08, 4, 4],
    [0.72, 4, 4],
    [0.68, 4, 3],
    [0.52, 4, 3],
    [0.48, 4, 2],
    [0.48, 10, 7],
    [0.48, 3, 2],
    [0.48, 2, 1],
    [0.48, 1, 0],
    [0.68, 1, 0],
  ])('of %d makes it want, of %i workers, %i', (signal, workers, wants) => {
    const { demand } = decide(inputsOf({ workers, samples: signalOf(signal, workers) }));
    expect(demand.signal).toBeCloseTo(signal);
    expect([demand.wants, demand.basis]).toEqual([wants, 'signal']);
  });

  test.each([
    [1.3, 5.5, 5],
    [1.1, 4.5, 4],
    [0.7, 2.5, 4],
    [0.5, 1.5, 3],
  ])('of exactly %d is not beyond that threshold', (signal, tasksPerWorker, wants) => {
    const samples = [sampleAt(NOW, { cpuRatio: 0, memoryRatio: 1, activeTasks: 4 * tasksPerWorker })];
    const targets = { cpu: 1, memory: 1, queue: 1, tasksPerWorker: 1 };
    const { demand } = decide(inputsOf({ workers: 4, samples, targets }));
    expect([demand.signal, demand.wants]).toEqual([signal, wants]);
  });

  test.each([
    ['the most', 1.32, 8, 10, 10],
    ['the most, when it is reached', 1.32, 10, 10, 10],
    ['the least', 0.48, 4, 10, 3],
    ['the least, when it is reached', 0.48, 3, 10, 3],
  ])('moves workers no further than %s allowed', (_, signal, workers, max, target) => {
    expect(targetOf({ workers, samples: signalOf(signal, workers), limits: { min: 3, max } })).toBe(target);
  });

  test.each(['cpuRatio', 'memoryRatio'] as const)('does not exist without %s, and then nothing changes', (name) => {
    const samples = steady({ ...BACKLOG, [name]: undefined });
    const { target, demand, veto, reason } = decide(inputsOf({ workers: 2, samples }));
    expect([target, demand.signal, demand.basis, veto]).toEqual([2, undefined, 'nothing', undefined]);
    expect(demand.parts.queue).toBe(2.5);
    expect(reason).toBe('Still 2 workers: CPU or memory cannot be read.');
  });
});

describe('waiting work', () => {
  test('five waiting tasks on an idle machine raise one worker to two, although the signal says hold', () => {
    const { target, demand, reason } = decide(inputsOf({ samples: steady(BACKLOG) }));
    expect(demand.signal).toBeCloseTo(0.8286, 4);
    expect([target, demand.basis]).toEqual([2, 'backlog']);
    expect(reason).toBe('From 1 to 2 workers: waiting work (signal 0.83) asks for 2.');
  });

  test('counts as it is now, not five minutes ago', () => {
    expect(targetOf({ samples: [...steady().slice(0, -1), sampleAt(NOW, BACKLOG)] })).toBe(2);
    expect(targetOf({ samples: [...steady(BACKLOG).slice(0, -1), sampleAt(NOW, { activeTasks: 1 })] })).toBe(1);
  });

  test.each([
    ['above its target raises by one', 2, { waitingTasks: 3, activeTasks: 2 }, 3],
    ['at its target raises nothing', 2, { waitingTasks: 2, activeTasks: 2 }, 2],
    ['keeps the workers that an idle CPU would cost', 2, { waitingTasks: 1, activeTasks: 2 }, 2],
    ['does not raise above what the signal asks for', 4, { cpuRatio: 0.6, waitingTasks: 12, activeTasks: 4 }, 6],
    [
      'leaves it to the signal where the CPU is above its target',
      1,
      { ...BACKLOG, waitingTasks: 3, cpuRatio: 0.75 },
      1,
    ],
    ['leaves it to the signal where memory is above its target', 1, { ...BACKLOG, memoryRatio: 0.85 }, 1],
  ])('%s', (_, workers, extra, target) => {
    expect(targetOf({ workers, samples: steady(extra) })).toBe(target);
  });

  test('raises where CPU and memory are just at their targets', () => {
    const samples = [sampleAt(NOW, { waitingTasks: 3, cpuRatio: 0.7, memoryRatio: 0.8 })];
    expect(decide(inputsOf({ samples })).demand).toMatchObject({ parts: { cpu: 1, memory: 1 }, basis: 'backlog' });
  });

  test('that is over leaves the workers to the signal', () => {
    expect(targetOf({ workers: 2, samples: steady({ activeTasks: 1 }) })).toBe(1);
  });
});

describe('a veto on more workers', () => {
  test('stops the signal that would add a worker just before the machine runs out of memory', () => {
    const samples = steady({ ...FULL, availableBytes: 0.05 * 4e9, memorySomeAvg60: 12 });
    const { target, demand, veto } = decide(inputsOf({ samples }));
    expect([target, demand.wants, veto]).toEqual([1, 2, 'memory_available']);
    expect(targetOf({ workers: 4, samples })).toBe(2);
  });

  test.each([
    ['memory some avg60 of 5', { memorySomeAvg60: 5 }, 'memory_pressure'],
    ['CPU some avg60 of 40', { cpuSomeAvg60: 40 }, 'cpu_pressure'],
    ['less available memory than reserve and one agent', { availableBytes: 1.1e9 - 1 }, 'memory_available'],
    ['less free disk than its reserve', { diskFreeBytes: 2e9 - 1 }, 'disk'],
  ])('comes from %s', (_, extra, reason) => {
    const { target, veto } = decide(inputsOf({ samples: steady({ ...BACKLOG, ...extra }) }));
    expect([target, veto]).toEqual([1, reason]);
  });

  test('does not come from values just below the limits', () => {
    const borderline = { memorySomeAvg60: 4.99, cpuSomeAvg60: 39.99, availableBytes: 1.1e9, diskFreeBytes: 2e9 };
    const { target, veto } = decide(inputsOf({ samples: steady({ ...BACKLOG, ...borderline, memoryFullAvg10: 1 }) }));
    expect([target, veto]).toEqual([2, undefined]);
  });

  test('does not come from what cannot be read', () => {
    const unread = {
      memorySomeAvg60: undefined,
      memoryFullAvg10: undefined,
      cpuSomeAvg60: undefined,
      availableBytes: undefined,
      diskFreeBytes: undefined,
    };
    const { target, veto } = decide(inputsOf({ samples: steady({ ...FULL, ...unread }) }));
    expect([target, veto]).toEqual([2, undefined]);
  });

  test('looks at the newest sample only', () => {
    const relieved = [...steady({ ...BACKLOG, memorySomeAvg60: 50 }).slice(0, -1), sampleAt(NOW, BACKLOG)];
    expect(targetOf({ samples: relieved })).toBe(2);
  });

  test('is not needed by a machine that is asked for nothing', () => {
    const { target, veto } = decide(inputsOf({ samples: steady({ memorySomeAvg60: 50, cpuSomeAvg60: 80 }) }));
    expect([target, veto]).toEqual([1, undefined]);
  });

  test('says what is short, in one sentence', () => {
    const { reason } = decide(inputsOf({ samples: steady({ ...BACKLOG, memorySomeAvg60: 12.34 }) }));
    expect(reason).toBe(
      'Still 1 worker: waiting work (signal 0.83) asks for 2, but some process waited for memory 12.3 % of the last 60 s (limit 5 %).',
    );
  });

  test('workers rise no further than memory holds agents', () => {
    const samples = signalOf(1.32, 8).map((each) => ({ ...each, availableBytes: 0.4e9 + 2.5 * 0.7e9 }));
    const { target, demand } = decide(inputsOf({ workers: 8, samples }));
    expect([demand.wants, target]).toEqual([12, 10]);
  });
});

describe('a saturated machine', () => {
  test.each([
    ['memory full avg10 above 1', { memoryFullAvg10: 1.01 }, 'memory_pressure'],
    ['less available memory than the reserve', { availableBytes: 0.4e9 - 1 }, 'memory_available'],
  ])('loses workers at once, in spite of demand and cooldown: %s', (_, extra, reason) => {
    const memory = { lastChangeMs: NOW - 1_000, idleSinceMs: undefined };
    const samples = [...steady(BACKLOG).slice(0, -1), sampleAt(NOW, { ...BACKLOG, ...extra })];
    const decisions = [2, 10].map((workers) => decide(inputsOf({ workers, samples, memory })));
    expect(decisions.map(({ target, veto }) => [target, veto])).toEqual([
      [1, reason],
      [7, reason],
    ]);
  });

  test('is one with less than the reserve, not one that has just that', () => {
    const samples = steady({ ...BACKLOG, availableBytes: 0.4e9, memoryFullAvg10: 1 });
    expect(targetOf({ workers: 2, samples })).toBe(2);
  });

  test('keeps the least number of workers, and says why there are no more', () => {
    const { target, veto, reason } = decide(inputsOf({ samples: steady({ availableBytes: 123e6 }) }));
    expect([target, veto]).toEqual([1, 'memory_available']);
    expect(reason).toBe(
      'Still 1 worker: there are no fewer allowed, although 123 MB of memory are available, fewer than the reserve of 400 MB.',
    );
  });
});

describe('answers 429 and 529', () => {
  const answered = (agoMs: number): readonly Sample[] =>
    steady(BACKLOG).map((each) => ({ ...each, overloadedAnswers: each.atMs === NOW - agoMs ? 3 : 0 }));

  test.each([
    [8, 4],
    [5, 2],
    [3, 1],
    [2, 1],
    [1, 1],
  ])('halve %i workers to %i', (workers, target) => {
    const memory = { lastChangeMs: NOW - MINUTE, idleSinceMs: undefined };
    const decision = decide(inputsOf({ workers, samples: answered(15_000), memory }));
    expect([decision.target, decision.veto]).toEqual([target, 'overloaded_answers']);
  });

  test('halve no lower than allowed', () => {
    expect(targetOf({ workers: 5, samples: answered(0), limits: { min: 3, max: 9 } })).toBe(3);
  });

  test('from before the last change are answered already, but hold more workers back', () => {
    const memory = { lastChangeMs: NOW - 60_000, idleSinceMs: undefined };
    const { target, veto, reason } = decide(inputsOf({ workers: 4, samples: answered(60_000), memory }));
    expect([target, veto]).toEqual([4, 'overloaded_answers']);
    expect(reason).toContain('the model API answered 429 or 529 in the last 5 minutes: 3');
  });

  test('older than 5 minutes are forgotten', () => {
    const samples = [sampleAt(NOW - 5 * MINUTE, { overloadedAnswers: 9 }), ...steady(BACKLOG)];
    expect(targetOf({ workers: 4, samples })).toBe(5);
  });
});

describe('the cooldown', () => {
  const changed = (agoMs: number) => ({ lastChangeMs: NOW - agoMs, idleSinceMs: undefined });

  test.each([
    ['more', steady(BACKLOG), 2, 3],
    ['fewer', steady({ activeTasks: 1 }), 2, 1],
  ])('lets 5 minutes pass before %s workers', (_, samples, workers, target) => {
    expect(targetOf({ workers, samples, memory: changed(5 * MINUTE - 1) })).toBe(workers);
    expect(targetOf({ workers, samples, memory: changed(5 * MINUTE) })).toBe(target);
  });

  test('begins with every change, and with nothing else', () => {
    expect(decide(inputsOf({ samples: steady(BACKLOG) })).memory.lastChangeMs).toBe(NOW);
    expect(decide(inputsOf({ memory: changed(7) })).memory.lastChangeMs).toBe(NOW - 7);
  });

  test('says how long it lasts', () => {
    const { reason } = decide(inputsOf({ samples: steady(BACKLOG), memory: changed(4 * MINUTE - 1) }));
    expect(reason).toContain('but 61 s of the cooldown are left');
  });
});

describe('idleness', () => {
  /** Somebody else keeps the machine busy, so that the signal alone would keep the workers. */
  const BUSY = { cpuRatio: 0.9, memoryRatio: 0.8 };

  test('of 10 minutes takes workers away though the machine is busy with something else', () => {
    const at = (agoMs: number) =>
      targetOf({ workers: 2, samples: steady(BUSY), memory: { lastChangeMs: undefined, idleSinceMs: NOW - agoMs } });
    expect([at(10 * MINUTE - 1), at(10 * MINUTE)]).toEqual([2, 1]);
  });

  test('is told in whole minutes', () => {
    const memory = { lastChangeMs: undefined, idleSinceMs: NOW - 12.9 * MINUTE };
    const { reason } = decide(inputsOf({ workers: 2, samples: steady(BUSY), memory }));
    expect(reason).toBe('From 2 to 1 worker: nothing ran or waited for 12 minutes.');
  });

  test('keeps the least number and the cooldown', () => {
    const memory = { lastChangeMs: NOW - MINUTE, idleSinceMs: NOW - 60 * MINUTE };
    expect(targetOf({ workers: 2, samples: steady(BUSY), memory })).toBe(2);
    expect(targetOf({ workers: 3, samples: steady(BUSY), limits: { min: 3, max: 4 } })).toBe(3);
  });

  test.each([
    ['begins with the first sample', steady(BUSY), undefined, NOW - 285_000],
    ['goes on from the decision before', steady(BUSY), NOW - 9 * MINUTE, NOW - 9 * MINUTE],
    ['ends when a task runs', [...steady(), sampleAt(NOW, { activeTasks: 1 })], NOW - 9 * MINUTE, undefined],
    ['ends when a task waits', [...steady(), sampleAt(NOW, { waitingTasks: 1 })], NOW - 9 * MINUTE, undefined],
    [
      'begins anew after a task',
      [sampleAt(NOW - 30_000), sampleAt(NOW - 15_000, { activeTasks: 1 }), sampleAt(NOW)],
      NOW - 9 * MINUTE,
      NOW,
    ],
    ['is not known without samples', [], NOW - 9 * MINUTE, undefined],
  ])('%s', (_, samples, idleSinceMs, expected) => {
    const memory = { lastChangeMs: undefined, idleSinceMs };
    expect(decide(inputsOf({ samples, memory })).memory.idleSinceMs).toBe(expected);
  });
});

describe('limits and readings', () => {
  test.each([
    [5, 3],
    [0, 2],
  ])('%i workers outside the limits are brought back to %i at once', (workers, target) => {
    const memory = { lastChangeMs: NOW, idleSinceMs: undefined };
    const { target: found, reason } = decide(inputsOf({ workers, limits: { min: 2, max: 3 }, samples: [], memory }));
    expect(found).toBe(target);
    expect(reason).toBe(`From ${workers} to ${target} workers: allowed are 2 to 3.`);
  });

  test('readings of the last 10 s are of this moment', () => {
    expect(targetOf({ samples: [sampleAt(NOW - 10_000, BACKLOG)] })).toBe(2);
    expect(targetOf({ samples: [sampleAt(NOW - 10_001, BACKLOG)] })).toBe(1);
  });

  test.each([
    ['none', []],
    ['none of the last 10 s', steady(BACKLOG).slice(0, -1)],
    ['only old ones', [sampleAt(NOW - 6 * MINUTE, BACKLOG)]],
  ])('where there are readings, but %s, nothing changes', (_, samples) => {
    const { target, veto, reason } = decide(inputsOf({ workers: 2, samples }));
    expect([target, veto]).toEqual([2, undefined]);
    expect(reason).toBe('Still 2 workers: there are no readings of this moment.');
  });
});

describe('a clock that was set back', () => {
  test('does not stretch the cooldown beyond 5 minutes', () => {
    const memory = { lastChangeMs: NOW + 60 * MINUTE, idleSinceMs: undefined };
    const first = decide(inputsOf({ samples: steady(BACKLOG), memory }));
    expect([first.target, first.memory.lastChangeMs]).toEqual([1, NOW]);
    const later = steady(BACKLOG).map((each) => ({ ...each, atMs: each.atMs + 5 * MINUTE }));
    expect(targetOf({ nowMs: NOW + 5 * MINUTE, samples: later, memory: first.memory })).toBe(2);
  });

  test('leaves out samples of the future', () => {
    const future = steady({ cpuRatio: 1, waitingTasks: 50 }).map((each) => ({
      ...each,
      atMs: each.atMs + 60 * MINUTE,
    }));
    const { demand } = decide(inputsOf({ samples: [sampleAt(NOW), ...future] }));
    expect(demand.parts).toMatchObject({ cpu: 0.05 / 0.7, queue: 0 });
  });

  test('does not make idleness older than now', () => {
    const memory = { lastChangeMs: undefined, idleSinceMs: NOW + 60 * MINUTE };
    expect(decide(inputsOf({ samples: [sampleAt(NOW)], memory })).memory.idleSinceMs).toBe(NOW);
  });
});
