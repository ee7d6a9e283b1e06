import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Result } from '../../../lib/queue/result.ts';
import { openMemoryWriter } from '../../../orchestrator/recorder/memory-writer.ts';
import { type MemoryState, makeMemory, stopRow, type TestMemory } from '../../support/memory-builder.ts';
import { endResult, fixResult, manyEnds, retryResult, usageResult, usageValue } from '../../support/result-values.ts';

type Stored = Readonly<Record<string, unknown>>;

const select = (memory: TestMemory, sql: string): Stored[] => memory.write((db) => db.prepare(sql).all() as Stored[]);
const eventsOf = (memory: TestMemory): Stored[] => select(memory, 'SELECT * FROM swarm_events ORDER BY rowid');
const usageOf = (memory: TestMemory): Stored[] =>
  select(memory, 'SELECT * FROM task_usage ORDER BY task_id, attempt, model');
const write = ({ path }: TestMemory, ...results: readonly Result[]) => openMemoryWriter({ path }).write(results);
const filesBeside = ({ path }: TestMemory): string[] => readdirSync(dirname(path));

const END = {
  id: '6e0f9549-4ab6-8650-aa5e-f971d40e8212',
  timestamp: '2026-06-15T12:00:00.000Z',
  session_id: 'session-1',
  event_type: 'task_complete',
  agent_name: 'cervella-backend',
  task_id: 'task-1',
  task_description: 'Rivedi il modulo prenotazioni',
  task_status: 'ok',
  duration_ms: 60_000,
  success: 1,
  project: 'miracollo',
  tags: '["orchestrated","autonomous","source:cli"]',
};
const USAGE = {
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
};
const NINE = [
  'id',
  'timestamp',
  'session_id',
  'agent_name',
  'event_type',
  'project',
  'task_description',
  'task_status',
];
const ofNine = (row: Stored): Stored => Object.fromEntries(Object.entries(row).filter(([name]) => NINE.includes(name)));

describe.each(['WAL', 'DELETE'])('in journal mode %s', (journalMode) => {
  test.each<[MemoryState, Stored]>([
    ['A', END],
    ['B', END],
    ['C', END],
    ['D', END],
    ['E', END],
    ['F', { ...ofNine(END), event_type: 'task_success' }],
    ['G', { ...ofNine(END), event_type: 'task_success' }],
  ])('a memory in state %s takes what its columns can hold, and costs beside it', (state, expected) => {
    const memory = makeMemory({ state, journalMode });
    expect(write(memory, endResult(), fixResult())).toEqual({ written: 2, refused: [] });
    const [end, fix] = eventsOf(memory);
    expect(end).toMatchObject(expected);
    expect(fix).toMatchObject({ event_type: 'fix', notes: '{"fixes":"task-1"}' });
    expect(usageOf(memory)).toEqual([USAGE]);
  });

  test('the mode stays and no file is left beside the memory', () => {
    const memory = makeMemory({ journalMode });
    write(memory, endResult());
    expect(filesBeside(memory)).toEqual(['swarm_memory.db']);
    expect(memory.write((db) => db.pragma('journal_mode', { simple: true }))).toBe(journalMode.toLowerCase());
  });
});

test('SQLite fills in when a row was written, and hooks and the recorder write to the same table', () => {
  const memory = makeMemory();
  memory.events(stopRow(Date.now()));
  write(memory, endResult());
  const rows = eventsOf(memory);
  expect(rows.map((row) => row.event_type)).toEqual(['subagent_stop', 'task_complete']);
  expect(rows[1].created_at).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
});

test('the table of costs is made once, as the contract lists it', () => {
  const memory = makeMemory();
  write(memory, endResult());
  const info = select(memory, "SELECT name, pk FROM pragma_table_info('task_usage')");
  expect(info.map(({ name }) => name)).toEqual(Object.keys(USAGE));
  expect(info.filter(({ pk }) => pk !== 0).map(({ name }) => name)).toEqual(['task_id', 'attempt', 'model']);
  const sql = "SELECT sql FROM sqlite_master WHERE name = 'task_usage'";
  const before = select(memory, sql);
  write(memory, endResult({ taskId: 'task-2' }));
  expect(select(memory, sql)).toEqual(before);
});

