import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rulesOf } from '../../../lib/queue/refused-call.ts';
import { agentArguments } from '../../../orchestrator/runner/agent-arguments.ts';
import { agentEnvironment } from '../../../orchestrator/runner/agent-environment.ts';
import { namesOfDenied } from '../../../orchestrator/runner/events.ts';
import { readTaskLog } from '../../../orchestrator/runner/kept-logs.ts';
import { describeDenials } from '../../../orchestrator/runner/refused-calls.ts';
import type { RunRequest } from '../../../orchestrator/runner/run-agent.ts';
import type { RunEnd } from '../../../orchestrator/runner/run-end.ts';
import { findRealAgent, makeRunPlace, processesOf, type RunPlace, runIn } from '../../support/agent-runs.ts';
import { startModelApi } from '../../support/fake-model-api.ts';

/** The real command line, in a place of its own, with the imitation of the model's API. */
async function prepare(): Promise<{
  readonly place: RunPlace;
  readonly requests: readonly string[];
  readonly run: (prompt: string, given?: Given) => Promise<RunEnd>;
}> {
  const program = findRealAgent();
  const place = makeRunPlace();
  const { url, requests } = await startModelApi();
  const environment = {
    ...place.environment,
    ...agentEnvironment({
      environment: { ...place.environment, ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'sk-dummy' },
      auth: 'api-key',
    }),
  };
  return {
    place,
    requests,
    run: (prompt, { session = randomUUID(), isResumed = false, ...given } = {}) => {
      const args = agentArguments({ session: { id: session, isResumed }, model: 'claude-sonnet-4-5', ...given });
      return runIn(place, prompt, { program, environment, args, ...given });
    },
  };
}

type Given = Partial<Omit<RunRequest, 'timers'>> & {
  readonly timers?: Partial<RunRequest['timers']>;
  readonly session?: string;
  readonly isResumed?: boolean;
  readonly maxBudgetUsd?: number;
  readonly agent?: string;
  readonly grantedTools?: readonly string[];
};

const tool = (name: string, input: object): string => `#api tool ${name} ${JSON.stringify(input)}\n`;
const bash = (command: string): string => tool('Bash', { command, description: 'a test' });

/** One answer of the imitation: 1,000 tokens read and 100 written. */
const ONE_ANSWER = {
  model: 'claude-sonnet-4-5',
  tokens: { input: 1_000, output: 100, cacheRead: 0, cacheCreation: 0 },
  costUsd: expect.closeTo(0.0045, 6) as number,
};

test('a run that goes well', async () => {
  const { run, requests } = await prepare();
  const session = randomUUID();
  const end = await run('-p looks like an option\n#api ok all fine', { session });
  expect(end).toMatchObject({
    ...{ outcome: 'ok', sessionId: session, hasSession: true, resultText: 'all fine', turns: 1, denials: [] },
    ...{ costUsd: ONE_ANSWER.costUsd, usage: [ONE_ANSWER] },
  });
  expect(requests).toEqual(['ok all fine']);
});

test('an agent may write, commit and test in its worktree, and nothing beyond', async () => {
  const { run, place } = await prepare();
  for (const command of ['init -q', 'config user.name T', 'config user.email t@localhost']) {
    execFileSync('git', command.split(' '), { cwd: place.cwd, env: place.environment });
  }
  writeFileSync(join(place.cwd, 'package.json'), '{"scripts":{"test":"echo tested > tested.txt"}}');
  const allowed = [
    tool('Write', { file_path: join(place.cwd, 'src/a.txt'), content: 'one' }),
    tool('Edit', { file_path: join(place.cwd, 'src/a.txt'), old_string: 'one', new_string: 'two' }),
    bash('npm test'),
    bash('git add -A'),
    bash('git commit -q -m "$(cat <<\'EOF\'\nA message\n\nof several lines\nEOF\n)"'),
    bash('git log --oneline && git status'),
    bash('ls src'),
  ];
  const end = await run(allowed.join(''));
  expect(end).toMatchObject({ outcome: 'ok', denials: [] });
  const show = execFileSync('git', ['show', '--stat', '--format=%s'], { cwd: place.cwd, env: place.environment });
  expect(String(show)).toMatch(/^A message\n.*src\/a\.txt.*tested\.txt/s);
  expect(readFileSync(join(place.cwd, 'src/a.txt'), 'utf8')).toBe('two');
});

