import { expect, test } from 'vitest';
import { probeSchema } from '../../../lib/memory/schema.ts';
import { createTimestampParser } from '../../../lib/memory/timestamps.ts';
import {
  costLabels,
  createUsageFigures,
  feedUsage,
  hasUsage,
  readUsageRows,
  TOKEN_KINDS,
  type UsageFigures,
} from '../../../lib/memory/usage.ts';
import { WINDOWS } from '../../../lib/memory/windows.ts';
import { makeMemory, type TestMemory, usageRow } from '../../support/memory-builder.ts';
import { NOW } from '../../support/memory-values.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const parser = createTimestampParser('Europe/Rome');

/** One reading: what is new goes into the figures, or everything into new ones. */
function catchUp(memory: TestMemory, known = createUsageFigures(NOW), nowMs = NOW): UsageFigures {
  return memory.write((db) => {
    const { rows, isFresh } = readUsageRows(db, known, nowMs);
    const figures = isFresh ? createUsageFigures(nowMs) : known;
    feedUsage(figures, rows, parser, nowMs);
    return figures;
  });
}
const costs = (figures: UsageFigures) =>
  Object.fromEntries(
    [...figures.costMicroUsd].map(([key, micro]) => {
      const { model, agent } = costLabels(figures, key);
      return [`${model} ${agent}`, micro / 1e6];
    }),
  );
const windowCosts = (figures: UsageFigures): number[] => figures.windows.map((window) => window.costMicroUsd / 1e6);
const windowTasks = (figures: UsageFigures): number[] => figures.windows.map((window) => window.tasks.size);

test('usage can be read if the table has the columns we write', () => {
  const schemaAfter = (sql: string) =>
    makeMemory({ hasUsage: true }).write((db) => {
      db.exec(sql);
      return hasUsage(probeSchema(db));
    });
  expect(
    [
      '',
      'ALTER TABLE task_usage DROP COLUMN turns',
      'ALTER TABLE task_usage DROP COLUMN cost_usd',
      'ALTER TABLE task_usage RENAME COLUMN attempt TO other',
      'DROP TABLE task_usage',
    ].map(schemaAfter),
  ).toEqual([true, true, false, false, false]);
});

test('tokens add up by model and kind, costs by model and agent', () => {
  const memory = makeMemory({ hasUsage: true });
  memory.insert(
    'task_usage',
    usageRow(NOW, 'A'),
    usageRow(NOW, 'A', { attempt: 2 }),
    usageRow(NOW, 'A', { attempt: 2, model: 'claude-haiku-4-5', cost_usd: 0.1 }),
    usageRow(NOW, 'B', { agent_name: 'cervella-docs', cost_usd: 0.000001 }),
  );
  const figures = catchUp(memory);
  expect([...figures.tokens].map(([model, tokens]) => [figures.models.names[model], tokens])).toEqual([
    ['claude-sonnet-4-5', [30, 60, 900, 210]],
    ['claude-haiku-4-5', [10, 20, 300, 70]],
  ]);
  expect(TOKEN_KINDS.map(({ kind }) => kind)).toEqual(['input', 'output', 'cache_read', 'cache_creation']);
  expect(costs(figures)).toEqual({
    'claude-sonnet-4-5 cervella-backend': 1,
    'claude-haiku-4-5 cervella-backend': 0.1,
    'claude-sonnet-4-5 cervella-docs': 0.000001,
  });
  expect(figures.windows[0].tokens).toBe(1_600);
  expect(windowTasks(figures)).toEqual([2, 2, 2, 2]);
});

test('a cent added a million times is exact', () => {
  const figures = createUsageFigures(NOW);
  const row = [1, 'A', 1, '2026-06-15T11:59:00Z', 'model', 'agent', 0.1, 0, 0, 0, 0];
  feedUsage(
    figures,
    Array.from({ length: 10_000 }, () => row),
    parser,
    NOW,
  );
  expect([costs(figures), windowCosts(figures)[0]]).toEqual([{ 'model agent': 1_000 }, 1_000]);
});

test('what is more than five minutes ahead is in no window until its time has come', () => {
  const memory = makeMemory({ hasUsage: true });
  memory.insert('task_usage', usageRow(NOW + 300_000, 'A'), usageRow(NOW + 3 * HOUR_MS, 'B', { cost_usd: 7 }));
  const figures = catchUp(memory);
  expect([Math.max(...windowCosts(figures)), windowTasks(figures)]).toEqual([0.5, [1, 1, 1, 1]]);
  expect(Object.values(costs(figures))).toEqual([7.5]);
  const later = catchUp(memory, figures, NOW + 3 * HOUR_MS);
  expect(windowCosts(later)).toEqual([7, 7.5, 7.5, 7.5]);
  expect(Object.values(costs(later))).toEqual([7.5]);
});

