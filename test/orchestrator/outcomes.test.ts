import { expect, test } from 'vitest';
import { makeScene } from '../support/swarm-scene.ts';

test('a task of the command line is done by an agent in a worktree of its own, and recorded as one row', async () => {
  const scene = await makeScene();
  await scene.startOrchestrator();
  const id = await scene.enqueue('Write it down. #fake file=answer.txt commit cost=0.02 input=1000 output=100');
  const task = await scene.until(id, 'completed');
  expect(task).toMatchObject({ outcome: 'ok', attempts: 1, costUsd: 0.02, branch: `swarm/${id}`, error: null });
  const [row] = await scene.untilRows(1);
  expect(row).toMatchObject({
    task_id: id,
    event_type: 'task_complete',
    success: 1,
    task_status: 'ok',
    project: 'acme',
  });
});
