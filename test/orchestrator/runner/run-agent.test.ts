import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readTaskLog } from '../../../orchestrator/runner/kept-logs.ts';
import type { RunEnd } from '../../../orchestrator/runner/run-end.ts';
import {
  endWithTest,
  fakeArguments,
  isAlive,
  makeRunPlace,
  processesOf,
  type RunPlace,
  runIn,
  writeProgram,
} from '../../support/agent-runs.ts';

const SHORT = 300;
/** A test that waits for this runs into its own time limit. */
const FOREVER = 600_000;

test('a run that goes well tells what it did and what it took', async () => {
  const place = makeRunPlace();
  const sessions: string[] = [];
  const pids: number[] = [];
  const end = await runIn(place, 'do it #fake cost=0.02 input=70 output=5', {
    args: fakeArguments('s-1'),
    onStart: (pid) => pids.push(pid),
    onSession: (id) => sessions.push(id),
  });
  const usage = [
    { model: 'claude-fake-1', tokens: { input: 70, output: 5, cacheRead: 0, cacheCreation: 0 }, costUsd: 0.02 },
  ];
  expect(end).toEqual({
    ...{ outcome: 'ok', isInterrupted: false, isUnknownSession: false, hasSession: true, sessionId: 's-1' },
    ...{ costUsd: 0.02, usage, sessionTotals: { totalCostUsd: 0.02, usage }, turns: 1, denials: [] },
    ...{ durationMs: expect.any(Number), resultText: 'I have done it.', retriesOverloaded: 0 },
  });
  expect(sessions).toEqual(['s-1']);
  expect(pids).toHaveLength(1);
  expect(isAlive(pids[0])).toBe(false);
});

test.each<[directives: string, expected: Partial<RunEnd>, error?: RegExp]>([
  ['outcome=ok', { outcome: 'ok', costUsd: 0.01 }],
  ['outcome=garbage', { outcome: 'ok' }],
  [
    'outcome=denied denied=WebFetch',
    { outcome: 'needs-attention', denials: [{ tool: 'WebFetch', input: undefined }] },
    /WebFetch/,
  ],
  ['outcome=budget cost=0.55', { outcome: 'budget', costUsd: 0.55 }, /maximum budget/],
  ['outcome=max-turns', { outcome: 'max-turns' }, /split/],
  ['outcome=overloaded', { outcome: 'overloaded', retriesOverloaded: 2, costUsd: 0, usage: [] }, /529/],
  ['outcome=auth', { outcome: 'auth' }, /Log in/],
  ['outcome=credit', { outcome: 'auth' }, /no credit/],
  ['outcome=unreachable', { outcome: 'overloaded' }, /ConnectionRefused/],
  ['outcome=too-long', { outcome: 'bad-request' }, /too long/],
  ['outcome=error', { outcome: 'crashed' }, /nobody has heard of/],
  ['outcome=crash exit=3', { outcome: 'crashed', hasSession: true }, /exit code 3/],
  ['outcome=kill', { outcome: 'crashed', hasSession: true }, /SIGKILL/],
])('%s', async (directives, expected, error) => {
  const end = await runIn(makeRunPlace(), `do it\n#fake ${directives}\nthen stop`);
  expect(end).toMatchObject(expected);
  if (error) expect(end.error).toMatch(error);
  else expect(end.error).toBeUndefined();
});

test('a limit tells when it ends', async () => {
  const before = Math.floor(Date.now() / 1_000);
  const { outcome, resetsAtMs } = await runIn(makeRunPlace(), '#fake outcome=rate-limited reset-in=7200');
  expect(outcome).toBe('rate-limited');
  expect(resetsAtMs! / 1_000 - before).toBeGreaterThanOrEqual(7_200);
  expect(resetsAtMs! / 1_000 - before).toBeLessThan(7_300);
});

test('an unknown agent and an empty prompt are bad requests', async () => {
  const place = makeRunPlace();
  const unknown = await runIn(place, 'do it', { args: [...fakeArguments('a'), '--agent', 'nobody'] });
  expect(unknown).toMatchObject({ outcome: 'bad-request', hasSession: false, turns: 0, usage: [] });
  expect(unknown.error).toMatch(/'nobody' not found\. Available agents: claude, Explore\./);
  expect(await runIn(place, '')).toMatchObject({ outcome: 'bad-request', hasSession: false });
});