test('values of the wrong kind count as nothing, names as "unknown"', () => {
  const memory = makeMemory({ hasUsage: true });
  memory.insert(
    'task_usage',
    usageRow(NOW, 'A', {
      input_tokens: null,
      output_tokens: -5,
      cache_read_tokens: 'many',
      cost_usd: null,
      agent_name: '',
    }),
    usageRow(NOW, 'B', { cost_usd: -1, model: ' ', agent_name: null }),
  );
  const figures = catchUp(memory);
  expect(costs(figures)).toEqual({ 'claude-sonnet-4-5 unknown': 0, 'unknown unknown': 0 });
  expect([...figures.tokens.values()]).toEqual([
    [0, 0, 0, 70],
    [10, 20, 300, 70],
  ]);
});

test('rows leave the windows as time passes, and a task leaves with its last row', () => {
  const memory = makeMemory({ hasUsage: true });
  memory.insert(
    'task_usage',
    usageRow(NOW, 'A'),
    usageRow(NOW - 2 * HOUR_MS, 'A', { attempt: 2 }),
    usageRow(NOW - 2 * DAY_MS, 'B'),
    usageRow(NOW - 10 * DAY_MS, 'C'),
    usageRow(NOW - 40 * DAY_MS, 'D'),
    usageRow(NOW, 'E', { ended_at: 'some day' }),
  );
  const figures = catchUp(memory);
  expect([windowCosts(figures), windowTasks(figures)]).toEqual([
    [0.5, 1, 1.5, 2],
    [1, 1, 2, 3],
  ]);
  const later = catchUp(memory, figures, NOW + 23 * HOUR_MS);
  expect([windowCosts(later), windowTasks(later)]).toEqual([
    [0, 0.5, 1.5, 2],
    [0, 1, 2, 3],
  ]);
  expect(costs(later)).toEqual({ 'claude-sonnet-4-5 cervella-backend': 3 });
});

test.each<[string, (memory: TestMemory) => void, number]>([
  ['added', (memory) => memory.insert('task_usage', usageRow(NOW, 'C')), 1.5],
  ['taken away', (memory) => memory.write((db) => db.exec("DELETE FROM task_usage WHERE task_id = 'A'")), 0.5],
  ['all taken away', (memory) => memory.write((db) => db.exec('DELETE FROM task_usage')), 0],
  ['written again with REPLACE', (memory) => replace(memory, 'A'), 9.5],
  ['written again with REPLACE, the last one', (memory) => replace(memory, 'B'), 9.5],
  [
    'taken away and others added',
    (memory) => {
      memory.write((db) => db.exec("DELETE FROM task_usage WHERE task_id = 'A'"));
      memory.insert('task_usage', usageRow(NOW, 'C', { cost_usd: 2 }), usageRow(NOW, 'D', { cost_usd: 4 }));
    },
    6.5,
  ],
])('rows %s between two readings are noticed', (_, change, expected) => {
  const memory = makeMemory({ hasUsage: true });
  memory.insert('task_usage', usageRow(NOW, 'A'), usageRow(NOW, 'B'));
  const first = catchUp(memory);
  expect(windowCosts(first)).toEqual(WINDOWS.map(() => 1));
  change(memory);
  const second = catchUp(memory, first);
  expect(windowCosts(second)).toEqual(WINDOWS.map(() => expected));
  expect(Object.values(costs(second)).reduce((sum, cost) => sum + cost, 0)).toBe(expected);
});

test('the last row taken away and another put in its place is noticed', () => {
  const memory = makeMemory({ hasUsage: true });
  memory.insert('task_usage', usageRow(NOW, 'A'), usageRow(NOW, 'B'));
  const first = catchUp(memory);
  memory.write((db) => db.exec("DELETE FROM task_usage WHERE task_id = 'B'"));
  memory.insert('task_usage', usageRow(NOW, 'C', { cost_usd: 4 }));
  expect(windowCosts(catchUp(memory, first))[0]).toBe(4.5);
});

function replace(memory: TestMemory, taskId: string): void {
  memory.write((db) =>
    db
      .prepare(
        `INSERT OR REPLACE INTO task_usage (task_id, attempt, ended_at, agent_name, model, cost_usd)
         VALUES (?, 1, '2026-06-15T12:00:00Z', 'cervella-backend', 'claude-sonnet-4-5', 9)`,
      )
      .run(taskId),
  );
}
