import { expect, test } from 'vitest';
import { OUTCOMES } from '../../../lib/queue/outcome.ts';
import { resultSchema } from '../../../lib/queue/result.ts';
import { EVENT_COLUMNS, eventRow, fitEventRow, USAGE_COLUMNS, usageRows } from '../../../orchestrator/recorder/rows.ts';
import { endResult, fixResult, retryResult, usageResult, usageValue } from '../../support/result-values.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const idOf = (result: Parameters<typeof eventRow>[0]) => eventRow(result)?.id;

test('the results these tests use are results of the queue', () => {
  for (const result of [endResult(), retryResult(), usageResult(usageValue()), fixResult()]) {
    expect(resultSchema.safeParse(result)).toMatchObject({ success: true });
  }
});

test('the end of a task is one row that says all that is known of it', () => {
  expect(eventRow(endResult({ parentTaskId: 'task-0' }))).toEqual({
    id: '6e0f9549-4ab6-8650-aa5e-f971d40e8212',
    timestamp: '2026-06-15T12:00:00.000Z',
    session_id: 'session-1',
    event_type: 'task_complete',
    agent_name: 'cervella-backend',
    agent_role: null,
    task_id: 'task-1',
    parent_task_id: 'task-0',
    task_description: 'Rivedi il modulo prenotazioni',
    task_status: 'ok',
    duration_ms: 60_000,
    success: 1,
    error_message: null,
    project: 'miracollo',
    tags: '["orchestrated","autonomous","source:cli"]',
    notes:
      '{"attempts":1,"model":"claude-sonnet-4-5","costUsd":0.5,' +
      '"tokens":{"input":10,"output":20,"cacheRead":300,"cacheCreation":70},"turns":7,"outcome":"ok","branch":"swarm/task-1"}',
  });
});

test('an attempt that is made again is a row that ends nothing', () => {
  expect(eventRow(retryResult({ source: 'github' }))).toEqual({
    id: '24b736aa-8294-8b2a-9fb4-9a15677c0fba',
    timestamp: '2026-06-15T12:00:00.000Z',
    session_id: 'session-1',
    event_type: 'task_retry',
    agent_name: 'cervella-backend',
    agent_role: null,
    task_id: 'task-1',
    parent_task_id: null,
    task_description: 'Rivedi il modulo prenotazioni',
    task_status: 'timeout',
    duration_ms: 1_800_000,
    success: 0,
    error_message: 'Could not finish within 1800 s.',
    project: 'miracollo',
    tags: '["orchestrated","source:github"]',
    notes: '{"attempt":1,"outcome":"timeout"}',
  });
});

test('a fix points at what it mends and has no outcome', () => {
  expect(eventRow(fixResult({ note: 'Orari sbagliati' }))).toEqual({
    id: '3628a732-4a07-89bf-ba11-251bdbac77e5',
    timestamp: '2026-06-15T12:00:00.000Z',
    session_id: null,
    event_type: 'fix',
    agent_name: null,
    agent_role: null,
    task_id: null,
    parent_task_id: 'task-1',
    task_description: null,
    task_status: null,
    duration_ms: null,
    success: null,
    error_message: null,
    project: null,
    tags: '["fix-after-agent"]',
    notes: '{"fixes":"task-1","note":"Orari sbagliati"}',
  });
});

test('what a run cost that ended nothing makes no event', () => {
  expect(eventRow(usageResult(usageValue()))).toBeUndefined();
});

test.each(OUTCOMES)('an end with the outcome %s is a success only if it is ok', (outcome) => {
  const row = eventRow(endResult({ outcome, error: 'what happened' }));
  expect(row).toMatchObject({
    task_status: outcome,
    error_message: 'what happened',
    ...(outcome === 'ok' ? { event_type: 'task_complete', success: 1 } : { event_type: 'task_failed', success: 0 }),
  });
  expect(JSON.parse(String(row?.notes))).toMatchObject({ outcome });
});

test('a task that needed a person is not tagged as autonomous', () => {
  expect(eventRow(endResult({ isAutonomous: false, source: 'telegram' }))?.tags).toBe(
    '["orchestrated","source:telegram"]',
  );
});

