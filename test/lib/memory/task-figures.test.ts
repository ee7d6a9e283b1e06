import { expect, test } from 'vitest';
import { createRandom } from '../../../lib/memory/demo/random.ts';
import { OUTCOMES, type Task } from '../../../lib/memory/task.ts';
import { DURATION_BUCKETS_SECONDS, DURATION_RANGES, runLabels } from '../../../lib/memory/task-counters.ts';
import {
  advanceTaskFigures,
  countTask,
  createTaskFigures,
  dailyOutcomes,
  fillWindows,
  successRatio,
  type TaskFigures,
  tasksPerDay,
  windowDurationCounts,
  windowDurations,
  windowOutcomes,
} from '../../../lib/memory/task-figures.ts';
import { WINDOWS } from '../../../lib/memory/windows.ts';
import { NOW, taskValue } from '../../support/memory-values.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const AGENTS = ['cervella-backend', 'cervella-docs', 'Explore'];

function figuresOf(tasks: readonly Task[], nowMs = NOW): TaskFigures {
  const figures = createTaskFigures(nowMs);
  for (const task of tasks) countTask(figures, task);
  fillWindows(figures, nowMs);
  return figures;
}

const rounded = (value: number | undefined): number | undefined =>
  value === undefined ? undefined : Math.round(value * 1e6) / 1e6;

/** All that windows say, in a form that can be compared. */
function windowsOf(figures: TaskFigures): unknown {
  const perDay = tasksPerDay(figures);
  return {
    perDay: [rounded(perDay.week), rounded(perDay.baseline)],
    windows: WINDOWS.map(({ name }, window) => {
      const durations = windowDurations(figures, window);
      return {
        name,
        outcomes: windowOutcomes(figures, window),
        byAgent: AGENTS.map((agent) => windowOutcomes(figures, window, figures.agents.indexes.get(agent))),
        durations: durations && Object.values(durations).map(rounded),
        durationCounts: windowDurationCounts(figures, window),
      };
    }),
  };
}

/** The same, from the list of tasks alone. */
function recount(tasks: readonly Task[], nowMs: number): unknown {
  const within = (ms: number): Task[] => tasks.filter((task) => (task.timeMs ?? Number.NEGATIVE_INFINITY) > nowMs - ms);
  const byOutcome = (some: readonly Task[]): number[] =>
    OUTCOMES.map((outcome) => some.filter((task) => task.outcome === outcome).length);
  const week = within(7 * DAY_MS).length;
  return {
    perDay: [rounded(week / 7), rounded((within(35 * DAY_MS).length - week) / 28)],
    windows: WINDOWS.map(({ name, ms }) => {
      const some = within(ms);
      const seconds = some
        .flatMap((task) => task.durationMs ?? [])
        .toSorted((one, other) => one - other)
        .map((duration) => duration / 1_000);
      const rank = (percent: number): number => seconds[Math.ceil((percent * seconds.length) / 100) - 1];
      const mean = seconds.reduce((sum, each) => sum + each, 0) / seconds.length;
      return {
        name,
        outcomes: byOutcome(some),
        byAgent: AGENTS.map((agent) => byOutcome(some.filter((task) => task.agent === agent))),
        durations: seconds.length === 0 ? undefined : [rounded(mean), rank(50), rank(90), rank(95)],
        durationCounts: [0, ...DURATION_BUCKETS_SECONDS].map(
          (above, index, bounds) =>
            seconds.filter((each) => (each > above || index === 0) && each <= (bounds[index + 1] ?? Infinity)).length,
        ),
      };
    }),
  };
}

test.each([1, 2, 3])('windows are what counting all tasks again would give, whenever one looks (seed %i)', (seed) => {
  const random = createRandom(seed);
  let nowMs = NOW;
  let rowid = 0;
  const newTask = (): Task => {
    rowid += 1;
    const span = random.pick([HOUR_MS, DAY_MS, 7 * DAY_MS, 40 * DAY_MS]);
    return taskValue(rowid, {
      agentName: random.pick(AGENTS),
      success: random.pick([0, 1, null]),
      timeMs: random.chance(0.05) ? undefined : nowMs - Math.floor(random.next() * span),
      durationMs: random.chance(0.3) ? undefined : random.between(0, 1_000_000),
    });
  };
  const tasks = [...AGENTS.map((agentName) => taskValue(0, { agentName })), ...Array.from({ length: 400 }, newTask)];
  const figures = figuresOf(tasks);
  for (let step = 0; step < 300; step += 1) {
    const dice = random.next();
    if (dice < 0.5) {
      const task = newTask();
      tasks.push(task);
      countTask(figures, task);
    } else if (dice < 0.65) {
      const [task] = tasks.splice(random.between(0, tasks.length - 1), 1);
      countTask(figures, task, -1);
    } else {
      nowMs += random.between(0, random.pick([60_000, HOUR_MS, DAY_MS]));
      advanceTaskFigures(figures, nowMs);
    }
    if (step % 10 === 0) expect(windowsOf(figures)).toEqual(recount(tasks, nowMs));
  }
  expect(windowsOf(figures)).toEqual(recount(tasks, nowMs));
  expect(figures.outcomes.reduce((sum, each) => sum + each)).toBe(tasks.length);
});

