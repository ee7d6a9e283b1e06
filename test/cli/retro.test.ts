import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { swarm } from '../support/command-line.ts';
import { makeMemory, stopRow, taskRow, tempDir } from '../support/memory-builder.ts';

const DAY_MS = 86_400_000;

function memoryPath(state: 'C' | 'F' = 'C'): string {
  const memory = makeMemory({ state });
  const ago = (days: number): number => Date.now() - days * DAY_MS;
  memory.events(taskRow(ago(1)), stopRow(ago(2), { session_id: 's2' }), taskRow(ago(20), { session_id: 's3' }));
  return memory.path;
}
const retro = (cwd: string, env: Record<string, string>, ...args: string[]) => swarm(['retro', ...args], { cwd, env });

test('prints the last 7 days as Markdown, in the language people read', async () => {
  const cwd = tempDir();
  const env = { SWARM_DB_PATH: memoryPath() };
  const { code, stdout } = await retro(cwd, env);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^# Retrospettiva dello sciame: .*\n/)]);
  expect(stdout).toContain('**In breve.** 2 task');
  expect((await retro(cwd, { ...env, SWARM_LANG: 'en' })).stdout).toContain('**In short.** 2 tasks');
  expect(readdirSync(cwd)).toEqual([]);
});

test('prints the figures of as many days as asked for as JSON, null for what is not known', async () => {
  const { code, stdout } = await retro(tempDir(), { SWARM_DB_PATH: memoryPath() }, '--days', '30', '--json');
  const figures = JSON.parse(stdout);
  expect([code, figures.days, figures.outcomes]).toEqual([0, 30, { success: 2, failed: 0, unknown: 1 }]);
  expect(Date.parse(figures.until) - Date.parse(figures.from)).toBe(30 * DAY_MS);
  expect(figures.kpis).toHaveLength(13);
  expect(figures.daily).toHaveLength(31);
  expect(figures).toMatchObject({ spending: null, file: null });
});

test('shows a goal from the day on which it was set', async () => {
  const cwd = tempDir();
  const env = { SWARM_DB_PATH: memoryPath(), MONITOR_DB_PATH: join(cwd, 'monitor.db') };
  expect((await retro(cwd, env)).stdout).not.toContain('Libertà geo');
  expect((await swarm(['goal', 'set', 'liberta-geo', '35'], { cwd, env })).code).toBe(0);
  expect((await retro(cwd, env)).stdout).toMatch(/\| Libertà geo +\| +35% \| +prima non noto \|/);
});

test('with --save it is in a file beside monitor.db as well', async () => {
  const cwd = tempDir();
  const env = { SWARM_DB_PATH: memoryPath('F'), MONITOR_DB_PATH: join(cwd, 'state/monitor.db') };
  const { code, stdout, stderr } = await retro(cwd, env, '--days', '3', '--save');
  const [name] = readdirSync(join(cwd, 'state/retro'));
  expect([code, name]).toEqual([0, expect.stringMatching(/^\d{4}-\d\d-\d\d-\d{4}-3d\.md$/)]);
  expect(readFileSync(join(cwd, 'state/retro', name), 'utf8')).toBe(stdout);
  expect(stderr).toBe(`Saved as ${join(cwd, 'state/retro', name)}\n`);
});

test.each(['0', '91', 'seven', '7.5', '-1'])('%s days are wrong use', async (days) => {
  const { code, stderr } = await retro(tempDir(), {}, '--days', days);
  expect([code, stderr]).toEqual([2, expect.stringContaining('Expected a whole number from 1 to 90.')]);
});

test('fails with the reason and a remedy where there is no memory', async () => {
  const { code, stderr } = await retro(tempDir(), {});
  expect([code, stderr]).toEqual([1, expect.stringContaining('Could not find the swarm memory')]);
});