test('what is not known is NULL, or left out of the notes', () => {
  const { sessionId: _, model: __, branch: ___, ...known } = endResult();
  const row = eventRow(known);
  expect([row?.session_id, row?.parent_task_id, row?.error_message]).toEqual([null, null, null]);
  expect(Object.keys(JSON.parse(String(row?.notes)))).toEqual(['attempts', 'costUsd', 'tokens', 'turns', 'outcome']);
});

test('the same thing always has the same id, in the form of a UUID, and no other thing has it', () => {
  const results = [
    endResult(),
    endResult({ round: 1 }),
    endResult({ taskId: 'task-10' }),
    endResult({ taskId: 'task-1-end', round: 0 }),
    retryResult(),
    retryResult({ attempt: 2 }),
    fixResult(),
    fixResult({ at: '2026-06-15T12:00:00.001Z' }),
    fixResult({ id: 'task-2' }),
  ];
  const ids = results.map(idOf);
  expect(new Set(ids).size).toBe(results.length);
  for (const id of ids) expect(id).toMatch(UUID);
  expect(idOf(endResult({ outcome: 'crashed', endedAt: '2027-01-01T00:00:00Z', prompt: 'x' }))).toBe(ids[0]);
});

test.each([
  ['a prompt', { prompt: 'p'.repeat(30_000) }, 'task_description', 'p'.repeat(20_000)],
  ['an error', { error: 'e'.repeat(30_000) }, 'error_message', 'e'.repeat(2_000)],
  ['an error cut within a character', { error: `${'e'.repeat(1_999)}🐝🐝` }, 'error_message', 'e'.repeat(1_999)],
  ['an error that just fits', { error: `${'e'.repeat(1_998)}🐝` }, 'error_message', `${'e'.repeat(1_998)}🐝`],
] as const)('%s that is too long is cut', (_, extra, column, expected) => {
  expect(eventRow(endResult(extra))?.[column]).toBe(expected);
  expect(eventRow(retryResult(extra))?.[column]).toBe(expected);
});

test('times are written in one form, whatever the worker says them in', () => {
  const endedAt = '2026-06-15T12:00:00Z';
  const written = '2026-06-15T12:00:00.000Z';
  expect(eventRow(endResult({ endedAt }))?.timestamp).toBe(written);
  expect(eventRow(fixResult({ at: endedAt }))?.timestamp).toBe(written);
  expect(usageRows(usageResult(usageValue({ endedAt })))[0].ended_at).toBe(written);
});

test('every attempt and model has a row of costs, with the kinds of tokens apart', () => {
  const rows = usageRows(endResult({ usage: [usageValue(), usageValue({ attempt: 2, model: 'claude-haiku-4-5' })] }));
  expect(rows[0]).toEqual({
    task_id: 'task-1',
    attempt: 1,
    ended_at: '2026-06-15T12:00:00.000Z',
    agent_name: 'cervella-backend',
    project: 'miracollo',
    model: 'claude-sonnet-4-5',
    input_tokens: 10,
    output_tokens: 20,
    cache_read_tokens: 300,
    cache_creation_tokens: 70,
    cost_usd: 0.5,
    turns: 7,
    source: 'cli',
  });
  expect(rows[1]).toEqual({ ...rows[0], attempt: 2, model: 'claude-haiku-4-5' });
  expect(usageRows(retryResult())).toEqual([rows[0]]);
  expect(usageRows(usageResult(usageValue()))).toEqual([rows[0]]);
  expect(usageRows(fixResult())).toEqual([]);
});

test('rows have a value for every column and no other', () => {
  for (const result of [endResult(), retryResult(), fixResult()]) {
    expect(new Set(Object.keys(eventRow(result) ?? {}))).toEqual(new Set(EVENT_COLUMNS));
  }
  expect(Object.keys(usageRows(endResult())[0])).toEqual([...USAGE_COLUMNS]);
});

test.each([
  ['a success', endResult(), 'task_success'],
  ['a failure', endResult({ outcome: 'crashed' }), 'task_failed'],
  ['a retry', retryResult(), 'task_retry'],
  ['a fix', fixResult(), 'fix'],
] as const)('where there is no column for it, the type of the event says that %s is one', (_, result, type) => {
  const row = eventRow(result);
  if (!row) throw new Error('every one of these makes a row');
  expect(fitEventRow(row, new Set(['id', 'event_type']))).toEqual({ ...row, event_type: type });
  expect(fitEventRow(row, new Set(EVENT_COLUMNS))).toEqual(row);
});