test('without a known outcome there is no success ratio', () => {
  expect(
    [
      [0, 0, 0],
      [0, 0, 9],
      [3, 1, 9],
      [0, 2, 0],
      [2, 0, 0],
    ].map(successRatio),
  ).toEqual([undefined, undefined, 0.75, 0, 1]);
});

test('without a known duration there are no durations', () => {
  expect(windowDurations(figuresOf([taskValue(1)]), 2)).toBeUndefined();
});

test('a task without a time counts for ever and in no window', () => {
  const figures = figuresOf([taskValue(1, { timeMs: undefined, success: 1 })]);
  expect([figures.outcomes, windowOutcomes(figures, 3), figures.lastTaskMs]).toEqual([[1, 0, 0], [0, 0, 0], undefined]);
});

test('runs are counted by agent, project and outcome', () => {
  const figures = figuresOf([
    taskValue(1, { success: 1 }),
    taskValue(2, { success: 1, project: undefined }),
    taskValue(3, { success: 0, agentName: 'Explore' }),
    taskValue(4, { success: 1 }),
  ]);
  expect([...figures.runs].map(([key, counts]) => ({ ...runLabels(figures, key), counts }))).toEqual([
    { agent: 'cervella-backend', project: 'demo', counts: [2, 0, 0] },
    { agent: 'cervella-backend', project: 'unknown', counts: [1, 0, 0] },
    { agent: 'Explore', project: 'demo', counts: [0, 1, 0] },
  ]);
});

test('durations fall into every bucket whose bound they do not exceed', () => {
  const durations = [0, 1_000, 1_001, 600_000, 1_800_001, undefined];
  const figures = figuresOf(durations.map((durationMs, index) => taskValue(index, { durationMs })));
  const own = figures.byAgent[1];
  expect(
    Object.fromEntries(DURATION_BUCKETS_SECONDS.map((bound, index) => [bound, own.durationBuckets[index]])),
  ).toEqual({
    1: 2,
    5: 3,
    15: 3,
    30: 3,
    60: 3,
    120: 3,
    300: 3,
    600: 4,
    900: 4,
    1200: 4,
    1800: 4,
  });
  expect([own.tasks, own.durationCount, own.durationSumMs]).toEqual([6, 5, 2_402_002]);
});

test('in a window each known duration falls into one range, a bound into the range below it', () => {
  const durations = [0, 1_000, 1_001, 5_000, 600_000, 1_800_000, 1_800_001, 2 ** 32 - 2, undefined];
  const figures = figuresOf([
    ...durations.map((durationMs, index) => taskValue(index, { durationMs })),
    taskValue(90, { durationMs: 1_000, timeMs: NOW - 2 * HOUR_MS }),
  ]);
  const countsOf = (window: number) =>
    windowDurationCounts(figures, window).map((count, i) => [DURATION_RANGES[i], count]);
  expect(countsOf(0)).toEqual([
    ['0-1s', 2],
    ['1-5s', 2],
    ['5-15s', 0],
    ['15-30s', 0],
    ['30-60s', 0],
    ['60-120s', 0],
    ['120-300s', 0],
    ['300-600s', 1],
    ['600-900s', 0],
    ['900-1200s', 0],
    ['1200-1800s', 1],
    ['>1800s', 2],
  ]);
  expect(countsOf(1)[0]).toEqual(['0-1s', 3]);
});

test('the last task is the latest by time, not the last by rowid', () => {
  const figures = figuresOf([
    taskValue(1, { timeMs: NOW - 5 }),
    taskValue(2, { timeMs: NOW - 9, agentName: 'Explore' }),
  ]);
  const ofAgent = (agent: string) => figures.byAgent[figures.agents.indexes.get(agent) ?? 0].lastTaskMs;
  expect([figures.lastTaskMs, ofAgent('cervella-backend'), ofAgent('Explore')]).toEqual([NOW - 5, NOW - 5, NOW - 9]);
});

test('tasks of the last days by outcome, a day being 24 hours up to now', () => {
  const at = (hoursAgo: number, outcome: Task['outcome']) => ({
    ...taskValue(1),
    timeMs: NOW - hoursAgo * HOUR_MS,
    outcome,
  });
  const figures = figuresOf([
    at(0, 'success'),
    at(23, 'failed'),
    at(25, 'unknown'),
    at(47, 'success'),
    at(49, 'success'),
    at(73, 'failed'),
  ]);
  expect(dailyOutcomes(figures, 3)).toEqual([
    [1, 0, 0],
    [1, 0, 1],
    [1, 1, 0],
  ]);
});
