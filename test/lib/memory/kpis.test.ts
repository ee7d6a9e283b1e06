import { describe, expect, test } from 'vitest';
import type { EventRow } from '../../../lib/memory/event-rows.ts';
import { computeKpis, KPI_KEYS, type KpiInput, type KpiKey, meetsTarget } from '../../../lib/memory/kpis.ts';
import { probeSchema } from '../../../lib/memory/schema.ts';
import { createTimestampParser } from '../../../lib/memory/timestamps.ts';
import { createUsageFigures, feedUsage } from '../../../lib/memory/usage.ts';
import { type MemoryState, makeMemory } from '../../support/memory-builder.ts';
import { NOW, rowValue, startTally } from '../../support/memory-values.ts';

const DAY_MS = 86_400_000;
const AGO = NOW - 3_600_000;

function inputOf(rows: readonly EventRow[], extra: Partial<KpiInput> = {}, state: MemoryState = 'C'): KpiInput {
  return {
    tally: startTally().feed(rows),
    schema: makeMemory({ state }).write(probeSchema),
    lessons: { total: 9, byStatus: [], appliedRatio: 0.75 },
    usage: undefined,
    eurPerUsd: 0.5,
    infraCostEurMonth: 12,
    ...extra,
  };
}
const valuesOf = (input: KpiInput): Partial<Record<KpiKey, number | undefined>> =>
  Object.fromEntries(computeKpis(input).map(({ key, value }) => [key, value]));
const row = (rowid: number, extra: Partial<EventRow> = {}) => rowValue(rowid, { timeMs: AGO, ...extra });

const WEEK_OF_WORK = [
  row(1, { success: 1, durationMs: 60_000, tags: 'autonomous', taskId: 'A', agentName: 'cervella-docs' }),
  row(2, { success: 1, durationMs: 120_000, tags: 'autonomous', taskId: 'B' }),
  row(3, { success: 0, errorMessage: 'boom 1', tags: 'orchestrated', taskId: 'C' }),
  row(4, { success: null, sessionId: undefined }),
  rowValue(5, { eventType: 'task_retry', taskId: 'C', errorMessage: 'boom 2', timeMs: AGO }),
  rowValue(6, { eventType: 'fix', parentTaskId: 'B' }),
  row(7, { success: 0, timeMs: NOW - 8 * DAY_MS }),
];

describe('a week of work', () => {
  test('gives the figures of swarm-memory.md', () => {
    const usage = createUsageFigures(NOW);
    const usageRows = [
      [1, 'A', 1, '2026-06-15T11:00:00Z', 'm', 'a', 1, 100, 100, 0, 0],
      [2, 'A', 1, '2026-06-15T11:00:00Z', 'n', 'a', 1, 100, 0, 0, 0],
      [3, 'B', 1, '2026-06-15T11:00:00Z', 'm', 'a', 2, 0, 0, 500, 0],
      [4, 'Z', 1, '2026-06-01T11:00:00Z', 'm', 'a', 99, 9_999, 0, 0, 0],
    ];
    feedUsage(usage, usageRows, createTimestampParser('Europe/Rome'), NOW);
    expect(valuesOf(inputOf(WEEK_OF_WORK, { usage }))).toEqual({
      tasks_per_day: 4 / 7,
      success_ratio: 2 / 3,
      task_seconds_mean: 90,
      retry_ratio: 0.25,
      fix_after_agent_ratio: 0.25,
      repeated_errors: 1,
      lessons_applied_ratio: 0.75,
      tokens_per_task: 400,
      cost_eur_per_task: 1,
      infra_cost_eur_month: 12,
      hours_saved_week: (45 + 30 - 10) / 60,
      autonomous_tasks_week: 1,
    });
  });

  test('is compared with the 28 days before it', () => {
    const target = computeKpis(inputOf(WEEK_OF_WORK)).find(({ key }) => key === 'tasks_per_day')?.target;
    expect(target).toBeCloseTo(1.2 / 28, 12);
  });
});

test('what has no input is absent, not 0', () => {
  const empty = valuesOf(inputOf([], { lessons: undefined }));
  expect(empty).toEqual({
    tasks_per_day: 0,
    repeated_errors: 0,
    infra_cost_eur_month: 12,
    hours_saved_week: 0,
    autonomous_tasks_week: 0,
  });
});

test('what nine columns cannot tell is absent', () => {
  const present = Object.entries(valuesOf(inputOf([row(1)], { lessons: undefined }, 'F'))).filter(
    ([, value]) => value !== undefined,
  );
  expect(Object.fromEntries(present)).toEqual({ tasks_per_day: 1 / 7, retry_ratio: 0, infra_cost_eur_month: 12 });
});

test('without tasks in the 28 days before there is nothing to compare tasks with', () => {
  expect(computeKpis(inputOf([row(1)]))[0]).toMatchObject({ key: 'tasks_per_day', target: undefined });
});

test('targets are those of swarm-memory.md', () => {
  const kpis = computeKpis(inputOf([]));
  expect(kpis.map(({ key }) => key)).toEqual([...KPI_KEYS]);
  const targets = kpis.flatMap(({ key, target, better }) => (target === undefined ? [] : [[key, better, target]]));
  expect(targets).toEqual([
    ['success_ratio', 'more', 0.85],
    ['task_seconds_mean', 'less', 600],
    ['retry_ratio', 'less', 0.1],
    ['fix_after_agent_ratio', 'less', 0.2],
    ['repeated_errors', 'less', 0],
    ['lessons_applied_ratio', 'more', 1],
    ['infra_cost_eur_month', 'less', 15],
    ['autonomous_tasks_week', 'more', 10],
  ]);
});

test.each([
  [0.9, 0.85, 'more', true],
  [0.85, 0.85, 'more', true],
  [0.8, 0.85, 'more', false],
  [5, 10, 'less', true],
  [10, 10, 'less', true],
  [11, 10, 'less', false],
  [undefined, 10, 'less', undefined],
  [1, undefined, 'more', undefined],
] as const)('%s against a target of %s, where %s is better: %s', (value, target, better, expected) => {
  expect(meetsTarget({ key: 'retry_ratio', value, target, better })).toBe(expected);
});