test('what it may not do is refused, and a person has to look at it', async () => {
  const { run, place } = await prepare();
  const { cwd, scratch, logs } = place;
  const forbidden: readonly (readonly [tool: string, input: Readonly<Record<string, string>>])[] = [
    ['Write', { file_path: join(scratch, 'made'), content: 'x' }],
    ['Write', { file_path: join(cwd, '..', 'made'), content: 'x' }],
    ['Write', { file_path: join(cwd, '.git/hooks/pre-commit'), content: 'x' }],
    ['Write', { file_path: join(cwd, '.claude/settings.json'), content: '{}' }],
    ['Bash', { command: 'git push' }],
    ['Bash', { command: `touch ${scratch}/made` }],
    ['Bash', { command: `git status; touch ${scratch}/made` }],
    ['Bash', { command: `git log > ${scratch}/made` }],
    ['Bash', { command: 'npm install x' }],
    ['WebFetch', { url: 'http://localhost', prompt: 'x' }],
  ];
  const end = await run(forbidden.map(([name, input]) => tool(name, input)).join(''), { taskId: 'denied' });
  expect(end.outcome).toBe('needs-attention');
  expect(namesOfDenied(end.denials)).toEqual(['Write', 'Bash', 'WebFetch']);
  const result = (await readTaskLog({ folder: logs, taskId: 'denied' })).find((line) =>
    line.includes('permission_denials'),
  );
  const { permission_denials: denials } = JSON.parse(result!) as { permission_denials: { tool_input: object }[] };
  expect(denials.map(({ tool_input }) => tool_input)).toEqual(forbidden.map(([, input]) => input));
  expect(existsSync(join(scratch, 'made'))).toBe(false);
});

test('what a task was granted is allowed to the letter, and nothing that is like it', async () => {
  const { run, place } = await prepare();
  const { cwd, scratch } = place;
  const fetchOf = (url: string): string => tool('WebFetch', { url, prompt: 'x' });
  const granted = [
    bash(`node -p "'a b'" 2>&1`),
    bash('node -p 1 > one.txt && node -p 2 > two.txt || node -p 3; node -p 4'),
    tool('Write', { file_path: join(scratch, 'note.txt'), content: 'x' }),
    fetchOf('https://docs.example.invalid/a'),
  ];
  const refused = [
    bash('node -p 5'),
    bash(`node -p "'a b'" 2>&1 extra`),
    bash(`node -p "'a b'" 2>&1 | sh`),
    bash(`FOO=1 node -p "'a b'" 2>&1`),
    bash(`node -p "'a b'" > ${scratch}/made`),
    tool('Write', { file_path: join(scratch, 'note.txt.bak'), content: 'x' }),
    tool('Write', { file_path: join(cwd, '.git/hooks/pre-commit'), content: 'x' }),
    fetchOf('https://other.docs.example.invalid/a'),
  ];
  const denials = [...granted, ...refused].length;
  const first = await run([...granted, ...refused].join(''));
  expect(first.denials).toHaveLength(denials);
  const grantedTools = rulesOf(describeDenials(first.denials));
  expect(grantedTools).toHaveLength(granted.length);
  const second = await run([...granted, ...refused].join(''), { grantedTools });
  expect(second.denials.map(({ input }) => input)).toEqual(
    first.denials.slice(granted.length).map(({ input }) => input),
  );
  expect(['one.txt', 'two.txt'].map((name) => readFileSync(join(cwd, name), 'utf8'))).toEqual(['1\n', '2\n']);
  expect(['note.txt', 'made', 'note.txt.bak'].map((name) => existsSync(join(scratch, name)))).toEqual([
    true,
    false,
    false,
  ]);
});

test.each<[directive: string, expected: Partial<RunEnd>]>([
  ['refuse 429 too many', { outcome: 'rate-limited', retriesOverloaded: 2, costUsd: 0, usage: [] }],
  ['refuse 529 overloaded', { outcome: 'overloaded', retriesOverloaded: 2 }],
  ['refuse 500 oh no', { outcome: 'overloaded', retriesOverloaded: 0 }],
  ['refuse 401 who are you', { outcome: 'auth' }],
  ['refuse 400 Your credit balance is too low to access the Anthropic API.', { outcome: 'auth' }],
  ['refuse 400 prompt is too long: 300000 tokens > 200000 maximum', { outcome: 'bad-request' }],
])('%s', async (directive, expected) => {
  const { run, requests } = await prepare();
  expect(await run(`#api ${directive}`)).toMatchObject({ ...expected, hasSession: true });
  expect(new Set(requests)).toEqual(new Set([directive]));
});