test.each(['session', 'run'])(
  'a session goes on, and each run is told alone where costs are those of the %s',
  async (totals) => {
    const place = makeRunPlace();
    const prompt = (cost: number, input: number): string => `#fake cost=${cost} input=${input} totals=${totals}`;
    const first = await runIn(place, prompt(0.25, 1_000), { args: fakeArguments('s') });
    const second = await runIn(place, prompt(0.5, 4_000), {
      args: fakeArguments('s', true),
      sessionBefore: first.sessionTotals,
    });
    const third = await runIn(place, prompt(0.125, 500), {
      args: fakeArguments('s', true),
      sessionBefore: second.sessionTotals,
    });
    expect([first, second, third].map(({ costUsd }) => costUsd)).toEqual([0.25, 0.5, 0.125]);
    expect([first, second, third].map(({ usage }) => usage[0].tokens.input)).toEqual([1_000, 4_000, 500]);
    expect(third.sessionTotals?.totalCostUsd).toBe(totals === 'session' ? 0.875 : 0.125);
  },
);

test('a session that does not exist is told from other mistakes, and one that exists can be resumed', async () => {
  const place = makeRunPlace();
  const resumed = await runIn(place, 'go on', { args: fakeArguments('s', true) });
  expect(resumed).toMatchObject({ outcome: 'bad-request', isUnknownSession: true, hasSession: false });
  await runIn(place, '#fake outcome=kill', { args: fakeArguments('s') });
  const again = await runIn(place, 'do it', { args: fakeArguments('s') });
  expect(again).toMatchObject({ outcome: 'bad-request', isUnknownSession: false, hasSession: true });
  expect(await runIn(place, 'go on', { args: fakeArguments('s', true) })).toMatchObject({ outcome: 'ok' });
});

test('a run that is killed before its result tells what its messages showed', async () => {
  const end = await runIn(makeRunPlace(), '#fake outcome=no-exit ignore-term input=70', {
    timers: { exitMs: SHORT, killMs: SHORT },
  });
  expect(end).toMatchObject({ outcome: 'ok', turns: 1 });
  const hung = await runIn(makeRunPlace(), '#fake outcome=hang', { timers: { idleMs: SHORT } });
  expect(hung).toMatchObject({ outcome: 'stuck', turns: 0, usage: [] });
  expect(hung).not.toHaveProperty('costUsd');
  expect(hung).not.toHaveProperty('sessionTotals');
});

test.each<[directives: string, timers: object, expected: Partial<RunEnd>]>([
  ['outcome=silent', { startMs: SHORT }, { outcome: 'stuck', hasSession: false }],
  ['outcome=hang', { idleMs: SHORT }, { outcome: 'stuck', hasSession: true }],
  ['outcome=hang', { wallMs: 1_000 }, { outcome: 'timeout', hasSession: true }],
  ['outcome=hang ignore-term', { idleMs: SHORT, killMs: SHORT }, { outcome: 'stuck' }],
  ['outcome=silent ignore-term', { wallMs: 1_000, killMs: SHORT }, { outcome: 'timeout' }],
  ['outcome=no-exit', { exitMs: SHORT, idleMs: FOREVER, wallMs: FOREVER }, { outcome: 'ok' }],
  ['outcome=no-exit ignore-term', { exitMs: SHORT, killMs: SHORT }, { outcome: 'ok' }],
])('%s with the timers %j', async (directives, timers, expected) => {
  const pids: number[] = [];
  const end = await runIn(makeRunPlace(), `#fake ${directives}`, { timers, onStart: (pid) => pids.push(pid) });
  expect(end).toMatchObject(expected);
  expect(pids.map(isAlive)).toEqual([false]);
});

test('each sign of life gives it time again, and its last word may lack a line break', async () => {
  const place = makeRunPlace();
  const program = writeProgram(
    place,
    `cat > /dev/null\necho '{"type":"system","subtype":"init","session_id":"s"}'\nfor each in 1 2 3 4 5 6 7 8 9 10 11; do sleep 0.3; echo '{"type":"user"}'; done\nprintf '{"type":"result","subtype":"success","is_error":false}'`,
  );
  const end = await runIn(place, 'do it', { program, args: [], timers: { startMs: 3_000, idleMs: 3_000 } });
  expect(end).toMatchObject({ outcome: 'ok', sessionId: 's' });
});

test.each<[reason: string, expected: Partial<RunEnd>]>([
  ['cancel', { outcome: 'cancelled', isInterrupted: false }],
  ['shutdown', { outcome: 'crashed', isInterrupted: true, hasSession: true }],
  ['shutdown-now', { outcome: 'crashed', isInterrupted: true }],
  ['some other reason', { outcome: 'cancelled' }],
])('told to stop for the reason "%s"', async (reason, expected) => {
  const stop = new AbortController();
  const end = await runIn(makeRunPlace(), '#fake outcome=hang', {
    signal: stop.signal,
    onSession: () => stop.abort(reason),
  });
  expect(end).toMatchObject(expected);
});

