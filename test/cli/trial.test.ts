import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { FAKE_AGENT, findRealAgent } from '../support/agent-runs.ts';
import { startSwarm, swarm } from '../support/command-line.ts';
import { startModelApi } from '../support/fake-model-api.ts';
import { tempDir } from '../support/memory-builder.ts';
import { makeProject, makeScene, type SwarmScene } from '../support/swarm-scene.ts';

const NO_AGENT = { AGENT_COMMAND: '/nowhere/agent' };

/** The fake agent, told on top of every prompt how to behave. */
function writeAgent({ folder }: SwarmScene, directives: string): Readonly<Record<string, string>> {
  const path = join(folder, 'agent.sh');
  const told = `{ cat; printf '\\n#fake ${directives}\\n'; } | '${FAKE_AGENT}' "$@"`;
  writeFileSync(path, `#!/bin/sh\ncase "$*" in *--version*) exit 0;; esac\n${told}\n`);
  chmodSync(path, 0o755);
  return { AGENT_COMMAND: path };
}

/** Writes the scene's projects.json: real ones by name, and the demo if it is wanted. */
function writeProjects({ folder, project }: SwarmScene, real: readonly string[], hasDemo: boolean): void {
  const projects = [
    ...real.map((name) => ({ name, path: name === 'acme' ? project : makeProject(join(folder, name)) })),
    ...(hasDemo ? [{ name: 'demo', path: makeProject(join(folder, 'demo')), isDemo: true }] : []),
  ];
  writeFileSync(join(folder, 'projects.json'), JSON.stringify({ projects }));
}

const run = (scene: SwarmScene, env: Readonly<Record<string, string>>, ...args: readonly string[]) =>
  swarm(['trial', ...args], { cwd: scene.folder, env: { ...scene.env, ...env } });

const tasksOnQueue = async (scene: SwarmScene): Promise<Record<string, unknown>[]> =>
  JSON.parse((await scene.swarm('queue', 'list', '--json')).stdout) as Record<string, unknown>[];

test('three small tasks are done within their shares of the cap, and reported in a table', async () => {
  const scene = await makeScene();
  await scene.startOrchestrator();
  const { code, stdout, stderr } = await scene.swarm('trial');
  expect(code, stderr).toBe(0);
  const masked = stdout.replace(/[\da-f]{8}-[\da-f-]{27}/g, 'ID').replace(/\d+\.\d s/g, '0.0 s');
  expect(masked).toBe(`Agent general-purpose was tried on project acme.
task   outcome  time   cost $  tokens  id
read   ok       0.0 s  0.0100  1100    ID
look   ok       0.0 s  0.0100  1100    ID
write  ok       0.0 s  0.0100  1100    ID

3 of 3 went well, for 0.03 of at most 0.30 USD.
`);
  expect(stderr).toMatch(/^\d\d:\d\d:\d\d read: on the queue as task [\da-f-]{36}$/m);
  expect(stderr).toMatch(/^\d\d:\d\d:\d\d read: requested: by cli, general-purpose in acme$/m);
  expect(stderr).toMatch(/^\d\d:\d\d:\d\d write: ended: ok$/m);
  const tasks = await tasksOnQueue(scene);
  expect(tasks).toHaveLength(3);
  for (const task of tasks) {
    expect(task).toMatchObject({ source: 'cli', project: 'acme', agent: 'general-purpose', outcome: 'ok' });
    expect(task.budgetUsd).toBeCloseTo(0.1, 9);
  }
});

test('the real command line knows the agent that is taken by default, and does all three', async () => {
  const { url } = await startModelApi();
  const key = { ANTHROPIC_API_KEY: 'sk-dummy', ANTHROPIC_BASE_URL: url };
  const scene = await makeScene({ AGENT_COMMAND: findRealAgent(), AGENT_AUTH: 'api-key', ...key });
  await scene.startOrchestrator();
  const { code, stdout, stderr } = await scene.swarm('trial', '--json');
  const report = JSON.parse(stdout || stderr) as { readonly isOk: boolean; readonly tasks: readonly object[] };
  expect([code, report.isOk], stdout + stderr).toEqual([0, true]);
  expect(report.tasks).toMatchObject(['read', 'look', 'write'].map((name) => ({ name, outcome: 'ok', tokens: 1_100 })));
});

