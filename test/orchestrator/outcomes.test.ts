import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { processesOfTask } from '../support/agent-runs.ts';
import { makeScene, type SwarmScene } from '../support/swarm-scene.ts';

test('a task is done in a worktree of its own, leaves a branch and one row, and main is as it was', async () => {
  const scene = await makeScene();
  const { samples } = await scene.startOrchestrator();
  const before = scene.git('rev-parse', 'main');
  const id = await scene.enqueue('Write it down. #fake file=answer.txt cost=0.02 input=1000 output=100 ms=300');
  const task = await scene.until(id, 'completed');
  expect(task).toMatchObject({ outcome: 'ok', attempts: 1, costUsd: 0.02, branch: `swarm/${id}`, error: null });
  const [row] = await scene.untilRows(1);
  expect(row).toMatchObject({
    event_type: 'task_complete',
    success: 1,
    task_status: 'ok',
    agent_name: 'cervella-fake',
    task_id: id,
    parent_task_id: null,
    project: 'acme',
    session_id: task.sessionId,
    error_message: null,
    tags: '["orchestrated","autonomous","source:cli"]',
  });
  expect(row.duration_ms).toBeGreaterThanOrEqual(300);
  expect(scene.rows('SELECT * FROM task_usage')).toEqual([
    expect.objectContaining({
      task_id: id,
      attempt: 1,
      input_tokens: 1000,
      output_tokens: 100,
      cost_usd: 0.02,
      source: 'cli',
    }),
  ]);
  expect(scene.git('rev-parse', 'main')).toBe(before);
  expect(scene.git('status', '--porcelain')).toBe('');
  expect(scene.git('show', `swarm/${id}:answer.txt`)).not.toBe('');
  expect(existsSync(join(scene.folder, 'work', 'worktrees', 'acme', id))).toBe(false);
  const found = await samples();
  expect(found.get('swarm_agent_run_seconds_count{agent="cervella-fake",outcome="ok"}')).toBe(1);
  expect(found.get('swarm_budget_usd{period="day",kind="spent"}')).toBe(0.02);
  expect(found.get('swarm_budget_usd{period="day",kind="reserved"}')).toBe(0);
  expect(found.get('swarm_queue_jobs{state="completed"}')).toBe(1);
});

/** Directives of the fake agent, further options of `enqueue`, and what becomes of the task when it has one attempt. */
const ENDS: readonly [directives: string, options: readonly string[], outcome: string, error: RegExp][] = [
  ['outcome=denied denied=Bash cost=0.01', [], 'needs-attention', /Bash/],
  ['outcome=overloaded', [], 'overloaded', /529|overloaded/i],
  ['outcome=auth', [], 'auth', /log ?in|401|key/i],
  ['outcome=credit', [], 'auth', /credit/i],
  ['outcome=unreachable', [], 'overloaded', /reach|connect/i],
  ['outcome=too-long', [], 'bad-request', /long/i],
  ['outcome=budget cost=0.6', [], 'budget', /budget/i],
  ['outcome=max-turns', [], 'max-turns', /turn/i],
  ['outcome=crash exit=3', [], 'crashed', /3/],
  ['outcome=kill child ignore-term', [], 'crashed', /SIGKILL/],
  ['outcome=garbage', [], 'ok', /^$/],
  ['outcome=hang ignore-term', ['--timeout', '3s'], 'timeout', /3 s|timeout/i],
  ['outcome=hang', [], 'stuck', /nothing|stuck|silent/i],
];