test('told to stop while it is being started, it is stopped', async () => {
  const stop = new AbortController();
  const timers = { startMs: FOREVER, idleMs: FOREVER, wallMs: FOREVER };
  const run = runIn(makeRunPlace(), '#fake outcome=hang', { timers, signal: stop.signal });
  stop.abort('cancel');
  expect(await run).toMatchObject({ outcome: 'cancelled' });
});

test('what first made it stop is the reason', async () => {
  const stop = new AbortController();
  const place = makeRunPlace();
  const end = await runIn(place, '#fake outcome=hang ignore-term', {
    ...{ timers: { idleMs: 200, killMs: 3_000 }, signal: stop.signal },
    onSession: () => void setTimeout(() => stop.abort('cancel'), 1_500),
  });
  expect(stop.signal.aborted).toBe(true);
  expect(end).toMatchObject({ outcome: 'stuck' });
});

test('a shutdown in a hurry does not wait for an agent that ignores SIGTERM', async () => {
  const stop = new AbortController();
  const end = await runIn(makeRunPlace(), '#fake outcome=hang ignore-term', {
    signal: stop.signal,
    timers: { killMs: FOREVER },
    onSession: () => stop.abort('shutdown-now'),
  });
  expect(end).toMatchObject({ isInterrupted: true });
});

test('told to stop before it began, nothing is started', async () => {
  const place = makeRunPlace();
  const record = join(place.scratch, 'record');
  const end = await runIn(place, `#fake record=${record}`, { signal: AbortSignal.abort('shutdown') });
  expect(end).toMatchObject({ isInterrupted: true, hasSession: false, usage: [], turns: 0 });
  expect(existsSync(record)).toBe(false);
});

test('the agent gets its prompt on standard input, its environment and its markers, and nothing else', async () => {
  const place = makeRunPlace();
  const record = join(place.scratch, 'record');
  const prompt = `-p --version "quoted"\n#fake record=${record}\n${'è'.repeat(200_000)}`;
  await runIn(place, prompt, { runId: 'run-x', taskId: 'task-x' });
  const { args, env, cwd, prompt: read } = JSON.parse(readFileSync(record, 'utf8'));
  expect(read).toBe(prompt);
  expect(args.join(' ')).not.toContain('quoted');
  expect(cwd).toBe(place.cwd);
  expect(env).toEqual({
    ...place.environment,
    ...{ SWARM_TASK_ID: 'task-x', SWARM_RUN_ID: 'run-x', SWARM_OWNER: expect.stringMatching(/^\w+-\d+:\d+:\d+$/) },
  });
});

test('an agent that does not read its prompt does no harm', async () => {
  const place = makeRunPlace();
  const program = writeProgram(place, 'exec <&-\nsleep 0.2\necho "$0: no" >&2\nexit 1\n');
  const end = await runIn(place, 'x'.repeat(5_000_000), { program, args: [] });
  expect(end).toMatchObject({ outcome: 'bad-request' });
});

test.each<[what: string, given: (place: RunPlace) => object, error: RegExp]>([
  ['a program that is not there', () => ({ program: 'no-such-program' }), /ENOENT.*AGENT_COMMAND/],
  ['a file that may not be run', (place) => ({ program: writeProgram(place, 'x', 0o644) }), /EACCES/],
  ['a folder that is not there', () => ({ cwd: '/no/such/folder' }), /there is no folder "\/no\/such\/folder"/],
  ['an argument that is too long', () => ({ args: ['x'.repeat(3_000_000)] }), /E2BIG/],
  ['an argument with a null character', () => ({ args: ['a\0b'] }), /null bytes/],
])('%s is a bad request', async (_, given, error) => {
  const place = makeRunPlace();
  const end = await runIn(place, 'do it', given(place));
  expect(end).toMatchObject({ outcome: 'bad-request', hasSession: false, usage: [], turns: 0 });
  expect(end.error).toMatch(error);
});

test.each(['outcome=ok child', 'outcome=ok child ignore-term', 'outcome=kill child', 'outcome=hang child ignore-term'])(
  'what has left for a session of its own is ended with the run: %s',
  async (directives) => {
    const place = makeRunPlace();
    const runId = `run-with-child-${process.pid}`;
    const end = await runIn(place, `#fake ${directives}`, { runId, timers: { idleMs: SHORT, killMs: SHORT } });
    expect(end.outcome).toBe(directives.includes('kill') ? 'crashed' : directives.includes('hang') ? 'stuck' : 'ok');
    expect(processesOf(runId)).toEqual([]);
  },
);

test('what stays in the group is ended with the run, also without its environment', async () => {
  const place = makeRunPlace();
  const pidFile = join(place.scratch, 'pid');
  const program = writeProgram(
    place,
    `cat > /dev/null\nenv -i sh -c 'trap "" TERM; echo $$ > ${pidFile}; while :; do sleep 1; done' &\nwhile [ ! -s ${pidFile} ]; do sleep 0.05; done\n`,
  );
  expect((await runIn(place, 'do it', { program, args: [] })).outcome).toBe('crashed');
  expect(isAlive(Number(readFileSync(pidFile, 'utf8')))).toBe(false);
});

