import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TIMETABLE } from '../../scheduler/timetable.ts';
import { swarm } from '../support/command-line.ts';
import { tempDir } from '../support/memory-builder.ts';
import { startScheduler } from '../support/running-scheduler.ts';

const NO_REDIS = { REDIS_URL: 'redis://127.0.0.1:1' };

async function list(cwd: string, env: Record<string, string> = {}) {
  const { stdout, stderr, code } = await swarm(['schedule', 'list', '--json'], { cwd, env });
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as readonly Record<string, unknown>[];
}

test('schedule list shows each job once, before anything ever ran, and what is off as off', async () => {
  const cwd = tempDir();
  const jobs = await list(cwd);
  expect(jobs.map(({ job }) => job)).toEqual(TIMETABLE.map(({ job }) => job));
  expect(jobs.find(({ job }) => job === 'code-review')).toMatchObject({
    isOff: false,
    at: '0 9 * * mon,fri',
    timezone: 'Europe/Rome',
    nextRun: expect.stringMatching(/T0[78]:00:00\.000Z$/),
    lastRun: null,
    lastState: null,
    latenessSeconds: 0,
  });
  writeFileSync(join(cwd, 'times.json'), '{"code-review": "off"}');
  const [off] = await list(cwd, { TIMETABLE_FILE: 'times.json' });
  expect(off).toMatchObject({ isOff: true, nextRun: null });
  expect((await swarm(['schedule'], { cwd })).stdout).toMatch(/^job +at +next +last/);
});

test('schedule run does a job without a scheduler, and list then shows how it went', async () => {
  const cwd = tempDir();
  const { code, stdout } = await swarm(['schedule', 'run', 'code-review'], { cwd, env: NO_REDIS });
  expect([code, stdout]).toEqual([0, 'code-review: done (no project)\n']);
  expect((await list(cwd)).find(({ job }) => job === 'code-review')).toMatchObject({
    lastState: 'done',
    lastText: 'no project',
    lastRun: expect.any(String),
    lastSuccess: expect.any(String),
  });
});

test('while a scheduler runs, schedule run has it do the job', async () => {
  const cwd = tempDir();
  const { output } = await startScheduler(cwd);
  const { code, stdout } = await swarm(['schedule', 'run', 'code-review', '--json'], { cwd, env: NO_REDIS });
  expect([code, JSON.parse(stdout)]).toEqual([
    0,
    { job: 'code-review', state: 'done', summary: 'no project', error: null },
  ]);
  await expect.poll(output).toContain('"summary":"no project"');
});

test('a job that is not known is wrong use, and a Redis that is away is told as such', async () => {
  const cwd = tempDir();
  const unknown = await swarm(['schedule', 'run', 'nope'], { cwd });
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('There are: code-review')]);
  const project = { name: 'acme', path: join(import.meta.dirname, '../..') };
  writeFileSync(join(cwd, 'projects.json'), JSON.stringify({ projects: [project] }));
  const away = await swarm(['schedule', 'run', 'code-review'], { cwd, env: NO_REDIS });
  expect([away.code, away.stderr]).toEqual([3, expect.stringContaining('Could not reach Redis')]);
});