test('every way a run can end has its outcome, its remedy and its one row, and leaves no process', async () => {
  const scene = await makeScene({ TASK_ATTEMPTS: '1', AGENT_IDLE_MINUTES: '0.1' });
  const { samples } = await scene.startOrchestrator();
  const ids: string[] = [];
  for (const [directives, options] of ENDS) ids.push(await scene.enqueue(`Do it. #fake ${directives}`, ...options));
  for (const [index, [directives, , outcome, error]] of ENDS.entries()) {
    const task = await scene.until(ids[index], 'completed', 'failed');
    expect([task.outcome, task.state, task.attempts], directives).toEqual([
      outcome,
      outcome === 'ok' ? 'completed' : 'failed',
      1,
    ]);
    expect(task.error ?? '', directives).toMatch(error);
    expect(processesOfTask(task.id), directives).toEqual([]);
  }
  const rows = await scene.untilRows(ENDS.length);
  for (const [index, [directives, , outcome]] of ENDS.entries()) {
    const row = rows.find((each) => each.task_id === ids[index]);
    const isOk = outcome === 'ok';
    expect([row?.event_type, row?.success, row?.task_status], directives).toEqual(
      isOk ? ['task_complete', 1, outcome] : ['task_failed', 0, outcome],
    );
  }
  const found = await samples();
  for (const [, , outcome] of ENDS) {
    const count = found.get(`swarm_agent_run_seconds_count{agent="cervella-fake",outcome="${outcome}"}`);
    expect(count, outcome).toBe(ENDS.filter(([, , each]) => each === outcome).length);
  }
  expect(found.get('swarm_budget_usd{period="day",kind="reserved"}')).toBe(0);
}, 120_000);

test('a task that fails is tried again with the error told to the agent, and each attempt is in the ledger', async () => {
  const scene = await makeScene();
  await scene.startOrchestrator();
  const record = join(scene.folder, 'record.jsonl');
  const id = await scene.enqueue(
    `Try. #fake outcome=crash fail-first=1 state=${scene.folder} cost=0.01 record=${record}`,
  );
  const task = await scene.until(id, 'completed', 'failed');
  expect(task).toMatchObject({ state: 'completed', attempts: 2 });
  const rows = await scene.untilRows(2);
  expect(rows.map((row) => [row.event_type, row.task_status, row.success])).toEqual([
    ['task_retry', 'crashed', 0],
    ['task_complete', 'ok', 1],
  ]);
  const runs = readFileSync(record, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { prompt: string });
  expect(runs).toHaveLength(2);
  expect(runs[1].prompt).toContain('An earlier attempt at this task ended as "crashed"');
});

const REFUSALS: readonly [what: string, spoil: (scene: SwarmScene) => void, error: RegExp][] = [
  ['is no git repository', ({ project }) => rmSync(join(project, '.git'), { recursive: true }), /git repository/],
  ['is not there', ({ project }) => rmSync(project, { recursive: true }), /no such folder/],
];

test.each(REFUSALS)('a project that %s is refused before an agent is started', async (_, spoil, error) => {
  const scene = await makeScene();
  spoil(scene);
  const { samples } = await scene.startOrchestrator();
  const id = await scene.enqueue('Do it.');
  const task = await scene.until(id, 'failed');
  expect(task).toMatchObject({ outcome: 'bad-request', attempts: 0, costUsd: 0 });
  expect(task.error).toMatch(error);
  expect([...(await samples()).keys()].filter((series) => series.startsWith('swarm_agent_run_seconds'))).toEqual([]);
});

test('a Redis that wants another password is told by /readyz, with the setting', async () => {
  const scene = await makeScene();
  await scene.redis.client.config('SET', 'requirepass', 'open-sesame');
  const { readiness } = await scene.startOrchestrator();
  await vi.waitFor(async () => {
    const { status, reason } = await readiness();
    expect([status, reason]).toEqual([503, expect.stringMatching(/NOAUTH.* Set REDIS_PASSWORD/)]);
  }, 15_000);
});

test('without an agent that can be started tasks wait, and /readyz says why; once there is one they are done', async () => {
  const scene = await makeScene();
  const lonely = await scene.startOrchestrator({ AGENT_COMMAND: join(scene.folder, 'no-such-agent') });
  const id = await scene.enqueue('Do it. #fake file=a.txt');
  const { status, reason } = await lonely.readiness();
  expect([status, reason]).toEqual([503, expect.stringContaining('no-such-agent')]);
  expect((await fetch(`${lonely.url}/healthz`)).status).toBe(200);
  await vi.waitFor(async () => {
    expect((await lonely.samples()).get('swarm_queue_paused{reason="no-agent"}')).toBe(1);
  }, 15_000);
  // The gate closes first, then the task is put back.
  await vi.waitFor(async () => expect(await scene.show(id)).toMatchObject({ state: 'waiting', attempts: 0 }), 15_000);
  await lonely.end();
  await scene.startOrchestrator();
  await scene.until(id, 'completed');
});
