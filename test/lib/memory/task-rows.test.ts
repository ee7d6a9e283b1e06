import { expect, test } from 'vitest';
import { readTaskRows, type TaskRows } from '../../../lib/memory/task-rows.ts';
import {
  eventRow,
  fixRow,
  type MemoryState,
  makeMemory,
  orchestratedRow,
  retryRow,
  stopRow,
  type TestMemory,
  taskRow,
  usageRow,
} from '../../support/memory-builder.ts';
import { NOW } from '../../support/memory-values.ts';

const STATES: readonly MemoryState[] = ['A', 'B', 'C', 'D', 'E', 'F', 'G'];

const read = ({ path }: TestMemory, id: string): Promise<TaskRows> =>
  readTaskRows({ path, timezone: 'Europe/Rome', id });
const idsOf = ({ own, following }: TaskRows): (string | undefined)[][] =>
  [own, following].map((rows) => rows.map(({ id }) => id));

test.each(['v1', 'v2'])(
  'rows are found by the agent id of a hook %s, and by nothing that only looks like it',
  async (version) => {
    const memory = makeMemory();
    const more = version === 'v1' ? { agent_transcript_path: '/x' } : { transcript_path: '/x', summary: 'done' };
    memory.events(
      stopRow(NOW, { id: 'right', notes: JSON.stringify({ agent_id: 'abc', ...more }) }),
      stopRow(NOW, { notes: JSON.stringify({ agent_id: 'abcd' }) }),
      stopRow(NOW, { notes: JSON.stringify({ summary: 'abc' }) }),
      stopRow(NOW, { notes: 'abc is no JSON' }),
      stopRow(NOW, { notes: '["abc"]' }),
      stopRow(NOW, { notes: null }),
    );
    expect(idsOf(await read(memory, 'abc'))).toEqual([['right'], []]);
  },
);

test('of a task there are its end, its retries, its costs, and what follows it or one of its rows', async () => {
  const memory = makeMemory({ hasUsage: true });
  memory.events(
    retryRow(NOW, 't-1', { id: 'retry' }),
    orchestratedRow(NOW, 't-1'),
    orchestratedRow(NOW, 't-2', { parent_task_id: 't-1' }),
    fixRow(NOW, 't-1', { id: 'fix-of-task' }),
    fixRow(NOW, 't-1-end', { id: 'fix-of-row' }),
    orchestratedRow(NOW, 't-11'),
    fixRow(NOW, 't-2'),
  );
  memory.insert('task_usage', usageRow(NOW, 't-1'), usageRow(NOW, 't-1', { attempt: 2 }), usageRow(NOW, 't-2'));
  const rows = await read(memory, 't-1');
  expect(idsOf(rows)).toEqual([
    ['retry', 't-1-end'],
    ['t-2-end', 'fix-of-task', 'fix-of-row'],
  ]);
  expect(rows.own.map(({ ending, outcome }) => [ending, outcome])).toEqual([
    [undefined, 'failed'],
    ['task', 'success'],
  ]);
  expect(rows.usage).toEqual(
    [1, 2].map((attempt) => ({
      ...{ atMs: NOW, attempt, model: 'claude-sonnet-4-5', costUsd: 0.5 },
      ...{ inputTokens: 10, outputTokens: 20, cacheReadTokens: 300, cacheCreationTokens: 70 },
    })),
  );
});

test.each(STATES)('a row and its fix are found in a memory of shape %s', async (state) => {
  const memory = makeMemory({ state });
  const stop = stopRow(NOW, { id: 'stop', notes: '{"agent_id":"abc"}' });
  memory.events(stop, fixRow(NOW, 'stop', { id: 'fix', notes: '{"fixes":"stop"}' }), fixRow(NOW, 'other'));
  for (const id of ['stop', 'abc']) {
    const rows = await read(memory, id);
    expect(idsOf(rows)).toEqual([['stop'], ['fix']]);
    // Shapes F and G have the local time alone, to the microsecond.
    expect(Math.floor(rows.own[0].atMs! / 1_000)).toBe(NOW / 1_000);
    expect(rows.usage).toEqual([]);
  }
});

test.each([
  ['2026-06-15T12:00:00.250Z', '2026-06-15 12:00:03', NOW + 250],
  ['2026-06-15T14:00:00.250123+02:00', '2026-06-15 12:00:03', NOW + 250],
  ['2026-06-15T14:00:00.250123', '2026-06-15 12:00:03', NOW + 3_000],
  ['2026-06-15T14:00:00.250123', null, NOW + 250],
  ['2026-06-15 12:00:00', null, NOW],
  ['2026-06-15 12:00:00', 'soon', NOW],
  ['never', 'soon', undefined],
])('timestamp %j and created_at %j are the time %j', async (timestamp, createdAt, expected) => {
  const memory = makeMemory();
  memory.events(taskRow(NOW, { id: 'row', timestamp, created_at: createdAt }));
  expect((await read(memory, 'row')).own[0].atMs).toBe(expected);
});

test('what a row does not say, or says in a wrong form, is undefined', async () => {
  const memory = makeMemory();
  memory.events(
    eventRow(NOW, { id: 'row', event_type: '', duration_ms: 'long', notes: '{"half', project: '  ', success: 'yes' }),
  );
  const { own } = await read(memory, 'row');
  expect(own).toEqual([
    {
      ...{ rowid: 1, atMs: NOW, id: 'row', eventType: '', ending: undefined, outcome: 'unknown', notes: {} },
      ...{ agent: undefined, project: undefined, taskId: undefined, parentTaskId: undefined, sessionId: 's1' },
      ...{ status: undefined, durationMs: undefined, error: undefined, prompt: undefined },
    },
  ]);
});

test('a table of costs that is not ours costs nothing', async () => {
  const memory = makeMemory();
  memory.events(taskRow(NOW, { id: 'row' }));
  memory.write((db) =>
    db.exec("CREATE TABLE task_usage (task_id TEXT, price TEXT); INSERT INTO task_usage VALUES ('row', 'high')"),
  );
  expect((await read(memory, 'row')).usage).toEqual([
    {
      ...{ atMs: undefined, attempt: 0, model: 'unknown', costUsd: 0 },
      ...{ inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheCreationTokens: 0 },
    },
  ]);
});

test('a memory that cannot be read says why', async () => {
  await expect(readTaskRows({ path: '/nowhere/memory.db', timezone: 'UTC', id: 'x' })).rejects.toMatchObject({
    problem: 'missing',
  });
});
