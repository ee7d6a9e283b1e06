import { expect, test } from 'vitest';
import { type EventRow, prepareEventRows } from '../../../lib/memory/event-rows.ts';
import { probeSchema } from '../../../lib/memory/schema.ts';
import { createTimestampParser } from '../../../lib/memory/timestamps.ts';
import { type MemoryState, makeMemory, orchestratedRow, type TestMemory } from '../../support/memory-builder.ts';
import { NOW } from '../../support/memory-values.ts';

const WEEK_AND_DAY_MS = 8 * 86_400_000;
const parser = createTimestampParser('Europe/Rome');

function rowsOf(memory: TestMemory, after = Number.MIN_SAFE_INTEGER, limit = 1_000): EventRow[] {
  return memory.write((db) => {
    const reading = { schema: probeSchema(db), parser, nowMs: NOW, detailsAfterMs: NOW - WEEK_AND_DAY_MS };
    return prepareEventRows(db, reading)(after, limit);
  });
}
/** The one row that `INSERT` makes; values are written as SQL, so that they may be of any kind. */
function rowOf(values: Readonly<Record<string, string>>, state: MemoryState = 'C'): EventRow {
  const memory = makeMemory({ state });
  const all: Record<string, string> = { timestamp: "'2026-06-15T10:00:00Z'", event_type: "'task_complete'", ...values };
  const sql = `INSERT INTO swarm_events (${Object.keys(all).join()}) VALUES (${Object.values(all).join()})`;
  memory.write((db) => db.exec(sql));
  return rowsOf(memory)[0];
}

test('every column of a whole row is read', () => {
  const memory = makeMemory();
  memory.events(
    orchestratedRow(NOW, 'T', {
      parent_task_id: 'P',
      error_message: 'boom',
      notes: '{"agent_id": "a1"}',
      event_type: 'Task_Complete',
    }),
  );
  expect(rowsOf(memory)).toEqual([
    {
      rowid: 1,
      timeMs: NOW,
      futureMs: undefined,
      eventType: 'task_complete',
      id: 'T-end',
      agentName: 'cervella-backend',
      sessionId: 's1',
      taskId: 'T',
      parentTaskId: 'P',
      taskStatus: 'completed',
      success: 1,
      durationMs: 60_000,
      errorMessage: 'boom',
      project: 'demo',
      tags: '["orchestrated","autonomous"]',
      agentRunId: 'a1',
    },
  ]);
});

test.each(['A', 'B', 'C', 'D', 'E', 'F', 'G'] as const)('rows of state %s are read', (state) => {
  const memory = makeMemory({ state });
  memory.events(orchestratedRow(NOW, 'T', { notes: '{"agent_id":"a1"}' }));
  const expected = { timeMs: NOW, id: 'T-end', sessionId: 's1', agentName: 'cervella-backend', agentRunId: 'a1' };
  const later = { taskId: 'T', durationMs: 60_000, success: 1 };
  const none = { taskId: undefined, durationMs: undefined, success: null };
  expect(rowsOf(memory)).toMatchObject([{ ...expected, ...(state === 'F' || state === 'G' ? none : later) }]);
});

test('a row of nothing but NULL is read', () => {
  expect(rowOf({ timestamp: "''", event_type: 'NULL', id: 'NULL' }, 'F')).toEqual({
    rowid: 1,
    eventType: '',
    success: null,
  });
});

