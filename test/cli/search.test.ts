import { expect, test } from 'vitest';
import { swarm } from '../support/command-line.ts';
import { lessonRow, makeMemory, orchestratedRow, tempDir } from '../support/memory-builder.ts';
import { NOW } from '../support/memory-values.ts';

function environment(state: 'C' | 'F' = 'C'): Record<string, string> {
  const memory = makeMemory({ state });
  memory.events(orchestratedRow(NOW, 'T1', { task_description: 'Mend\u001b[31m the calendar\nnow' }));
  if (state === 'C')
    memory.insert(
      'lessons_learned',
      lessonRow({ problem: 'Calendar is slow', times_applied: 2, created_at: '2026-06-14 10:00:00' }),
    );
  return { SWARM_DB_PATH: memory.path };
}
const run = (env: Record<string, string>, ...args: string[]) => swarm(args, { cwd: tempDir(), env });

test('search shows lessons and tasks, each in a line without control characters', async () => {
  const { code, stdout } = await run(environment(), 'search', 'calendar');
  expect([code, stdout.split('\n')]).toEqual([
    0,
    [
      '2026-06-14  lesson  active medium, applied 2×: Calendar is slow',
      '2026-06-15  success  cervella-backend demo T1: Mend [31m the calendar now',
      '1 lesson, 1 task.',
      '',
    ],
  ]);
});

test('search prints for programs what it found', async () => {
  const { stdout } = await run(environment(), 'search', '--json', 'the', 'calendar');
  expect(JSON.parse(stdout)).toMatchObject({
    lessons: [],
    tasks: [
      {
        id: 'T1',
        agent: 'cervella-backend',
        outcome: 'success',
        durationSeconds: 60,
        ended: '2026-06-15T12:00:00.000Z',
      },
    ],
  });
});

test('lessons shows how often each was applied, as lines and as JSON', async () => {
  const env = environment();
  expect((await run(env, 'lessons')).stdout).toContain('Lessons: 1, active: 1, active and never applied: 0.');
  const { code, stdout } = await run(env, 'lessons', '--json');
  expect([code, JSON.parse(stdout)]).toMatchObject([
    0,
    [{ problem: 'Calendar is slow', timesApplied: 2, status: 'ACTIVE' }],
  ]);
});

test('a memory without lessons has none', async () => {
  const env = environment('F');
  expect((await run(env, 'lessons')).stdout).toBe('This memory has no table of lessons.\n');
  expect(JSON.parse((await run(env, 'lessons', '--json')).stdout)).toEqual([]);
});

test.each([
  ['without a word', ['search']],
  ['with blanks alone', ['search', '  ']],
  ['with a limit of nothing', ['search', 'x', '--limit', '0']],
])('search %s is wrong use', async (_, args) => {
  expect((await run(environment(), ...args)).code).toBe(2);
});

test.each(['search x', 'lessons'])('%s fails where there is no memory', async (command) => {
  const { code, stderr } = await run({}, ...command.split(' '));
  expect([code, stderr]).toEqual([1, expect.stringContaining('Could not find the swarm memory')]);
});
