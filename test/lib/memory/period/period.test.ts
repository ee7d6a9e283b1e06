import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../../lib/memory/demo/random.ts';
import { computeKpis } from '../../../../lib/memory/kpis.ts';
import { type Period, type PeriodOptions, readPeriod } from '../../../../lib/memory/period/period.ts';
import { fillMemory } from '../../../support/golden-memory.ts';
import {
  lessonRow,
  type MemoryState,
  makeMemory,
  orchestratedRow,
  stopRow,
  type TestMemory,
  taskRow,
  usageRow,
} from '../../../support/memory-builder.ts';
import { openReader } from '../../../support/memory-figures.ts';
import { createTestClock, MANUAL_MINUTES, NOW } from '../../../support/memory-values.ts';
import { naivePeriod, rounded, sortedBy } from '../../../support/naive-period.ts';
import { CALM, createWriter, tidy, WILD } from '../../../support/random-memory.ts';

const DAY_MS = 86_400_000;

const optionsFor = (path: string, more: Partial<PeriodOptions> = {}): PeriodOptions => ({
  path,
  timezone: 'Europe/Rome',
  manualMinutes: MANUAL_MINUTES,
  eurPerUsd: 0.92,
  infraCostEurMonth: 0,
  untilMs: NOW,
  days: 7,
  hasLessons: true,
  ...more,
});
const read = ({ path }: TestMemory, more: Partial<PeriodOptions> = {}): Promise<Period> =>
  readPeriod(optionsFor(path, more));

/** Of a period what `naivePeriod` tells as well. */
function comparable({ outcomes, queued, agents, errors, spending, kpis }: Period) {
  const kinds = sortedBy(errors.kinds, ({ signature }) => signature);
  return {
    outcomes,
    queued,
    agents: sortedBy(agents, ({ agent }) => agent).map(([agent, [{ success, failed, unknown, fixed, retried }]]) => ({
      agent,
      success,
      failed,
      unknown,
      fixed,
      retried,
    })),
    meanSeconds: maybe(kpis.find(({ key }) => key === 'task_seconds_mean')?.value),
    errors: kinds.map(([signature, [{ count }]]) => [signature, count]),
    usd: rounded(spending?.usd ?? 0),
    wastedUsd: {
      retried: rounded(spending?.wastedUsd.retried ?? 0),
      failed: rounded(spending?.wastedUsd.failed ?? 0),
    },
    byModel: sortedBy(spending?.byModel ?? [], ({ name }) => name).map(([name, [{ usd }]]) => [name, rounded(usd)]),
  };
}

const maybe = (value: number | undefined): number | undefined => (value === undefined ? undefined : rounded(value));

/** A memory of some weeks, written in batches at moments of their own. */
function randomMemory(seed: number): { readonly memory: TestMemory; readonly untilMs: number } {
  const random = createRandom(seed);
  const memory = makeMemory({ hasUsage: true });
  const life = { ...(seed % 2 === 0 ? WILD : CALM), cleanUps: [] };
  const nextBatch = createWriter(random, life);
  let nowMs = NOW;
  for (let batch = 0; batch < 40; batch += 1) {
    memory.events(...nextBatch(nowMs));
    tidy(memory, random, nowMs, life);
    nowMs += random.pick([1_000, 3_600_000, DAY_MS, 2 * DAY_MS]);
  }
  return { memory, untilMs: nowMs };
}

/** Of how many days, ending how many days before the last. */
const PERIODS = [
  [7, 0],
  [7, 7],
  [7, 9.3],
  [1, 3],
  [30, 2],
] as const;

test.each([1, 2, 3, 4])('a random memory has in any days what counting row by row gives (seed %i)', async (seed) => {
  const { memory, untilMs: lastMs } = randomMemory(seed);
  const ends = PERIODS.map(([days, daysAgo]) => ({ days, untilMs: lastMs - Math.round(daysAgo * DAY_MS) }));
  const found = await Promise.all(ends.map((period) => read(memory, period)));
  expect(found.map(comparable)).toEqual(ends.map(({ days, untilMs }) => naivePeriod(memory, untilMs, days)));
});

test.each([5, 6])('a random memory has the KPIs that the exporter shows at that moment (seed %i)', async (seed) => {
  const { memory, untilMs } = randomMemory(seed);
  const { kpis } = await read(memory, { untilMs });
  const live = await openReader(memory.path, createTestClock(untilMs)).read(({ tally, schema, lessons, usage }) =>
    computeKpis({ tally, schema, lessons: lessons(), usage: usage(), eurPerUsd: 0.92, infraCostEurMonth: 0 }),
  );
  const values = (some: Period['kpis']) => some.map(({ key, value }) => [key, maybe(value)]);
  expect(values(kpis)).toEqual(values(live));
});