test('without results a writing only makes sure that there is a memory to write to', () => {
  const memory = makeMemory();
  expect(write(memory)).toEqual({ written: 0, refused: [] });
  expect(eventsOf(memory)).toEqual([]);
});

test('a result that comes again is one row, and the first to come stays', () => {
  const memory = makeMemory();
  const all = [retryResult(), endResult(), fixResult(), usageResult(usageValue())];
  write(memory, ...all);
  const before = [eventsOf(memory), usageOf(memory)];
  expect(write(memory, ...all, ...all)).toEqual({ written: 8, refused: [] });
  expect(write(memory, endResult({ outcome: 'crashed' }))).toEqual({ written: 1, refused: [] });
  expect([eventsOf(memory), usageOf(memory)]).toEqual(before);
  expect(before.map((rows) => rows.length)).toEqual([3, 1]);
});

test('a task that was tried again after its end has a row for each end', () => {
  const memory = makeMemory();
  write(memory, endResult({ outcome: 'crashed' }), endResult({ round: 1 }));
  expect(eventsOf(memory).map((row) => [row.task_id, row.task_status])).toEqual([
    ['task-1', 'crashed'],
    ['task-1', 'ok'],
  ]);
});

describe('costs of a task, attempt and model', () => {
  const tokens = (input: number) => ({ input, output: 0, cacheRead: 0, cacheCreation: 0 });
  const early = usageValue({ costUsd: 0.2, tokens: tokens(100), turns: 3, endedAt: '2026-06-15T12:00:00.000Z' });
  const late = usageValue({ costUsd: 0.3, tokens: tokens(150), turns: 4, endedAt: '2026-06-15T14:00:00.000Z' });
  const storedOf = (memory: TestMemory) =>
    usageOf(memory).map((row) => [row.cost_usd, row.input_tokens, row.turns, row.ended_at]);
  const EARLY = [0.2, 100, 3, '2026-06-15T12:00:00.000Z'];
  const LATE = [0.3, 150, 4, '2026-06-15T14:00:00.000Z'];

  test.each([
    ['grow with what comes later', [early, late], LATE],
    ['do not shrink when an older total comes late', [late, early], LATE],
    ['stay when the same total comes again', [early, { ...early, endedAt: late.endedAt }], EARLY],
    [
      'grow by tokens where nothing is paid',
      [
        { ...early, costUsd: 0 },
        { ...late, costUsd: 0 },
      ],
      [0, ...LATE.slice(1)],
    ],
    [
      'do not shrink by tokens either',
      [
        { ...late, costUsd: 0 },
        { ...early, costUsd: 0 },
      ],
      [0, ...LATE.slice(1)],
    ],
    ['go by what was paid first', [{ ...early, costUsd: 0.4 }, late], [0.4, ...EARLY.slice(1)]],
  ])('%s', (_, usages, expected) => {
    const apart = makeMemory();
    for (const usage of usages) write(apart, usageResult(usage));
    expect(storedOf(apart)).toEqual([expected]);
    const together = makeMemory();
    write(together, ...usages.map((usage) => usageResult(usage)));
    expect(storedOf(together)).toEqual([expected]);
  });

  test('are rows of their own for another task, attempt or model', () => {
    const memory = makeMemory();
    const others = [early, { ...early, attempt: 2 }, { ...early, model: 'claude-haiku-4-5' }];
    write(memory, usageResult(...others), { ...usageResult(early), taskId: 'task-2' });
    expect(usageOf(memory).map((row) => [row.task_id, row.attempt, row.model])).toEqual([
      ['task-1', 1, 'claude-haiku-4-5'],
      ['task-1', 1, 'claude-sonnet-4-5'],
      ['task-1', 2, 'claude-sonnet-4-5'],
      ['task-2', 1, 'claude-sonnet-4-5'],
    ]);
  });

  test('replace a row without figures', () => {
    const memory = makeMemory({ hasUsage: true });
    memory.insert('task_usage', { task_id: 'task-1', attempt: 1, ended_at: '', model: 'claude-sonnet-4-5' });
    write(memory, usageResult(usageValue()));
    expect(usageOf(memory)).toEqual([USAGE]);
  });
});