test('what fails is told with its reason, its cost and where its work was left', async () => {
  const scene = await makeScene();
  const agent = writeAgent(scene, 'cost=0.2 file=a.txt');
  await scene.startOrchestrator(agent);
  const { code, stdout } = await run(scene, agent, '--json', '--agent', 'cervella-fake', '--budget-usd', '0.45');
  const report = JSON.parse(stdout) as { tasks: { id: string }[]; costUsd: number };
  expect([code, report]).toEqual([
    1,
    {
      ...{
        isReal: true,
        notReal: null,
        isOk: false,
        project: 'acme',
        agent: 'cervella-fake',
        capUsd: 0.45,
        notBegun: [],
      },
      costUsd: expect.closeTo(0.6, 9),
      tasks: ['read', 'look', 'write'].map((name) => ({
        ...{ name, id: expect.any(String), state: 'failed', outcome: 'budget', durationMs: expect.any(Number) },
        ...{ costUsd: 0.2, tokens: 1_100, branch: expect.stringMatching(/^swarm\//) },
        error: expect.stringContaining('Reached maximum budget'),
      })),
    },
  ]);
});

test('errors of agents reach the terminal without control characters', async () => {
  const scene = await makeScene();
  const agent = join(scene.folder, 'hostile.sh');
  writeFileSync(
    agent,
    `#!/bin/sh\ncase "$*" in *--version*) exit 0;; esac\nprintf '\\033[2J\\033]0;x\\007nope' >&2\nexit 1\n`,
  );
  chmodSync(agent, 0o755);
  await scene.startOrchestrator({ AGENT_COMMAND: agent });
  const { code, stdout, stderr } = await run(scene, { AGENT_COMMAND: agent });
  expect([code, stdout]).toEqual([1, expect.stringMatching(/^read {3}bad-request [\s\S]*^read: .*nope.*$/m)]);
  expect(stdout + stderr).not.toMatch(/[^\P{Cc}\n]/u);
});

describe('without an agent that can work', () => {
  test('there is nothing to try: exit code 3 says what to do, and nothing is put on the queue', async () => {
    const scene = await makeScene();
    const { code, stdout, stderr } = await run(scene, NO_AGENT);
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(
      /^Could not try a real agent: Could not start the agent program "\/nowhere\/agent": there is no such program\. Install Claude Code .* Then run swarm trial again\. .*npm start/,
    );
    expect(await tasksOnQueue(scene)).toEqual([]);
  });

  test('nobody settled who pays: likewise', async () => {
    const scene = await makeScene();
    const { code, stderr } = await run(scene, { ANTHROPIC_API_KEY: 'sk-secret' });
    expect([code, stderr]).toEqual([3, expect.stringContaining('Set AGENT_AUTH')]);
    expect(stderr).not.toContain('sk-secret');
  });

  test('nobody is logged in: it is found by the first task, and the others are spared', async () => {
    const scene = await makeScene();
    const agent = writeAgent(scene, 'outcome=auth');
    await scene.startOrchestrator(agent);
    const { code, stdout, stderr } = await run(scene, agent);
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/Could not try a real agent: Invalid API key · Please run \/login/);
    expect(await tasksOnQueue(scene)).toMatchObject([{ outcome: 'auth' }]);
  });

  test('nobody is logged in, and there is a demo: it takes the place of the real one', async () => {
    const scene = await makeScene();
    writeProjects(scene, ['acme'], true);
    const agent = writeAgent(scene, 'outcome=auth');
    await scene.startOrchestrator(agent);
    const { code, stdout } = await run(scene, agent, '--json');
    expect([code, JSON.parse(stdout)]).toMatchObject([
      0,
      {
        ...{ isReal: false, isOk: true, project: 'demo', agent: 'demo', costUsd: 0 },
        notReal: expect.stringContaining('Please run /login'),
      },
    ]);
    expect(await tasksOnQueue(scene)).toHaveLength(4);
  });

  test('the demo is done instead, and says in capitals that nothing real was tried', async () => {
    const scene = await makeScene();
    writeProjects(scene, ['acme'], true);
    await scene.startOrchestrator(NO_AGENT);
    const { code, stdout } = await run(scene, NO_AGENT);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(
        /^NOTHING REAL WAS TRIED: Could not start the agent program "\/nowhere\/agent".*\ntask [\s\S]*^write +ok [\s\S]*^3 of 3 went well, for 0\.00 of/m,
      ),
    ]);
    const tasks = await tasksOnQueue(scene);
    expect(tasks.map(({ agent, project }) => [agent, project])).toEqual([1, 2, 3].map(() => ['demo', 'demo']));
  });
});

