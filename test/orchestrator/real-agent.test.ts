import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { findRealAgent, processesOfTask } from '../support/agent-runs.ts';
import { startModelApi } from '../support/fake-model-api.ts';
import { makeScene } from '../support/swarm-scene.ts';

const DEFINITION = `---
name: cervella-fake
description: An agent of these tests
---
You do what you are told.
`;

const tool = (name: string, input: object): string => `#api tool ${name} ${JSON.stringify(input)}\n`;

/** What the model answers, further options of `enqueue`, and what becomes of the task. The last leave a child behind. */
const ENDS: readonly [answers: string, options: readonly string[], outcome: string, error: RegExp][] = [
  ['#api ok all done', [], 'ok', /^$/],
  [tool('Bash', { command: 'git push', description: 'x' }), [], 'needs-attention', /Bash/],
  ['#api refuse 529 overloaded', [], 'overloaded', /overloaded/i],
  ['#api refuse 401 who are you', [], 'auth', /log|key/i],
  ['#api refuse 400 prompt is too long', [], 'bad-request', /long/i],
  [`${tool('Glob', { pattern: '*' }).repeat(3)}`, ['--budget-usd', '0.002'], 'budget', /budget/i],
  ['#api hang', ['--timeout', '4s'], 'timeout', /--timeout/],
  [
    // Killed from outside, as a machine short of memory does it, while a child in a session of its own goes on.
    tool('Bash', { command: 'npm test', description: 'x' }),
    [],
    'crashed',
    /SIGKILL/,
  ],
];

test('the real agent: every end has its outcome, its one row and its series, and leaves no process', async () => {
  const api = await startModelApi();
  const scene = await makeScene({
    AGENT_COMMAND: findRealAgent(),
    AGENT_AUTH: 'api-key',
    ANTHROPIC_API_KEY: 'sk-dummy',
    ANTHROPIC_BASE_URL: api.url,
    TASK_ATTEMPTS: '1',
  });
  const agents = join(scene.env.HOME, '.claude', 'agents');
  mkdirSync(agents, { recursive: true });
  writeFileSync(join(agents, 'cervella-fake.md'), DEFINITION);
  const parent = `parent() { sed -n 's/^PPid:[^0-9]*//p' "/proc/$1/status"; }`;
  const kill = `${parent}; setsid sleep 300 & sleep 0.2; shell=$(parent $PPID); kill -9 $(parent $shell) $shell; sleep 60`;
  writeFileSync(join(scene.project, 'package.json'), JSON.stringify({ scripts: { test: kill } }));
  scene.git('add', '.');
  scene.git('commit', '--quiet', '--message=A test that kills its agent');
  const { samples } = await scene.startOrchestrator();

  const ids: string[] = [];
  for (const [answers, options] of ENDS) {
    ids.push(await scene.enqueue(`Please.\n${answers}`, '--model', 'claude-sonnet-4-5', ...options));
  }
  for (const [index, [answers, , outcome, error]] of ENDS.entries()) {
    const task = await scene.until(ids[index], 'completed', 'failed');
    expect([task.outcome, task.attempts], answers).toEqual([outcome, 1]);
    expect(task.error ?? '', answers).toMatch(error);
    expect(processesOfTask(task.id), answers).toEqual([]);
  }
  const rows = await scene.untilRows(ENDS.length);
  for (const [index, [answers, , outcome]] of ENDS.entries()) {
    const row = rows.find((each) => each.task_id === ids[index]);
    expect([row?.task_status, row?.success], answers).toEqual([outcome, outcome === 'ok' ? 1 : 0]);
  }
  const [usage] = scene.rows(`SELECT * FROM task_usage WHERE task_id = '${ids[0]}'`);
  expect(usage).toMatchObject({ model: 'claude-sonnet-4-5', input_tokens: 1_000, output_tokens: 100 });
  expect(usage.cost_usd).toBeCloseTo(0.0045, 6);
  const found = await samples();
  for (const [, , outcome] of ENDS) {
    expect(found.get(`swarm_agent_run_seconds_count{agent="cervella-fake",outcome="${outcome}"}`), outcome).toBe(1);
  }
}, 120_000);

test('the real agent: a usage limit pauses the queue until it is lifted, and the task goes on in its session', async () => {
  const api = await startModelApi();
  const scene = await makeScene({
    AGENT_COMMAND: findRealAgent(),
    AGENT_AUTH: 'api-key',
    ANTHROPIC_API_KEY: 'sk-dummy',
    ANTHROPIC_BASE_URL: api.url,
  });
  mkdirSync(join(scene.env.HOME, '.claude', 'agents'), { recursive: true });
  writeFileSync(join(scene.env.HOME, '.claude', 'agents', 'cervella-fake.md'), DEFINITION);
  const { samples, untilPaused } = await scene.startOrchestrator();
  const resetsAtMs = Date.now() + 15_000;
  const prompt = `Please.\n#api limit ${Math.ceil(resetsAtMs / 1_000)}`;
  const id = await scene.enqueue(prompt, '--model', 'claude-sonnet-4-5');
  const waiting = await untilPaused('usage-limit');
  // With a key, unlike with a login, the command line keeps to itself when the limit ends: then it is half an hour.
  expect(waiting.get('swarm_agent_limit_resets_timestamp_seconds')).toBeGreaterThan(Date.now() / 1_000 + 1_700);
  // The gate closes first, then the task is put back.
  const before = await vi.waitFor(async () => {
    const shown = await scene.show(id);
    expect(shown).toMatchObject({ state: 'waiting', attempts: 1 });
    return shown;
  }, 15_000);
  // A person who knows better opens the queue.
  await sleep(Math.max(0, resetsAtMs + 1_000 - Date.now()));
  expect((await scene.swarm('queue', 'resume')).code).toBe(0);
  const task = await scene.until(id, 'completed', 'failed');
  expect(task).toMatchObject({ outcome: 'ok', attempts: 1, sessionId: before.sessionId });
  expect((await samples()).get('swarm_queue_paused{reason="usage-limit"}')).toBe(0);
  await scene.untilRows(1);
}, 120_000);
