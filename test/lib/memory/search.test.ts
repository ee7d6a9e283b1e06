import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readLessonsOf, searchMemory } from '../../../lib/memory/search.ts';
import { fillMemory } from '../../support/golden-memory.ts';
import { eventRow, lessonRow, makeMemory, stopRow, type TestMemory, taskRow } from '../../support/memory-builder.ts';
import { NOW } from '../../support/memory-values.ts';

const search = ({ path }: TestMemory, text: string, limit = 20) =>
  searchMemory({ path, timezone: 'Europe/Rome', text, limit });
const promptsOf = async (memory: TestMemory, text: string, limit?: number) =>
  (await search(memory, text, limit)).tasks.map(({ prompt }) => prompt);

function library(): TestMemory {
  const memory = makeMemory();
  const asked = (minutes: number, task_description: string) =>
    taskRow(NOW - minutes * 60_000, { session_id: `s${minutes}`, task_description });
  memory.events(
    asked(30, 'Lo schema è più vecchio'),
    asked(20, 'Mend the CALENDAR'),
    asked(10, 'Mend the rates 100%_sure'),
  );
  return memory;
}

describe('searching a memory', () => {
  test.each([
    ['the latest first', 'mend', ['Mend the rates 100%_sure', 'Mend the CALENDAR']],
    ['whatever the case', 'calendar', ['Mend the CALENDAR']],
    ['whatever the accents', 'E PIU', ['Lo schema è più vecchio']],
    ['all words, in any order', 'rates mend', ['Mend the rates 100%_sure']],
    ['not what has only some of the words', 'rates calendar', []],
    ['to the letter, without patterns', '100%_', ['Mend the rates 100%_sure']],
    ['nothing where a pattern would match', 'm_nd', []],
    ['by agent', 'cervella-backend calendar', ['Mend the CALENDAR']],
    ['quotes and all', `" OR 1=1 --'`, []],
  ])('finds %s', async (_, text, expected) => {
    expect(await promptsOf(library(), text)).toEqual(expected);
  });

  test('gives no more than it was asked for', async () => {
    expect(await promptsOf(library(), 'e', 2)).toHaveLength(2);
  });

  test('finds a run once, though it left two rows, and with what the hook of the task knew', async () => {
    const memory = makeMemory();
    const task_description = 'Mend the calendar';
    memory.events(
      stopRow(NOW, { task_description }),
      taskRow(NOW + 30, { task_description }),
      stopRow(NOW + 60_000, { task_description, agent_name: 'Explore' }),
    );
    const { tasks } = await search(memory, 'calendar');
    expect(tasks.map(({ agent, outcome }) => [agent, outcome])).toEqual([
      ['Explore', 'unknown'],
      ['cervella-backend', 'success'],
    ]);
  });

  test('finds errors, and nothing that has not ended', async () => {
    const memory = makeMemory();
    memory.events(
      taskRow(NOW, { event_type: 'task_failed', success: 0, error_message: 'Calendar is broken' }),
      eventRow(NOW, { event_type: 'task_start', task_description: 'calendar' }),
    );
    expect((await search(memory, 'calendar')).tasks).toMatchObject([
      { outcome: 'failed', error: 'Calendar is broken' },
    ]);
  });

  test('finds lessons by any of their texts', async () => {
    const memory = makeMemory();
    memory.insert(
      'lessons_learned',
      lessonRow({ id: 'one', problem: 'Test lenti' }),
      lessonRow({ id: 'two', solution: 'Niente test lenti', status: 'RESOLVED' }),
    );
    const ids = async (text: string) => (await search(memory, text)).lessons.map(({ id }) => id);
    expect([await ids('lenti'), await ids('resolved'), await ids('veloci')]).toEqual([['two', 'one'], ['two'], []]);
  });

  test.each(['A', 'B', 'C', 'D', 'E', 'F', 'G'] as const)('works in state %s', async (state) => {
    const { tasks } = await search(fillMemory(NOW, state), 'docs');
    expect(tasks.map(({ agent }) => agent)).toEqual(['cervella-docs', 'cervella-docs']);
  });

  test('leaves the memory as it is, to the byte', async () => {
    const memory = library();
    const before = readFileSync(memory.path);
    await search(memory, 'mend');
    expect(readFileSync(memory.path).equals(before)).toBe(true);
  });
});

test('lessons are read the latest first, whatever was left empty', async () => {
  const memory = makeMemory();
  const late = lessonRow({
    id: 'late',
    created_at: null,
    timestamp: 'soon',
    times_applied: 'often',
    status: ' active ',
  });
  memory.insert('lessons_learned', lessonRow({ id: 'early', created_at: '2026-06-01 10:00:00' }), late);
  expect(await readLessonsOf({ path: memory.path, timezone: 'Europe/Rome' })).toMatchObject([
    { id: 'late', writtenMs: undefined, timesApplied: 0, status: 'ACTIVE', severity: 'MEDIUM' },
    { id: 'early', writtenMs: Date.UTC(2026, 5, 1, 10), timesApplied: 0 },
  ]);
});

test('a memory without a table of lessons has none', async () => {
  expect(await readLessonsOf({ path: makeMemory({ state: 'F' }).path, timezone: 'Europe/Rome' })).toBeUndefined();
});