test('figures of agents add up to the KPIs', async () => {
  const { memory, untilMs } = randomMemory(3);
  const { agents, errors, kpis, outcomes } = await read(memory, { untilMs });
  const sum = (of: (agent: Period['agents'][number]) => number): number =>
    agents.reduce((total, each) => total + of(each), 0);
  const kpi = (key: string): number => kpis.find((each) => each.key === key)?.value ?? 0;
  const tasks = outcomes.success + outcomes.failed + outcomes.unknown;
  expect(sum(({ tasks: count }) => count)).toBe(tasks);
  expect(rounded(sum(({ retried }) => retried) / tasks)).toBe(rounded(kpi('retry_ratio')));
  expect(rounded(sum(({ fixed }) => fixed) / tasks)).toBe(rounded(kpi('fix_after_agent_ratio')));
  expect(errors.repeatedKindCount).toBe(kpi('repeated_errors'));
});

test('a task on the first moment of a period belongs to the one before, and one on its last moment to it', async () => {
  const memory = makeMemory();
  const outcome = async (untilMs: number): Promise<number> => (await read(memory, { untilMs })).outcomes.success;
  memory.events(taskRow(NOW, { session_id: 'edge' }));
  expect([await outcome(NOW - 1_000), await outcome(NOW), await outcome(NOW + 7 * DAY_MS - 1_000)]).toEqual([0, 1, 1]);
  expect(await outcome(NOW + 7 * DAY_MS)).toBe(0);
});

describe('the days of a week that ends on a Friday evening', () => {
  const FRIDAY_MS = Date.parse('2026-11-27T17:00:00Z');
  const datesOf = ({ daily }: Period): readonly string[] => daily.map(({ date }) => date);

  test('are those on the calendar, from the evening of the Friday before', async () => {
    const memory = makeMemory();
    const at = (moment: string, session_id: string, more = {}) =>
      memory.events(taskRow(Date.parse(moment), { session_id, ...more }));
    at('2026-11-20T16:59:59Z', 'before');
    at('2026-11-20T22:59:00Z', 'late in the evening');
    at('2026-11-20T23:01:00Z', 'after midnight');
    at('2026-11-27T17:00:00Z', 'last moment', { success: 0, event_type: 'task_failed' });
    const period = await read(memory, { untilMs: FRIDAY_MS });
    expect(datesOf(period)).toEqual(['20', '21', '22', '23', '24', '25', '26', '27'].map((day) => `2026-11-${day}`));
    expect(period.daily.map(({ success, failed, unknown }) => [success, failed, unknown])).toEqual([
      [1, 0, 0],
      [1, 0, 0],
      ...Array(5).fill([0, 0, 0]),
      [0, 1, 0],
    ]);
  });

  test.each([
    ['autumn', '2026-10-30T17:00:00Z', ['2026-10-23', '2026-10-30']],
    ['spring', '2026-04-03T16:00:00Z', ['2026-03-27', '2026-04-03']],
  ])('are eight, too, when clocks change (%s)', async (_, until, [first, last]) => {
    const dates = datesOf(await read(makeMemory(), { untilMs: Date.parse(until) }));
    expect([dates.length, dates[0], dates.at(-1)]).toEqual([8, first, last]);
  });

  test('are seven when it ends at midnight, whose last moment is still of the day before', async () => {
    const memory = makeMemory();
    const midnightMs = Date.parse('2026-11-27T23:00:00Z');
    memory.events(taskRow(midnightMs));
    const { daily } = await read(memory, { untilMs: midnightMs });
    expect([daily.length, daily[0].date, daily.at(-1)]).toEqual([
      7,
      '2026-11-21',
      { date: '2026-11-27', success: 1, failed: 0, unknown: 0 },
    ]);
  });
});

test('the days of any period have all of its tasks', async () => {
  const { memory, untilMs } = randomMemory(2);
  const { daily, outcomes } = await read(memory, { untilMs, days: 30 });
  const sumOf = (of: keyof Period['outcomes']): number => daily.reduce((sum, day) => sum + day[of], 0);
  expect({ success: sumOf('success'), failed: sumOf('failed'), unknown: sumOf('unknown') }).toEqual(outcomes);
});

test('the KPIs of a week are those of 30 days by the week', async () => {
  const memory = makeMemory();
  memory.events(...[2, 12, 22].map((days) => orchestratedRow(NOW - days * DAY_MS, `T${days}`)));
  const value = ({ kpis }: Period, key: string): number | undefined => kpis.find((each) => each.key === key)?.value;
  const [week, month] = [await read(memory), await read(memory, { days: 30 })];
  expect([value(week, 'autonomous_tasks_week'), value(week, 'hours_saved_week')]).toEqual([1, 0.5]);
  expect(value(month, 'autonomous_tasks_week')).toBeCloseTo(0.7);
  expect(value(month, 'hours_saved_week')).toBeCloseTo(0.35);
  expect(value(month, 'tasks_per_day')).toBeCloseTo(0.1);
});

test.each(['A', 'B', 'C', 'D', 'E', 'F', 'G'] as const)('reads a memory in state %s', async (state: MemoryState) => {
  const period = await read(fillMemory(NOW, state));
  const isOld = state === 'F' || state === 'G';
  expect(period.outcomes).toEqual(
    isOld ? { success: 0, failed: 1, unknown: 6 } : { success: 3, failed: 1, unknown: 3 },
  );
  expect(period.lessons?.length).toBe(state === 'F' ? undefined : 3);
  expect(period.lessons?.at(-1)?.status).toBe(state === 'A' || state === 'F' ? undefined : 'RESOLVED');
  expect(period.spending?.tasks).toBe(state === 'C' ? 2 : undefined);
  expect(period.work.withDuration).toBe(isOld ? 0 : 3);
});