describe('a result that cannot be written', () => {
  const bind = { agent: { not: 'text' } } as unknown as { agent: string };
  const guard = (table: string, condition: string) =>
    `CREATE TRIGGER guard BEFORE INSERT ON ${table} WHEN ${condition} BEGIN SELECT RAISE(ABORT, 'not this one'); END`;

  test.each<[string, Result, sql: string, RegExp]>([
    ['has a value that is none', endResult({ taskId: 'bad', ...bind }), '', /SQLite3 can only bind/],
    ['has no readable time', endResult({ taskId: 'bad', endedAt: 'soon' }), '', /Invalid time value/],
    [
      'breaks a rule of the table',
      endResult({ taskId: 'bad' }),
      guard('swarm_events', "NEW.task_id = 'bad'"),
      /not this/,
    ],
    [
      'has costs that break a rule',
      endResult({ taskId: 'bad' }),
      guard('task_usage', "NEW.task_id = 'bad'"),
      /not this one/,
    ],
    [
      'lacks what the table demands',
      fixResult(),
      'CREATE TABLE copy AS SELECT * FROM swarm_events; DROP TABLE swarm_events; DROP TABLE copy;' +
        'CREATE TABLE swarm_events (id TEXT PRIMARY KEY, timestamp TEXT NOT NULL, event_type TEXT, task_id TEXT NOT NULL)',
      /NOT NULL constraint failed: swarm_events.task_id/,
    ],
  ])('since it %s is refused whole, and the others are written', (_, bad, sql, message) => {
    const memory = makeMemory({ hasUsage: true });
    memory.write((db) => db.exec(sql));
    const report = write(memory, endResult(), bad, endResult({ taskId: 'task-2' }));
    expect(report).toEqual({ written: 2, refused: [{ index: 1, error: expect.any(Error) }] });
    expect((report.refused[0].error as Error).message).toMatch(message);
    expect(eventsOf(memory).map((row) => row.task_id)).toEqual(['task-1', 'task-2']);
    expect(usageOf(memory).map((row) => row.task_id)).toEqual(['task-1', 'task-2']);
  });

  test('is refused alone among many that are bad', () => {
    const memory = makeMemory();
    const results = manyEnds(20).map((result, index) => (index % 3 === 0 ? { ...result, ...bind } : result));
    const { written, refused } = write(memory, ...results);
    expect([written, refused.map(({ index }) => index)]).toEqual([13, [0, 3, 6, 9, 12, 15, 18]]);
    expect(eventsOf(memory)).toHaveLength(13);
  });
});

test('a rule of the memory that undoes the whole transaction leaves nothing that counts as written', () => {
  const memory = makeMemory();
  memory.write((db) =>
    db.exec(`CREATE TRIGGER guard BEFORE INSERT ON swarm_events WHEN NEW.task_id = 'task-2'
      BEGIN SELECT RAISE(ROLLBACK, 'all of it'); END`),
  );
  expect(() => write(memory, ...manyEnds(3))).toThrow(/^Could not use the swarm memory ".*": all of it \(SQLITE_/);
  expect(eventsOf(memory)).toEqual([]);
});

test('a table of events without a primary key has no row twice either', () => {
  const memory = makeMemory();
  memory.write((db) =>
    db.exec(
      `DROP TABLE swarm_events; CREATE TABLE swarm_events (ID TEXT, timestamp TEXT, event_type TEXT, extra TEXT)`,
    ),
  );
  write(memory, endResult(), endResult());
  write(memory, endResult(), retryResult());
  expect(eventsOf(memory).map((row) => row.event_type)).toEqual(['task_success', 'task_retry']);
});

test('text of any kind is stored as it is', () => {
  const memory = makeMemory();
  const prompt = `'); DROP TABLE swarm_events; -- "🐝" \u0000 \n @id ?`;
  write(memory, endResult({ prompt, agent: '$agent' }));
  expect(eventsOf(memory)[0]).toMatchObject({ task_description: prompt, agent_name: '$agent' });
});
