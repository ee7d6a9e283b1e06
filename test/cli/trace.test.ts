import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type CommandResult, swarm } from '../support/command-line.ts';
import { makeMemory, taskRow, tempDir, usageRow } from '../support/memory-builder.ts';
import { makeScene, type SwarmScene } from '../support/swarm-scene.ts';

const ANSI = '\u001b[2J\u001b]0;title\u0007\u009b31m\u202egnp.exe\r\n';
/** What would move the cursor, hide or reverse text. */
const CONTROL = /[^\P{Cc}\n]|\p{Cf}/u;

interface TraceJson {
  readonly id: string;
  readonly task: Readonly<Record<string, unknown>>;
  readonly events: readonly { at: string | null; source: string; event: string; detail: string | null }[];
  readonly missing: readonly { source: string; reason: string }[];
}

async function traceJson(scene: Pick<SwarmScene, 'swarm'>, id: string): Promise<TraceJson> {
  const { stdout, stderr, code } = await scene.swarm('trace', id, '--json');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as TraceJson;
}

/** What differs from run to run; columns stay aligned. */
function mask(text: string, scene: SwarmScene): string {
  return text
    .replaceAll(scene.folder, 'FOLDER')
    .replace(/[\da-f]{8}-[\da-f-]{27}/g, 'ID')
    .replace(/^\d{4}-\d\d-\d\d$/gm, 'DAY')
    .replace(/^\d\d:\d\d:\d\d/gm, 'HH:MM:SS')
    .replace(/\d+\.\d s\b/g, 'N s')
    .replace(/in \d+ s/g, 'in N s')
    .replace(/process \d+/g, 'process N');
}

/** A memory, and no Redis. */
function memoryScene() {
  const cwd = tempDir();
  const memory = makeMemory({ hasUsage: true });
  const env = { SWARM_DB_PATH: memory.path, REDIS_URL: 'redis://127.0.0.1:1', SWARM_TIMEZONE: 'Europe/Rome' };
  return { cwd, memory, swarm: (...args: string[]): Promise<CommandResult> => swarm(args, { cwd, env }) };
}

test('a task is told from its request to its record, its prompt and times made fit for people', async () => {
  const scene = await makeScene();
  await scene.startOrchestrator();
  const prompt = `Add a line\n#fake outcome=crash fail-first=1 state=${join(scene.folder, 'runs')} file=a.txt\n${ANSI}`;
  const id = await scene.enqueue(prompt);
  await scene.until(id, 'completed');
  await scene.untilRows(2);
  const { code, stdout } = await scene.swarm('trace', id);
  expect(code).toBe(0);
  expect(stdout).not.toMatch(CONTROL);
  expect(mask(stdout, scene)).toBe(`id        ID
state     completed
agent     cervella-fake
project   acme
attempts  2
outcome   ok
costUsd   0.01
branch    swarm/ID
prompt    Add a line #fake outcome=crash fail-first=1 state=FOLDER/runs file=a.txt [2J ]0;title 31m gnp.exe

DAY
HH:MM:SS  queue   requested: by cli, cervella-fake in acme
HH:MM:SS  queue   agent: cervella-fake starts, attempt 1
HH:MM:SS  agent   run started: process N
HH:MM:SS  agent   session: ID, model claude-fake-1
HH:MM:SS  agent   run ended: crashed: It ended with exit code 3 without a result.
HH:MM:SS  memory  usage: attempt 1, unknown: 0 tokens in, 0 out, 0 cached, 0.0000 USD
HH:MM:SS  queue   agent ended: crashed, N s, 0.0000 USD
HH:MM:SS  memory  task_retry: cervella-fake in acme, crashed, N s, It ended with exit code 3 without a result.
HH:MM:SS  queue   retry: in N s, after crashed
HH:MM:SS  queue   agent: cervella-fake starts, attempt 2
HH:MM:SS  agent   run started: process N
HH:MM:SS  agent   session: ID, model claude-fake-1
HH:MM:SS  agent   result: success, 1 turn, 0.0100 USD for the session; I have done it.
HH:MM:SS  agent   run ended: ok
HH:MM:SS  memory  usage: attempt 2, claude-fake-1: 1000 tokens in, 100 out, 0 cached, 0.0100 USD
HH:MM:SS  queue   agent ended: ok, N s, 0.0100 USD
HH:MM:SS  memory  task_complete: cervella-fake in acme, ok, N s
HH:MM:SS  queue   ended: ok
HH:MM:SS  queue   recorded: ok
`);
  const trace = await traceJson(scene, id);
  expect(trace).toMatchObject({ id, missing: [], task: { id, state: 'completed', outcome: 'ok', prompt } });
  const times = trace.events.map(({ at }) => at);
  expect(times).toEqual(times.toSorted());
  expect(times.every((at) => at === new Date(String(at)).toISOString())).toBe(true);
  expect(trace.events.map(({ source, event }) => `${source} ${event}`)).toEqual(
    [...stdout.matchAll(/^[\d:]{8} {2}(\w+) +([^:]+)/gm)].map(([, source, event]) => `${source} ${event}`),
  );
});