describe('agents at work at the same time', () => {
  const busy = async (...runs: readonly (readonly [endMinute: number, minutes: number])[]) => {
    const memory = makeMemory();
    memory.events(
      ...runs.map(([end, minutes], index) =>
        orchestratedRow(NOW - DAY_MS + end * 60_000, `T${index}`, { duration_ms: minutes * 60_000 }),
      ),
    );
    return (await read(memory)).work.busySeconds;
  };

  test.each([
    [
      'one after the other',
      [
        [10, 10],
        [20, 10],
      ],
      [1_200],
    ],
    [
      'for a while together',
      [
        [10, 10],
        [15, 10],
      ],
      [900, 300],
    ],
    [
      'three at once',
      [
        [10, 10],
        [10, 5],
        [10, 1],
      ],
      [600, 300, 60],
    ],
    ['nobody', [], []],
  ] as const)('%s', async (_, runs, expected) => {
    expect(await busy(...runs)).toEqual(expected);
  });

  test('what began before the period counts from its beginning, and what hooks saw does not count', async () => {
    const memory = makeMemory();
    memory.events(
      orchestratedRow(NOW - 7 * DAY_MS + 60_000, 'T1', { duration_ms: 600_000 }),
      taskRow(NOW - DAY_MS, { duration_ms: 600_000 }),
    );
    expect((await read(memory)).work).toMatchObject({ busySeconds: [60], seconds: 1_200 });
  });
});

test('the longest tasks are told with the beginning of what was asked for', async () => {
  const memory = makeMemory();
  memory.events(
    orchestratedRow(NOW - DAY_MS, 'T1', { duration_ms: 700_000, task_description: `x${'y'.repeat(10_000)}` }),
    orchestratedRow(NOW - DAY_MS, 'T2', { duration_ms: 900_000, task_description: '  ' }),
    stopRow(NOW - DAY_MS),
  );
  const { longest } = await read(memory);
  expect(longest.map(({ seconds }) => seconds)).toEqual([900, 700]);
  expect(longest.map(({ description }) => description?.length)).toEqual([undefined, 500]);
});

test('an error is new if it was never seen before the period', async () => {
  const memory = makeMemory();
  const failed = (ms: number, message: string) =>
    taskRow(ms, { event_type: 'task_failed', success: 0, session_id: null, error_message: message });
  memory.events(
    failed(NOW - 20 * DAY_MS, 'boom 1'),
    failed(NOW - 2 * DAY_MS, 'boom 2'),
    failed(NOW - DAY_MS, 'boom 3'),
    failed(NOW - DAY_MS, 'crash'),
  );
  const { kinds, count } = (await read(memory)).errors;
  expect(count).toBe(3);
  expect(kinds.map(({ example, count: times, isNew }) => [example, times, isNew])).toEqual([
    ['boom 3', 2, false],
    ['crash', 1, true],
  ]);
});

test('lessons are left out of a period long over', async () => {
  const memory = makeMemory();
  memory.insert('lessons_learned', lessonRow({ times_applied: 3 }));
  const { lessons, kpis } = await read(memory, { hasLessons: false });
  expect([lessons, kpis.find(({ key }) => key === 'lessons_applied_ratio')?.value]).toEqual([undefined, undefined]);
});

test('costs go by agent and by model, with how the tasks ended', async () => {
  const memory = makeMemory({ hasUsage: true });
  memory.events(
    orchestratedRow(NOW - DAY_MS, 'T1'),
    orchestratedRow(NOW - DAY_MS, 'T2', { event_type: 'task_failed', success: 0 }),
  );
  memory.insert(
    'task_usage',
    usageRow(NOW - DAY_MS, 'T1', { model: 'small', cost_usd: 0.1 }),
    usageRow(NOW - DAY_MS, 'T1', { model: 'large', cost_usd: 1, attempt: 2 }),
    usageRow(NOW - DAY_MS, 'T2', { model: 'large', cost_usd: 2, agent_name: 'cervella-docs' }),
  );
  const { spending } = await read(memory);
  expect(
    spending?.byModel.map(({ name, usd, wastedUsd, tasks, outcomes }) => [name, usd, wastedUsd, tasks, outcomes]),
  ).toEqual([
    ['large', 3, 2, 2, { success: 1, failed: 1, unknown: 0 }],
    ['small', 0.1, 0.1, 1, { success: 1, failed: 0, unknown: 0 }],
  ]);
  expect(spending?.byAgent.map(({ name, usd }) => [name, usd])).toEqual([
    ['cervella-docs', 2],
    ['cervella-backend', 1.1],
  ]);
  expect(spending?.wastedUsd).toEqual({ failed: 2, retried: 0.1 });
});

test('a memory that is missing says so', async () => {
  await expect(readPeriod(optionsFor('/nowhere/memory.db'))).rejects.toThrow('Could not find the swarm memory');
});
