import { onTestFinished } from 'vitest';
import { newSignatures, repeatedErrors } from '../../lib/memory/error-figures.ts';
import { createMemoryReader, type MemoryReader, type MemoryView } from '../../lib/memory/reader.ts';
import { tasksInProgress } from '../../lib/memory/started-tasks.ts';
import { type Clock, systemClock } from '../../lib/memory/tally.ts';
import { runLabels } from '../../lib/memory/task-counters.ts';
import { tasksPerDay, windowDurationCounts, windowDurations, windowOutcomes } from '../../lib/memory/task-figures.ts';
import { costLabels } from '../../lib/memory/usage.ts';
import { wastedCosts } from '../../lib/memory/wasted-cost.ts';
import { weekTasks } from '../../lib/memory/week-figures.ts';
import { WINDOWS } from '../../lib/memory/windows.ts';
import { makeMemory, stopRow, type TestMemory } from './memory-builder.ts';
import { MANUAL_MINUTES, NOW } from './memory-values.ts';

/** A reader that is closed when the test ends. */
export function openReader(path: string, clock: Clock = systemClock): MemoryReader {
  const reader = createMemoryReader({ path, timezone: 'Europe/Rome', manualMinutes: MANUAL_MINUTES }, clock);
  onTestFinished(() => reader.close());
  return reader;
}

/** A memory of five settled runs of unknown outcome, a minute apart, in rows 1 to 5. */
export function fiveRuns(path?: string): TestMemory {
  const memory = makeMemory(path === undefined ? {} : { path });
  memory.events(...[1, 2, 3, 4, 5].map((run) => stopRow(NOW - (10 - run) * 60_000, { session_id: `s${run}` })));
  return memory;
}

/** What most tests of the reader look at. */
export const readTotals = (reader: MemoryReader) =>
  reader.read(({ tally }) => ({ rows: tally.rows, outcomes: [...tally.tasks.outcomes] }));

const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;
const sorted = <T>(entries: readonly (readonly [string, T])[]): Record<string, T> =>
  Object.fromEntries(entries.toSorted(([one], [other]) => (one < other ? -1 : 1)));

/**
 * Everything a memory tells, by name and without the order in which it became known, so that two readers of the same
 * file can be compared.
 */
export function figuresOf(view: MemoryView) {
  const { tasks, week, errors, started, failedTasks, rows } = view.tally;
  const usage = view.usage();
  const wasted = usage && wastedCosts(usage, failedTasks);
  const agents = tasks.byAgent.flatMap((own, index) =>
    own.tasks === 0 ? [] : [{ ...own, index, agent: tasks.agents.names[index] }],
  );
  const perDay = tasksPerDay(tasks);
  return {
    rows,
    outcomes: [...tasks.outcomes],
    lastTaskMs: tasks.lastTaskMs,
    runs: sorted(
      [...tasks.runs].flatMap(([key, counts]) => {
        const { agent, project } = runLabels(tasks, key);
        return counts.some((count) => count !== 0) ? [[`${agent} ${project}`, [...counts]] as const] : [];
      }),
    ),
    agents: sorted(
      agents.map(({ agent, tasks: count, durationBuckets, durationCount, durationSumMs }) => [
        agent,
        { count, durationBuckets: [...durationBuckets], durationCount, durationSumMs },
      ]),
    ),
    perDay: [rounded(perDay.week), rounded(perDay.baseline)],
    windows: WINDOWS.map(({ name }, window) => ({
      name,
      outcomes: [...windowOutcomes(tasks, window)],
      agents: sorted(agents.map(({ agent, index }) => [agent, windowOutcomes(tasks, window, index)])),
      durations: Object.values(windowDurations(tasks, window) ?? {}).map(rounded),
      durationCounts: windowDurationCounts(tasks, window),
      newErrors: newSignatures(errors, window),
      repeatedErrors: repeatedErrors(errors, window),
      tokens: usage?.windows[window].tokens,
      costMicroUsd: usage?.windows[window].costMicroUsd,
      wastedMicroUsd: wasted?.[window],
      tasksWithUsage: usage?.windows[window].tasks.size,
    })),
    week: [weekTasks(week), week.retried, week.fixed, week.autonomous, week.minutesSaved],
    costs:
      usage &&
      sorted([...usage.costMicroUsd].map(([key, cost]) => [Object.values(costLabels(usage, key)).join(), cost])),
    inProgress: tasksInProgress(started),
    lastTasks: sorted(agents.map(({ agent, lastTaskMs }) => [agent, lastTaskMs])),
  };
}