test('what an agent writes instead of working reaches no terminal as it is', async () => {
  const scene = await makeScene();
  const agent = join(scene.folder, 'hostile-agent');
  writeFileSync(agent, `#!/bin/sh\ncase "$*" in *--version*) exit 0;; esac\nprintf '%s' '${ANSI}' >&2\nexit 1\n`);
  chmodSync(agent, 0o755);
  await scene.startOrchestrator({ AGENT_COMMAND: agent });
  const id = await scene.enqueue('Do it');
  await scene.until(id, 'failed');
  await scene.untilRows(1);
  const { stdout } = await scene.swarm('trace', id);
  expect(stdout).toMatch(/^\S+ {2}memory {2}task_failed: .*bad-request.*gnp\.exe/m);
  expect(stdout).toMatch(/^\S+ {2}agent {3}run ended: bad-request: .*gnp\.exe/m);
  expect(stdout).not.toMatch(CONTROL);
});

test('a task nobody has begun shows its request, and says what is not there yet', async () => {
  const scene = await makeScene();
  const id = await scene.enqueue('Wait');
  const { events, missing, task } = await traceJson(scene, id);
  expect(events.map(({ event }) => event)).toEqual(['requested']);
  expect(missing).toEqual([
    { source: 'agent', reason: `no log of it in ${join(scene.folder, 'work', 'logs')}` },
    { source: 'memory', reason: 'no row of it in the memory' },
  ]);
  expect(task).toMatchObject({ state: 'waiting', outcome: null });
});

/** Which sources a trace for people tells of, and what it says of the others. */
function sourcesOf({ code, stdout, stderr }: CommandResult): {
  readonly told: string;
  readonly untold: readonly string[];
} {
  expect([code, stderr]).toEqual([0, '']);
  const told = [...stdout.matchAll(/^\d\d:\d\d:\d\d {2}(\w+)/gm)].map(([, source]) => source);
  const untold = [...stdout.matchAll(/^–\s+(\w+ .*)/gm)].map(([, line]) => line.replace(/ +/g, ' '));
  return { told: ['agent', 'memory', 'queue'].filter((source) => told.includes(source)).join(' '), untold };
}

test('each source that is missing is said in one line, and hides no other', async () => {
  const scene = await makeScene();
  const orchestrator = await scene.startOrchestrator();
  const id = await scene.enqueue('Do it');
  await scene.until(id, 'completed');
  await scene.untilRows(1);
  await orchestrator.end();
  expect(sourcesOf(await scene.swarm('trace', id))).toEqual({ told: 'agent memory queue', untold: [] });
  await scene.redis.kill();
  expect(sourcesOf(await scene.swarm('trace', id))).toEqual({
    told: 'agent memory',
    untold: [
      expect.stringMatching(/^queue Could not reach Redis at redis:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED.*npm start/),
    ],
  });
  await scene.redis.start();
  writeFileSync(scene.memoryPath, 'no database');
  expect(sourcesOf(await scene.swarm('trace', id))).toEqual({
    told: 'agent queue',
    untold: [expect.stringMatching(/^memory Could not read the swarm memory .*: it is not an SQLite database\. Check/)],
  });
  rmSync(scene.memoryPath);
  rmSync(join(scene.folder, 'work', 'logs'), { recursive: true });
  expect(sourcesOf(await scene.swarm('trace', id))).toEqual({
    told: 'queue',
    untold: [
      `agent no log of it in ${join(scene.folder, 'work', 'logs')}`,
      expect.stringMatching(/^memory Could not find the swarm memory .*Check SWARM_DB_PATH/),
    ],
  });
});

test('of what nobody knows it says so, with exit code 1; 3 while Redis, which might know it, is away', async () => {
  const scene = await makeScene();
  const nobody = await scene.swarm('trace', `nobody${ANSI}`);
  expect(nobody).toEqual({
    code: 1,
    stdout: '',
    stderr: `Could not trace "nobody [2J ]0;title 31m gnp.exe": not on the queue, or not any more; no log of it in ${join(scene.folder, 'work', 'logs')}; no row of it in the memory. See \`swarm queue list\` for ids of tasks.\n`,
  });
  rmSync(scene.memoryPath);
  const { code, stderr } = await scene.swarm('trace', 'nobody', '--json');
  expect([code, stderr]).toEqual([1, expect.stringContaining('Could not find the swarm memory')]);
  await scene.redis.kill();
  expect(await scene.swarm('trace', 'nobody')).toEqual({
    code: 3,
    stdout: '',
    stderr: expect.stringMatching(/^Could not reach Redis .*Start it/),
  });
  expect((await scene.swarm('trace', ' ')).code).toBe(2);
});

test('an id that is none finds nothing and breaks nothing', async () => {
  const scene = await makeScene();
  await scene.enqueue('So that there is a queue');
  for (const id of ['wait', 'meta', '../../etc/passwd', 'x'.repeat(5_000), "' OR 1=1 --"]) {
    const { code, stderr } = await scene.swarm('trace', '--', id);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^Could not trace "/)]);
    expect(stderr.length).toBeLessThan(500);
  }
});