test("a subscription's limit tells when it ends", async () => {
  const { run, place } = await prepare();
  const resetsAtMs = (Math.floor(Date.now() / 60_000) + 90) * 60_000;
  const { url } = await startModelApi();
  // Without a key, and with a token, it takes itself for logged in.
  const environment = { ...place.environment, ANTHROPIC_BASE_URL: url, CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-dummy' };
  const end = await run(`#api limit ${resetsAtMs / 1_000}`, { environment });
  expect(end).toMatchObject({ outcome: 'rate-limited', resetsAtMs });
});

test('a provider that cannot be reached is as good as overloaded', async () => {
  const { run, place } = await prepare();
  const environment = {
    ...place.environment,
    ...{ ANTHROPIC_BASE_URL: 'http://127.0.0.1:9', ANTHROPIC_API_KEY: 'sk-dummy', CLAUDE_CODE_MAX_RETRIES: '0' },
  };
  expect(await run('do it', { environment })).toMatchObject({ outcome: 'overloaded' });
});

test('a budget is that of a run, also where the session has cost more before', async () => {
  const { run } = await prepare();
  const session = randomUUID();
  const first = await run('#api ok', { session, maxBudgetUsd: 0.006 });
  const given = { session, isResumed: true, maxBudgetUsd: 0.006 };
  const second = await run('#api ok', { ...given, sessionBefore: first.sessionTotals });
  expect(second).toMatchObject({ outcome: 'ok', costUsd: ONE_ANSWER.costUsd });
  const third = await run(`#api tool output=20000 Bash {"command":"ls"}`, {
    ...given,
    sessionBefore: second.sessionTotals,
  });
  expect(third).toMatchObject({ outcome: 'budget' });
  expect(third.costUsd).toBeGreaterThan(0.3);
});

test('an unknown agent is a bad request', async () => {
  const { run } = await prepare();
  const end = await run('#api ok', { agent: 'nobody' });
  expect(end).toMatchObject({ outcome: 'bad-request', hasSession: false, isUnknownSession: false });
  expect(end.error).toMatch(/'nobody' not found/);
});

test('a session that does not exist is told from other mistakes', async () => {
  const { run } = await prepare();
  expect(await run('#api ok', { isResumed: true })).toMatchObject({
    ...{ outcome: 'bad-request', isUnknownSession: true, hasSession: false },
  });
});

test.each<NodeJS.Signals>(['SIGTERM', 'SIGKILL'])(
  'after %s there is no result, but a session that goes on, or is said not to exist',
  async (signal) => {
    const { run, requests } = await prepare();
    const session = randomUUID();
    let pid = 0;
    const killed = run(`${bash('ls')}#api hang`, {
      session,
      onStart: (id) => {
        pid = id;
      },
    });
    await expect.poll(() => requests.at(-1), { timeout: 20_000 }).toBe('hang');
    process.kill(pid, signal);
    const end = await killed;
    expect(end).toMatchObject({ outcome: 'crashed', hasSession: true, sessionId: session });
    expect(end).not.toHaveProperty('costUsd');
    // As far as its messages showed: what it wrote is estimated.
    expect(end.usage).toMatchObject([{ model: 'claude-sonnet-4-5', tokens: { input: 1_000 } }]);
    const resumed = await run('#api ok', { session, isResumed: true });
    // On a busy machine SIGKILL can come before the session is in its file; then that is said, and the task begins anew.
    if (signal === 'SIGKILL' && resumed.isUnknownSession) return;
    expect(resumed).toMatchObject({ outcome: 'ok', sessionId: session, turns: 1 });
  },
);

test('killed the moment it has begun, its session goes on, or is said not to exist', async () => {
  const { run } = await prepare();
  const session = randomUUID();
  let pid = 0;
  const end = await run('#api hang', {
    session,
    onStart: (id) => {
      pid = id;
    },
    onSession: () => process.kill(pid, 'SIGKILL'),
  });
  expect(end).toMatchObject({ outcome: 'crashed', hasSession: true });
  const { outcome, isUnknownSession } = await run('#api ok', { session, isResumed: true });
  expect([outcome, isUnknownSession]).toEqual(isUnknownSession ? ['bad-request', true] : ['ok', false]);
});

test('a model that does not answer leaves an agent stuck', async () => {
  const { run } = await prepare();
  const timers = { idleMs: 2_000 };
  expect(await run('#api hang', { timers })).toMatchObject({ outcome: 'stuck', hasSession: true });
  expect(await run('#api hang-midway', { timers })).toMatchObject({ outcome: 'stuck', hasSession: true });
});

test.each(['is killed', 'is stopped'])('what its Bash tool has started is ended when it %s', async (how) => {
  const { run, place } = await prepare();
  writeFileSync(join(place.cwd, 'package.json'), '{"scripts":{"test":"touch began; exec tail -f /dev/null"}}');
  const runId = `real-with-child-${how.length}-${process.pid}`;
  const stop = new AbortController();
  let pid = 0;
  const ended = run(bash('npm test'), {
    ...{ runId, signal: stop.signal },
    onStart: (id) => {
      pid = id;
    },
  });
  await expect.poll(() => existsSync(join(place.cwd, 'began')), { timeout: 25_000 }).toBe(true);
  expect(processesOf(runId).length).toBeGreaterThan(1);
  if (how === 'is killed') process.kill(pid, 'SIGKILL');
  else stop.abort('cancel');
  expect(await ended).toMatchObject({ outcome: how === 'is killed' ? 'crashed' : 'cancelled', hasSession: true });
  expect(processesOf(runId)).toEqual([]);
});

test('what its Bash tool leaves in the background is ended when it is done', async () => {
  const { run, place } = await prepare();
  writeFileSync(
    join(place.cwd, 'package.json'),
    '{"scripts":{"test":"setsid tail -f /dev/null > /dev/null 2>&1 & touch began"}}',
  );
  const runId = `real-with-background-${process.pid}`;
  expect(await run(bash('npm test'), { runId })).toMatchObject({ outcome: 'ok' });
  expect(readdirSync(place.cwd)).toContain('began');
  expect(processesOf(runId)).toEqual([]);
});