test('one that cannot be found and holds on to the output does not hold up the run', async () => {
  const place = makeRunPlace();
  const pidFile = join(place.scratch, 'pid');
  const program = writeProgram(
    place,
    `cat > /dev/null\nsetsid env -i sh -c 'echo $$ > ${pidFile}; exec sleep 600' &\nwhile [ ! -s ${pidFile} ]; do sleep 0.05; done\n`,
  );
  expect((await runIn(place, 'do it', { program, args: [] })).outcome).toBe('crashed');
  const pid = Number(readFileSync(pidFile, 'utf8'));
  endWithTest(pid);
  expect(isAlive(pid)).toBe(true);
});

test('other runs are left alone', async () => {
  const place = makeRunPlace();
  const stop = new AbortController();
  const began = new Promise<void>((resolve) => {
    onTestFinished(() => stop.abort('shutdown-now'));
    void runIn(place, '#fake outcome=hang', {
      runId: 'run-other',
      signal: stop.signal,
      onSession: () => resolve(),
    }).then((end) => ended.push(end));
  });
  const ended: RunEnd[] = [];
  await began;
  await runIn(place, '#fake outcome=ok child', { runId: 'run-one' });
  expect(ended).toEqual([]);
  expect(processesOf('run-other')).toHaveLength(1);
  stop.abort('shutdown-now');
  await expect.poll(() => ended.length, { timeout: 20_000 }).toBe(1);
});

test('the log holds what the agent said, and how the run began and ended', async () => {
  const place = makeRunPlace();
  await runIn(place, '#fake outcome=garbage', { taskId: 'task-7', runId: 'run-7' });
  await runIn(place, '', { taskId: 'task-7' });
  const lines = await readTaskLog({ folder: place.logs, taskId: 'task-7' });
  expect(lines[0]).toMatch(/"event":"run started","runId":"run-7","pid":\d+/);
  expect(lines[1]).toMatch(/"subtype":"init"/);
  expect(lines).toContain('not JSON at all');
  expect(lines.filter((line) => line.includes('"run ended","outcome":"ok"'))).toHaveLength(1);
  expect(lines.filter((line) => line.includes('"event":"stderr","text":"Error: Input must be provided'))).toHaveLength(
    1,
  );
  expect(lines.at(-1)).toMatch(/"run ended","outcome":"bad-request"/);
});

test('a very talkative agent is read to its end, and little of it is kept', async () => {
  const place = makeRunPlace();
  const program = writeProgram(
    place,
    `cat > /dev/null\necho '{"type":"system","subtype":"init","session_id":"s"}'\nhead -c 30000000 /dev/zero | tr '\\0' x\necho\nyes "garbage" | head -c 3000000\necho '{"type":"result","subtype":"success","is_error":false}'\nyes complaint | head -c 1000000 >&2\n`,
  );
  const end = await runIn(place, 'do it', { program, args: [] });
  expect(end).toMatchObject({ outcome: 'ok', sessionId: 's' });
});

test('an agent that fails at first does its work later', async () => {
  const place = makeRunPlace();
  const prompt = `#fake outcome=overloaded fail-first=2 state=${place.scratch}/state file=made.txt`;
  const outcomes = [];
  for (let run = 0; run < 3; run += 1) outcomes.push((await runIn(place, prompt)).outcome);
  expect(outcomes).toEqual(['overloaded', 'overloaded', 'ok']);
  expect(readFileSync(join(place.cwd, 'made.txt'), 'utf8')).toBe(prompt);
});

test('the time of a run lies between that of its agent and that of the test', async () => {
  const before = performance.now();
  const { durationMs } = await runIn(makeRunPlace(), '#fake ms=200');
  expect(durationMs).toBeGreaterThanOrEqual(200);
  expect(durationMs).toBeLessThanOrEqual(Math.ceil(performance.now() - before));
});

test.each(['start', 'session'])(
  'what the callback of the %s throws is thrown, once the agent is gone',
  async (callback) => {
    let pid = 0;
    const fail = (isTheOne: boolean): void => {
      if (isTheOne) throw new Error('a bug of ours');
    };
    const run = runIn(makeRunPlace(), '#fake outcome=hang', {
      onStart: (id) => {
        pid = id;
        fail(callback === 'start');
      },
      onSession: () => fail(callback === 'session'),
    });
    await expect(run).rejects.toThrow('a bug of ours');
    expect(isAlive(pid)).toBe(false);
  },
);