describe('an id that only the memory knows', () => {
  const AT = Date.UTC(2026, 5, 15, 22, 30, 5);

  test('the id of any ending row shows that row, with the day where the people are', async () => {
    const { memory, swarm: run } = memoryScene();
    const error = `it broke${ANSI}`;
    memory.events(
      taskRow(AT, { id: 'row-1', success: 0, duration_ms: 61_500, error_message: error, task_description: 'Mend it' }),
      taskRow(AT, { id: 'row-2' }),
    );
    const { stdout, code } = await run('trace', 'row-1');
    expect(code).toBe(0);
    expect(stdout).not.toMatch(CONTROL);
    expect(stdout.replace(/Could not reach.*/, 'REASON').replace(/in \/.*logs/, 'in FOLDER')).toBe(`id       row-1
state    failed
agent    cervella-backend
project  demo
error    it broke [2J ]0;title 31m gnp.exe
prompt   Mend it

2026-06-16
00:30:05  memory  task_complete: cervella-backend in demo, completed, 61.5 s, it broke [2J ]0;title 31m gnp.exe
–         queue   REASON
–         agent   no log of it in FOLDER
`);
  });

  test('a task that was done long ago shows its rows, its costs, its fixes and what followed it', async () => {
    const { memory, swarm: run } = memoryScene();
    const notes = JSON.stringify({ attempts: 2, model: 'm', costUsd: 0.75, outcome: 'ok', branch: 'swarm/t-1' });
    memory.events(
      taskRow(AT, { task_id: 't-1', event_type: 'task_retry', success: 0, task_status: 'crashed' }),
      taskRow(AT + 60_000, { id: 'end-1', task_id: 't-1', task_status: 'ok', notes }),
      taskRow(AT + 120_000, { task_id: 't-2', parent_task_id: 't-1', task_status: 'ok' }),
      taskRow(AT, { task_id: 't-11' }),
    );
    memory.events(
      ...['t-1', 'end-1'].map((target, index) => ({
        ...{ id: `fix-${index}`, timestamp: new Date(AT + 180_000 + index).toISOString(), event_type: 'fix' },
        ...{ parent_task_id: target, notes: JSON.stringify({ fixes: target, note: `wrong ${index}` }) },
      })),
    );
    memory.insert('task_usage', usageRow(AT, 't-1'), usageRow(AT + 60_000, 't-1', { attempt: 2, cost_usd: 0.25 }));
    const { events, task } = await traceJson({ swarm: run }, 't-1');
    expect(events.map(({ event, detail }) => `${event}: ${detail}`)).toEqual([
      'usage: attempt 1, claude-sonnet-4-5: 10 tokens in, 20 out, 370 cached, 0.5000 USD',
      'task_retry: cervella-backend in demo, crashed',
      'usage: attempt 2, claude-sonnet-4-5: 10 tokens in, 20 out, 370 cached, 0.2500 USD',
      'task_complete: cervella-backend in demo, ok',
      'task_complete: task t-2, cervella-backend in demo, ok',
      'fix: wrong 0',
      'fix: wrong 1',
    ]);
    expect(task).toMatchObject({ state: 'completed', outcome: 'ok', attempts: 2, costUsd: 0.75, branch: 'swarm/t-1' });
  });
});

test('a log of somebody else in the place of the agent is told as far as it can be, and nothing of it is run', async () => {
  const scene = await makeScene();
  const id = await scene.enqueue('Wait');
  const logs = join(scene.folder, 'work', 'logs');
  mkdirSync(logs, { recursive: true });
  const at = '2026-11-23T08:00:00.000Z';
  const lines = [
    'no JSON',
    '{"type":"swarm","at":"yesterday","event":"run started","pid":"$(reboot)"}',
    JSON.stringify({ type: 'swarm', at, event: 'run ended', outcome: { is: 'no text' }, error: ANSI.repeat(1_000) }),
    JSON.stringify({ type: 'assistant', message: { content: [null, 7, { type: 'tool_use', name: `Bash${ANSI}` }] } }),
    JSON.stringify({ type: 'assistant', message: { content: 'text' } }),
    JSON.stringify({ type: 'result' }),
    '{"type":"user","message":',
    'null',
  ];
  writeFileSync(join(logs, `${id}.jsonl`), `${lines.join('\n')}\n`);
  const { stdout, code } = await scene.swarm('trace', id);
  expect(code).toBe(0);
  expect(stdout).not.toMatch(CONTROL);
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThan(350);
  expect(stdout).toMatch(/agent {3}tool: Bash \[2J \]0;title 31m gnp\.exe$/m);
});

test('help is there', async () => {
  const { code, stdout } = await swarm(['trace', '--help'], { cwd: tempDir() });
  expect([code, stdout]).toEqual([0, expect.stringContaining('Usage: swarm trace [options] <id>')]);
});