test('beside `swarm up` without a single setting it finds the demo of `swarm up`', async () => {
  const cwd = tempDir();
  const up = startSwarm(['up'], { cwd, env: { EXPORTER_PORT: '0', ORCHESTRATOR_PORT: '0' } });
  await vi.waitFor(() => expect(up.output()).toContain('The swarm monitor is up'), 30_000);
  const { code, stdout, stderr } = await swarm(['trial'], { cwd });
  up.child.kill('SIGTERM');
  await up.ended;
  expect([code, stdout], stderr).toEqual([
    0,
    expect.stringMatching(/^NOTHING REAL WAS TRIED: the demo project has an agent of its own[\s\S]*3 of 3 went well/),
  ]);
});

test('the demo project alone is tried without an agent, and is nothing real either', async () => {
  const scene = await makeScene();
  writeProjects(scene, [], true);
  await scene.startOrchestrator(NO_AGENT);
  const { code, stdout } = await run(scene, NO_AGENT, '--json');
  expect([code, JSON.parse(stdout)]).toMatchObject([0, { isReal: false, isOk: true, project: 'demo' }]);
});

describe('of a task that is not over', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('%s leaves it where it is, and says so', async (signal) => {
    const scene = await makeScene();
    const trial = startSwarm(['trial'], { cwd: scene.folder, env: scene.env });
    await vi.waitFor(() => expect(trial.output()).toContain('read: no orchestrator is running: start one'), 20_000);
    trial.child.kill(signal);
    const { code, stdout, stderr } = await trial.ended;
    const [task] = await tasksOnQueue(scene);
    expect([code, task.state]).toEqual([1, 'waiting']);
    expect(stderr).toContain(`read: left as it is: swarm trace ${task.id}, or swarm queue cancel ${task.id}\n`);
    expect(stdout).toMatch(/^read {3}waiting .*\nlook {3}not begun\nwrite {2}not begun\n\n0 of 3 went well/m);
    expect(await tasksOnQueue(scene)).toHaveLength(1);
  });

  test('the end of the waiting does likewise', async () => {
    const scene = await makeScene();
    await scene.swarm('queue', 'pause', '--reason', 'Nobody works on Sunday.');
    const { code, stdout, stderr } = await scene.swarm('trial', '--timeout', '1s', '--json');
    expect([code, JSON.parse(stdout)]).toMatchObject([
      1,
      { isReal: true, isOk: false, notBegun: ['look', 'write'], tasks: [{ state: 'waiting', outcome: null }] },
    ]);
    expect(stderr).toContain('read: the queue is paused (user): Nobody works on Sunday.\n');
    expect(stderr).toContain('read: left as it is');
  });

  test('a Redis that goes away ends the trial with exit code 3', async () => {
    const scene = await makeScene();
    const trial = startSwarm(['trial'], { cwd: scene.folder, env: scene.env });
    await vi.waitFor(() => expect(trial.output()).toContain('read: requested'), 20_000);
    await scene.redis.kill();
    expect(await trial.ended).toMatchObject({ code: 3, stdout: '', stderr: expect.stringMatching(/Redis.*Start it/) });
  });
});

test.each([
  [['--budget-usd', '0'], /Could not accept the budget "0": expected an amount from 0\.01 to 100/],
  [['--budget-usd', '-1'], /Could not accept the budget "-1"/],
  [['--budget-usd', 'NaN'], /Could not accept the budget "NaN"/],
  [['--budget-usd', '1e9'], /Could not accept the budget "1e9"/],
  [['--budget-usd', ''], /Could not accept the budget ""/],
  [['--timeout', 'soon'], /Could not read the duration "soon"/],
  [['--project', 'x\u001b[2J'], /Could not find project "x \[2J" in projects\.json \(known: none\)/],
  [[], /Could not choose a project for the trial \(known: none\)\. Add one to projects\.json/],
])('wrong use ends with exit code 2: %j', async (args, message) => {
  const { code, stderr } = await swarm(['trial', ...args], { cwd: tempDir() });
  expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
});

test('of several projects one has to be named', async () => {
  const scene = await makeScene();
  writeProjects(scene, ['acme', 'other'], true);
  const { code, stderr } = await scene.swarm('trial');
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/\(known: acme, other, demo\)\. Name one with --project\./),
  ]);
  await scene.redis.kill();
  const named = await scene.swarm('trial', '--project', 'other');
  expect([named.code, named.stderr]).toEqual([3, expect.stringMatching(/^Could not reach Redis/)]);
});

test('help is there', async () => {
  const { code, stdout } = await swarm(['trial', '--help'], { cwd: tempDir() });
  expect([code, stdout]).toEqual([0, expect.stringContaining('Usage: swarm trial [options]')]);
});
