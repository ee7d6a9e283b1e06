import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { type CommandOptions, startSwarm, swarm } from '../support/command-line.ts';
import { makeMemory, taskRow, tempDir } from '../support/memory-builder.ts';

/** Starts `swarm up` on a free port and waits until it is up. */
async function startUp(options: CommandOptions) {
  const running = startSwarm(['up'], { ...options, env: { EXPORTER_PORT: '0', ...options.env } });
  const page = await vi.waitFor(() => /"page":"([^"]+)"/.exec(running.output())?.[1] ?? expect.fail(running.output()), {
    timeout: 30_000,
  });
  return { ...running, page };
}

const metricsOf = async (page: string): Promise<string> => await (await fetch(`${page}metrics`)).text();

test('without SWARM_DB_PATH it makes a demo memory, serves it and says that it is made up', async () => {
  const cwd = tempDir();
  const { page, child, ended } = await startUp({ cwd });
  const metrics = await vi.waitFor(async () => {
    const text = await metricsOf(page);
    expect(text).toContain('swarm_up 1');
    return text;
  }, 15_000);
  expect(Number(/^swarm_tasks_total (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(500);
  expect(await (await fetch(page)).text()).toContain('Dati di prova');
  child.kill('SIGTERM');
  expect((await ended).code).toBe(0);
});

test('while it runs, commands in the same folder find its database and port; afterwards they do not', async () => {
  const cwd = tempDir();
  const memory = makeMemory();
  memory.events(taskRow(Date.now() - 60_000));
  const { child, ended } = await startUp({ cwd, env: { SWARM_DB_PATH: memory.path } });
  const runFile = join(cwd, 'data/run.json');
  expect(statSync(runFile).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(runFile, 'utf8')).pid).toBe(child.pid);
  const during = JSON.parse((await swarm(['status', '--json'], { cwd })).stdout);
  expect([during.runningPid, during.rooms[0].state, during.memory.path]).toEqual([child.pid, 'ready', memory.path]);
  child.kill('SIGTERM');
  await ended;
  const after = JSON.parse((await swarm(['status', '--json'], { cwd, env: { EXPORTER_PORT: '1' } })).stdout);
  expect([after.runningPid, after.rooms[0].state]).toEqual([null, 'not running']);
});

test('what a killed process left behind misleads nobody', async () => {
  const cwd = tempDir();
  const { child, ended } = await startUp({ cwd, env: { SWARM_DB_PATH: makeMemory().path } });
  child.kill('SIGKILL');
  await ended;
  const status = JSON.parse((await swarm(['status', '--json'], { cwd, env: { EXPORTER_PORT: '1' } })).stdout);
  expect([status.runningPid, status.memory.path]).toEqual([null, join(cwd, 'data/swarm_memory.db')]);
});

test('a memory of the user is never written to', async () => {
  const memory = makeMemory();
  const before = readFileSync(memory.path);
  const { page, child, ended } = await startUp({ cwd: tempDir(), env: { SWARM_DB_PATH: memory.path } });
  await metricsOf(page);
  child.kill('SIGTERM');
  await ended;
  expect(readFileSync(memory.path).equals(before)).toBe(true);
});
