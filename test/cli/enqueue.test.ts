import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { readTrace } from '../../lib/queue/trace.ts';
import { type CommandResult, startSwarm, swarm } from '../support/command-line.ts';
import { freePort } from '../support/free-port.ts';
import { tempDir } from '../support/memory-builder.ts';
import { startRedis } from '../support/running-redis.ts';
import { makeScene, type SwarmScene } from '../support/swarm-scene.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const TO_ACME = ['--agent', 'cervella-fake', '--project', 'acme'];

/** A folder whose projects.json knows acme and two others. */
function folder(): string {
  const cwd = tempDir();
  const projects = ['acme', 'miracollo', 'cucina'].map((name) => ({ name, path: cwd }));
  writeFileSync(join(cwd, 'projects.json'), JSON.stringify({ projects }));
  return cwd;
}

/** Something that listens and never answers. */
async function blackHole(): Promise<string> {
  const sockets = new Set<{ destroy: () => void }>();
  const server = createServer((socket) => void sockets.add(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** `swarm enqueue -` with this on its standard input. */
async function enqueueInput(scene: SwarmScene, input: string): Promise<CommandResult> {
  const child = spawn(process.execPath, [MAIN, 'enqueue', '-', ...TO_ACME], {
    cwd: scene.folder,
    env: { PATH: process.env.PATH, ...scene.env },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

describe('swarm enqueue refuses', () => {
  test.each([
    ['prompt: expected some text', ['']],
    ['prompt: expected some text', [' \n ']],
    ['agent: expected a name', ['Secret', '--agent=-x']],
    ['agent: expected a name', ['Secret', '--agent', 'no such name']],
    ['model: expected the name of a model', ['Secret', '--model=--print']],
    ['priority: ', ['Secret', '--priority', 'urgent']],
    ['budgetUsd: expected 0.001 to 1,000 US dollars', ['Secret', '--budget-usd', '0']],
    ['budgetUsd: expected 0.001 to 1,000 US dollars', ['Secret', '--budget-usd=-1']],
    ['budgetUsd: expected 0.001 to 1,000 US dollars', ['Secret', '--budget-usd', 'much']],
    ['budgetUsd: expected 0.001 to 1,000 US dollars', ['Secret', '--budget-usd', '1e9']],
    ['timeoutMs: expected 1 s to 24 h', ['Secret', '--timeout', '0s']],
    ['timeoutMs: expected 1 s to 24 h', ['Secret', '--timeout', '25h']],
    ['--timeout: expected a duration', ['Secret', '--timeout', 'soon']],
    ['dedupeKey: expected some text', ['Secret', '--dedupe-key', '']],
  ])('what is wrong, saying "%s"', async (expectation, args) => {
    const { code, stdout, stderr } = await swarm(['enqueue', ...TO_ACME, ...args], { cwd: folder() });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`Could not accept the task: ${expectation}`);
    expect(stderr).not.toMatch(/Secret|no such name|urgent|much|soon/);
  });

  test.each([
    [['Secret', '--project', 'acme'], "required option '--agent <name>' not specified"],
    [['Secret', '--agent', 'a'], "required option '--project <name>' not specified"],
    [TO_ACME, "missing required argument 'prompt'"],
  ])('a command line that lacks something: %j', async (args, expectation) => {
    const { code, stderr } = await swarm(['enqueue', ...args], { cwd: folder() });
    expect([code, stderr]).toEqual([2, expect.stringContaining(expectation)]);
  });

  test('a project it does not know, naming those it does', async () => {
    const { code, stderr } = await swarm(['enqueue', 'x', '--agent', 'a', '--project', 'amce'], { cwd: folder() });
    expect(code).toBe(2);
    expect(stderr).toMatch(/project "amce" is not in .*projects.json \(known: acme, miracollo, cucina\)/);
  });

  test.each([
    ['is missing', undefined, /project "acme" is not in .*nowhere.json \(known: none\)/],
    ['is garbled', '{"projects":', /Could not read ".*": it is not valid JSON/],
    [
      'has a project twice',
      '{"projects":[{"name":"a","path":"."},{"name":"a","path":"."}]}',
      /"a" of .*: it is there twice/,
    ],
    [
      'has a project of a bad name',
      '{"projects":[{"name":"-x","path":"."}]}',
      /project 1 of .*: of its name, expected/,
    ],
  ])('everything while the file of projects %s', async (_, content, expectation) => {
    const cwd = tempDir();
    const path = join(cwd, 'nowhere.json');
    if (content !== undefined) writeFileSync(path, content);
    const { code, stderr } = await swarm(['enqueue', 'x', ...TO_ACME], { cwd, env: { PROJECTS_FILE: path } });
    expect([code, stderr]).toEqual([2, expect.stringMatching(expectation)]);
  });

  test('a prompt that looks like an option, showing little of it, and takes it after --', async () => {
    const scene = await makeScene();
    const prompt = `- read this\n- and that ${'x'.repeat(10_000)}`;
    const refused = await scene.swarm('enqueue', prompt, ...TO_ACME);
    expect(refused.code).toBe(2);
    expect(refused.stderr.length).toBeLessThan(1_000);
    const { code, stdout } = await scene.swarm('enqueue', ...TO_ACME, '--', prompt);
    expect(code).toBe(0);
    expect(await scene.show(JSON.parse(stdout).id)).toMatchObject({ prompt });
  });
});

describe('swarm enqueue without a Redis', () => {
  const enqueue = (env: Record<string, string>) => swarm(['enqueue', 'x', ...TO_ACME], { cwd: folder(), env });

  test.each([
    ['refuses connections', async () => `redis://127.0.0.1:${await freePort()}`, 'ECONNREFUSED'],
    ['accepts and says nothing', blackHole, 'it did not answer within 2.5 s'],
  ])('that %s ends with 3 and says how to start one', async (_, address, reason) => {
    const { code, stdout, stderr } = await enqueue({ REDIS_URL: await address(), REDIS_PASSWORD: 'open-sesame' });
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/^Could not reach Redis at redis:.*\. Start it \(`npm start`.*redis-server.*REDIS_URL\.\n$/);
    expect(stderr).toContain(reason);
    expect(stderr).not.toContain('sesame');
  });

  test.each([
    ['lacking', {}],
    ['wrong', { REDIS_PASSWORD: 'wrong-sesame' }],
  ])('whose password is %s ends with 3 and names REDIS_PASSWORD', async (_, env) => {
    const { client, url } = await startRedis(join(tempDir(), 'redis'));
    await client.config('SET', 'requirepass', 'open-sesame');
    const { code, stderr } = await enqueue({ REDIS_URL: url, ...env });
    expect([code, stderr]).toEqual([3, expect.stringContaining('Set REDIS_PASSWORD')]);
    expect(stderr).not.toContain('sesame');
  });
});

describe('swarm enqueue on a Redis that', () => {
  test.each([
    ['forgets tasks at a restart', ['--appendonly', 'no'], '--appendonly yes'],
    ['may throw tasks away', ['--maxmemory-policy', 'allkeys-lru'], '--maxmemory-policy noeviction'],
  ])('%s ends with 3, promises nothing and says what to set', async (_, args, remedy) => {
    const { url, client } = await startRedis(join(tempDir(), 'redis'), args);
    const { code, stdout, stderr } = await swarm(['enqueue', 'x', ...TO_ACME], {
      cwd: folder(),
      env: { REDIS_URL: url },
    });
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/^Could not entrust a task to Redis\. .*\n$/);
    expect(stderr).toContain(remedy);
    expect(await client.exists('swarm:swarm-tasks:prioritized')).toBe(0);
  });

  test('may throw tasks away can be looked at, without a complaint of a library', async () => {
    const { url } = await startRedis(join(tempDir(), 'redis'), ['--maxmemory-policy', 'allkeys-lru']);
    const { code, stdout, stderr } = await swarm(['queue', 'list', '--json'], {
      cwd: folder(),
      env: { REDIS_URL: url },
    });
    expect([code, JSON.parse(stdout), stderr]).toEqual([0, [], '']);
  });
});

describe('swarm enqueue', () => {
  test('prints the id and the state, and no more', async () => {
    const scene = await makeScene();
    const { code, stdout, stderr } = await scene.swarm('enqueue', 'Do it', ...TO_ACME);
    expect([code, stderr]).toEqual([0, '']);
    const printed = JSON.parse(stdout);
    expect(printed).toEqual({ id: expect.stringMatching(/^[\w-]{36}$/), state: 'waiting' });
    const asked = await scene.swarm('enqueue', 'Do it', ...TO_ACME, '--needs-approval');
    expect(JSON.parse(asked.stdout)).toMatchObject({ state: 'needs-approval' });
  });

  test('says why a task waits for a yes, unless that was asked for', async () => {
    const scene = await makeScene();
    const told = async (...options: string[]): Promise<string> =>
      (await scene.swarm('enqueue', 'Do it', ...TO_ACME, ...options)).stderr;
    const asked = ['--dedupe-key', 'asked', '--needs-approval'];
    expect(await told('--budget-usd', '3')).toMatch(
      /^It may cost more than APPROVAL_ABOVE_USD, .*queue approve ID\.\n$/,
    );
    expect(await told(...asked)).toBe('');
    const twin = /^A task of this dedupe key is not over, and waits for a yes: .*queue approve ID\.\n$/;
    expect(await told('--dedupe-key', 'asked')).toMatch(twin);
    expect(await told(...asked)).toMatch(twin);
  });

  test('hands over every option', async () => {
    const scene = await makeScene();
    const id = await scene.enqueue(
      'Perché no? 日本語 👩‍🚀\n\u001b[2J',
      ...[
        ...['--priority', 'high', '--budget-usd', '1.25', '--timeout', '90s'],
        ...['--model', 'sonnet[1m]', '--dedupe-key', 'owner/repo#7'],
      ],
    );
    const { data } = await scene.redis.client.hgetall(`swarm:swarm-tasks:${id}`);
    expect(JSON.parse(data)).toMatchObject({
      ...{ prompt: 'Perché no? 日本語 👩‍🚀\n\u001b[2J', agent: 'cervella-fake', project: 'acme', priority: 'high' },
      ...{ budgetUsd: 1.25, timeoutMs: 90_000, model: 'sonnet[1m]', dedupeKey: 'owner/repo#7', source: 'cli' },
    });
    const again = await scene.swarm('enqueue', 'Do it', ...TO_ACME, '--dedupe-key', 'owner/repo#7');
    expect(JSON.parse(again.stdout)).toEqual({ id, state: 'waiting' });
    const { stdout } = await scene.swarm('queue', 'list');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });

  test('reads a prompt of 100,000 characters from standard input, and not one more', async () => {
    const scene = await makeScene();
    const prompt = '日'.repeat(100_000);
    const { code, stdout } = await enqueueInput(scene, prompt);
    expect(code).toBe(0);
    expect(await scene.show(JSON.parse(stdout).id)).toMatchObject({ prompt });
    const refused = await Promise.all(
      [`${prompt}x`, '', 'x'.repeat(2_000_000)].map((text) => enqueueInput(scene, text)),
    );
    expect(refused.map((result) => [result.code, result.stderr])).toEqual([
      [2, expect.stringContaining('prompt: expected 100,000 characters at most')],
      [2, expect.stringContaining('prompt: expected some text')],
      [2, expect.stringContaining('standard input has more than 1,000,000 bytes')],
    ]);
  });
});

describe('swarm enqueue --wait', () => {
  test('tells what happens on standard error, and prints the whole task', async () => {
    const scene = await makeScene({ SWARM_TIMEZONE: 'Asia/Kathmandu' });
    await scene.startOrchestrator();
    const { code, stdout, stderr } = await scene.swarm('enqueue', 'Do it #fake cost=0.03', ...TO_ACME, '--wait');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ state: 'completed', outcome: 'ok', agent: 'cervella-fake', project: 'acme', attempts: 1, costUsd: 0.03 },
      ...{ error: null, prompt: 'Do it #fake cost=0.03' },
    });
    const told = stderr.split('\n').map((line) => line.slice(9));
    for (const line of ['requested: by cli, cervella-fake in acme', 'completed']) expect(told).toContain(line);
    expect(told.filter((line) => line.startsWith('agent'))).toEqual([
      'agent: cervella-fake starts, attempt 1',
      expect.stringMatching(/^agent ended: ok, .* 0\.0300 USD$/),
    ]);
    expect(stderr).not.toContain('no orchestrator');
    // At the time it was there, a quarter of an hour and five hours ahead.
    const [requested] = await readTrace(scene.redis.client, JSON.parse(stdout).id);
    const there = new Date(Date.parse(requested.at) + 5.75 * 3_600_000).toISOString().slice(11, 19);
    expect(stderr).toContain(`${there} requested: by cli`);
  });

  test('ends with 1 for a task that fails', async () => {
    const scene = await makeScene({ TASK_ATTEMPTS: '1' });
    await scene.startOrchestrator();
    const { code, stdout } = await scene.swarm('enqueue', 'Do it #fake outcome=denied', ...TO_ACME, '--wait');
    expect([code, JSON.parse(stdout)]).toEqual([
      1,
      expect.objectContaining({ state: 'failed', outcome: 'needs-attention' }),
    ]);
  });

  test('says what keeps the task waiting, and goes on waiting until somebody cancels it', async () => {
    const scene = await makeScene();
    await scene.swarm('queue', 'pause', '--reason', 'Lunch');
    const waiting = startSwarm(['enqueue', 'Do it', ...TO_ACME, '--wait'], { cwd: scene.folder, env: scene.env });
    await vi.waitFor(
      () => {
        expect(waiting.output()).toContain('no orchestrator is running: start one');
        expect(waiting.output()).toContain('the queue is paused (user): Lunch');
      },
      { timeout: 20_000, interval: 50 },
    );
    expect(waiting.child.exitCode).toBeNull();
    const id = /waiting for task (\S+)/.exec(waiting.output())?.[1] ?? '';
    await scene.swarm('queue', 'cancel', id);
    const { code, stdout } = await waiting.ended;
    expect([code, JSON.parse(stdout)]).toEqual([
      1,
      expect.objectContaining({ id, state: 'cancelled', outcome: 'cancelled' }),
    ]);
  });

  test('waits for a Redis that is started anew', async () => {
    const scene = await makeScene();
    const waiting = startSwarm(['enqueue', 'Do it', ...TO_ACME, '--wait'], { cwd: scene.folder, env: scene.env });
    const hears = (text: string) =>
      vi.waitFor(() => expect(waiting.output()).toContain(text), { timeout: 20_000, interval: 50 });
    await hears('no orchestrator is running');
    const id = /waiting for task (\S+)/.exec(waiting.output())?.[1] ?? '';
    // What was written must be on the disk.
    await scene.redis.client.config('SET', 'appendfsync', 'always');
    await scene.redis.kill();
    await hears('Redis does not answer; waiting for it');
    await scene.redis.start();
    await scene.swarm('queue', 'cancel', id);
    expect((await waiting.ended).code).toBe(1);
    expect(waiting.output().match(/requested: by cli/g)).toHaveLength(1);
  });
});
