import { rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { createRowWriter } from '../../lib/memory/demo/writer.ts';
import { type CommandResult, swarm } from '../support/command-line.ts';
import { retryRow, stopRow, taskRow, tempDir } from '../support/memory-builder.ts';
import { makeScene, type SwarmScene } from '../support/swarm-scene.ts';

const FIXES = "SELECT * FROM swarm_events WHERE event_type = 'fix' ORDER BY rowid";

/** The fix-after-agent ratio as `swarm kpi` gives it. */
async function fixRatio(scene: SwarmScene): Promise<unknown> {
  const { kpis } = JSON.parse((await scene.swarm('kpi', '--json')).stdout) as {
    kpis: { key: string; value: unknown }[];
  };
  return kpis.find(({ key }) => key === 'fix_after_agent_ratio')?.value;
}

/** A task is counted 3 s after its end. */
const untilFixRatio = (scene: SwarmScene, ratio: number): Promise<void> =>
  expect.poll(() => fixRatio(scene), { timeout: 15_000, interval: 500 }).toBe(ratio);

/** Adds rows to the scene's memory as a hook does. */
function addRows({ memoryPath }: SwarmScene, ...rows: readonly ReturnType<typeof taskRow>[]): void {
  const db = new Database(memoryPath);
  const write = createRowWriter(db);
  for (const row of rows) write('swarm_events', row);
  db.close();
}

const said = ({ code, stdout, stderr }: CommandResult): unknown[] => [code, stdout, stderr];

test('a fix of a task is written by the recorder, counted by the KPIs, and told by its trace', async () => {
  const scene = await makeScene();
  await scene.startOrchestrator();
  const [id, other] = [await scene.enqueue('Do it'), await scene.enqueue('And that')];
  await Promise.all([id, other].map((each) => scene.until(each, 'completed')));
  await scene.untilRows(2);
  await untilFixRatio(scene, 0);
  const note = 'forgot the\u001b[2J test';
  expect(said(await scene.swarm('fix', id, '--note', note))).toEqual([
    0,
    `Noted that task ${id} had to be mended. It is in the memory.\n`,
    '',
  ]);
  expect(scene.rows(FIXES)).toEqual([
    expect.objectContaining({
      ...{ parent_task_id: id, tags: '["fix-after-agent"]', success: null },
      notes: JSON.stringify({ fixes: id, note }),
    }),
  ]);
  expect(await fixRatio(scene)).toBe(0.5);
  expect((await scene.swarm('trace', id)).stdout).toMatch(/memory {2}fix: forgot the \[2J test$/m);
  const again = await scene.swarm('fix', id, '--json');
  expect(JSON.parse(again.stdout)).toEqual({ id, fixes: id, note: null, at: expect.any(String), state: 'recorded' });
  expect([scene.rows(FIXES).length, await fixRatio(scene)]).toEqual([2, 0.5]);
});

test('runs outside the queue are fixed by the id of a row, or by the agent id of their hook', async () => {
  const scene = await makeScene();
  await scene.startOrchestrator();
  const nowMs = Date.now() - 60_000;
  addRows(
    scene,
    ...[1, 2, 3].map((run) =>
      stopRow(nowMs, {
        id: `stop-${run}`,
        session_id: `s-${run}`,
        notes: JSON.stringify({ agent_id: `agent-${run}` }),
      }),
    ),
    taskRow(nowMs, { id: 'task-3', session_id: 's-3' }),
    taskRow(nowMs, { id: 'task-4', session_id: 's-4' }),
  );
  for (const [id, fixes] of [
    ['stop-1', 'stop-1'],
    ['agent-2', 'stop-2'],
    // The two rows of one run.
    ['agent-3', 'stop-3'],
    ['task-3', 'task-3'],
  ]) {
    const { stdout, stderr } = await scene.swarm('fix', id, '--json');
    expect(JSON.parse(stdout || stderr)).toMatchObject({ id, fixes, state: 'recorded' });
  }
  expect(await fixRatio(scene)).toBe(0.75);
});

test('without a recorder a fix waits in the queue, and is written when there is one', async () => {
  const scene = await makeScene();
  const id = await scene.enqueue('Do it');
  const { stdout, code } = await scene.swarm('fix', id, '--note', 'wrong');
  expect([code, stdout]).toEqual([
    0,
    `Noted that task ${id} had to be mended. It waits in the queue: it will be in the memory as soon as an orchestrator runs beside it.\n`,
  ]);
  expect(scene.rows(FIXES)).toEqual([]);
  await scene.startOrchestrator();
  await scene.until(id, 'completed');
  await scene.untilRows(1);
  await expect.poll(() => scene.rows(FIXES), { timeout: 20_000 }).toHaveLength(1);
  await untilFixRatio(scene, 1);
});

test('an id that nobody knows, or that ends no task, is refused and nothing is sent', async () => {
  const scene = await makeScene();
  addRows(scene, retryRow(Date.now(), 't-1', { id: 'retry-1' }));
  const hint = 'Give the id of a task (`swarm queue list`) or of an ending row of the memory.\n';
  const refused = async (id: string, reason: string): Promise<void> =>
    expect(said(await scene.swarm('fix', id))).toEqual([1, '', expect.stringMatching(reason)]);
  await refused('nobody', `^Could not note a fix of "nobody": neither the queue nor the memory knows it. Give`);
  await refused('\u001b[2Jx', '^Could not note a fix of "\\[2Jx": neither');
  await refused('x'.repeat(300), `^Could not note a fix of "x{99}…": neither`);
  expect(said(await scene.swarm('fix', 'retry-1'))).toEqual([
    1,
    '',
    `Could not note a fix of "retry-1": it is that of a row of type "task_retry", which ends no task. ${hint}`,
  ]);
  rmSync(scene.memoryPath);
  await refused('nobody', 'it is not on the queue, and Could not find the swarm memory');
  expect(await scene.redis.client.xlen('swarm:swarm-results')).toBe(0);
  await scene.redis.kill();
  expect(said(await scene.swarm('fix', 'nobody'))).toEqual([3, '', expect.stringMatching(/^Could not reach Redis/)]);
});

test.each([
  [['fix'], /missing required argument 'id'/],
  [['fix', ''], /Could not note a fix without an id/],
  [['fix', 'x', '--note', 'y'.repeat(2_001)], /the note: it has 2001 characters, expected 2000 at most\. Shorten it\./],
])('wrong use ends with exit code 2', async (args, message) => {
  expect(said(await swarm(args, { cwd: tempDir() }))).toEqual([2, '', expect.stringMatching(message)]);
});

test('help is there', async () => {
  const { code, stdout } = await swarm(['fix', '--help'], { cwd: tempDir() });
  expect([code, stdout]).toEqual([0, expect.stringContaining('Usage: swarm fix [options] <id>')]);
});