test.each<[string, string, string, unknown]>([
  ['durationMs', 'duration_ms', "'long'", undefined],
  ['durationMs', 'duration_ms', "'1500'", 1_500],
  ['durationMs', 'duration_ms', '-1', undefined],
  ['durationMs', 'duration_ms', '0', 0],
  ['durationMs', 'duration_ms', '1.6', 2],
  ['durationMs', 'duration_ms', '9e99', undefined],
  ['durationMs', 'duration_ms', '9223372036854775807', undefined],
  ['durationMs', 'duration_ms', "x'01'", undefined],
  ['success', 'success', "'1'", 1],
  ['agentName', 'agent_name', "x'616263'", undefined],
  ['agentName', 'agent_name', "'  '", undefined],
  ['agentName', 'agent_name', "' cervella-docs\t\n'", 'cervella-docs'],
  ['agentName', 'agent_name', "char(160) || 'è'", 'è'],
  ['taskStatus', 'task_status', "' Succeeded '", 'Succeeded'],
  ['project', 'project', "'x' || char(10)", 'x'],
  ['agentName', 'agent_name', '42', '42'],
  ['sessionId', 'session_id', "''", undefined],
  ['errorMessage', 'error_message', "x'ff00'", undefined],
  ['id', 'id', "x'00'", undefined],
  ['tags', 'tags', '7', '7'],
  ['eventType', 'event_type', "x'7461736b'", ''],
  ['eventType', 'event_type', '5', '5'],
  ['eventType', 'event_type', "'SUBAGENT_STOP'", 'subagent_stop'],
  ['agentRunId', 'notes', '\'{"agent_id":"a1"}\'', 'a1'],
  ['agentRunId', 'notes', '\'{"agent_id":7}\'', '7'],
  ['agentRunId', 'notes', '\'{"agent_id":null}\'', undefined],
  ['agentRunId', 'notes', "'[1, 2]'", undefined],
  ['agentRunId', 'notes', "'{broken'", undefined],
  ['agentRunId', 'notes', "'plain words'", undefined],
  ['agentRunId', 'notes', "x'7b7d'", undefined],
  ['agentRunId', 'notes', "x'ff00fe'", undefined],
  ['agentRunId', 'notes', 'zeroblob(5000)', undefined],
  ['agentRunId', 'notes', 'jsonb(\'{"agent_id":"a1"}\')', undefined],
  ['agentRunId', 'notes', `'${'['.repeat(5_000)}'`, undefined],
])('%s is harmless when %s is %s', (name, column, value, expected) => {
  expect(rowOf({ [column]: value })[name as keyof EventRow]).toEqual(expected);
});

test.each<[string, Record<string, string>, string | undefined]>([
  ['created_at before timestamp', { created_at: "'2026-06-15 09:00:00'" }, '2026-06-15T09:00:00.000Z'],
  ['timestamp if created_at is NULL', { created_at: 'NULL' }, '2026-06-15T10:00:00.000Z'],
  ['timestamp if created_at is empty', { created_at: "''" }, '2026-06-15T10:00:00.000Z'],
  ['no time if both are unreadable', { created_at: "'soon'", timestamp: "'later'" }, undefined],
  ['no time if timestamp is a number', { created_at: 'NULL', timestamp: '1781517600' }, undefined],
  ['no time if timestamp is a BLOB', { created_at: 'NULL', timestamp: "x'32'" }, undefined],
  ['local time of a T form', { created_at: 'NULL', timestamp: "'2026-06-15T10:00:00.5'" }, '2026-06-15T08:00:00.500Z'],
  ['a time 5 minutes ahead', { created_at: "'2026-06-15 12:05:00'" }, '2026-06-15T12:05:00.000Z'],
  ['no time later than that', { created_at: "'2026-06-15 12:05:01'" }, undefined],
])('the time of a row is %s', (_, values, expected) => {
  const { timeMs } = rowOf(values);
  expect(timeMs === undefined ? undefined : new Date(timeMs).toISOString()).toBe(expected);
});

test('a row of the future says when it is due', () => {
  expect(rowOf({ created_at: "'2026-06-15 12:05:01'" }).futureMs).toBe(NOW + 301_000);
});

test('notes of rows older than the newest figures are not read', () => {
  const notes = '\'{"agent_id":"a1"}\'';
  expect(rowOf({ created_at: "'2026-06-06 00:00:00'", notes }).agentRunId).toBeUndefined();
  expect(rowOf({ created_at: "'2026-06-07 00:00:00'", notes }).agentRunId).toBe('a1');
});

test('rows come in the order of rowid, after the one asked for, up to the limit', () => {
  const memory = makeMemory();
  memory.write((db) =>
    db.exec(`INSERT INTO swarm_events (rowid, id, timestamp, event_type)
      VALUES (9, 'a', '', ''), (-4, 'b', '', ''), (3, 'c', '', ''), (5, 'd', '', '')`),
  );
  expect(rowsOf(memory).map((row) => row.rowid)).toEqual([-4, 3, 5, 9]);
  expect(rowsOf(memory, -4, 2).map((row) => row.rowid)).toEqual([3, 5]);
});
