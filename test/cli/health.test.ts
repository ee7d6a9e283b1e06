import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { swarm } from '../support/command-line.ts';
import { freePort } from '../support/free-port.ts';
import { serveHttp, serveTcp } from '../support/health-scene.ts';
import { makeMemory, stopRow, tempDir } from '../support/memory-builder.ts';

/** A folder with a project that has these checks. */
function folderWith(checks: readonly Readonly<Record<string, unknown>>[]): string {
  const folder = tempDir();
  writeFileSync(join(folder, 'projects.json'), JSON.stringify({ projects: [{ name: 'acme', path: folder, checks }] }));
  return folder;
}

describe('swarm health', () => {
  test('shows every check, and exits with 0 while nothing is down', async () => {
    const port = await serveTcp(() => undefined);
    const cwd = folderWith([
      { type: 'tcp', host: '127.0.0.1', port },
      { type: 'container', container: 'x' },
    ]);
    const { code, stdout } = await swarm(['health'], { cwd });
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/).slice(0, 3));
    expect([code, lines]).toEqual([
      0,
      [
        ['project', 'check', 'state'],
        ['acme', 'tcp', 'up'],
        ['acme', 'container', 'unavailable'],
        ['acme', 'disk', 'up'],
        ['acme', 'git', 'unavailable'],
        ['swarm', 'memory', 'unavailable'],
        ['swarm', 'backup', 'unavailable'],
      ],
    ]);
  });

  test('exits with 1 if something is down; for programs there is everything', async () => {
    const url = await serveHttp((_, response) => void response.writeHead(500).end());
    const cwd = folderWith([{ type: 'http', url, name: 'page' }]);
    const { code, stdout } = await swarm(['health', '--json'], { cwd });
    expect([code, JSON.parse(stdout)[0]]).toEqual([
      1,
      {
        ...{ project: 'acme', check: 'page', type: 'http', state: 'down', seconds: expect.any(Number), since: null },
        ...{ text: 'answered 500, expected 2xx', figures: { status: 500 } },
      },
    ]);
  });

  test('knows from the scheduler since when something is as it is', async () => {
    const cwd = folderWith([{ type: 'tcp', host: '127.0.0.1', port: await freePort() }]);
    const job = await swarm(['schedule', 'run', 'health', '--json'], {
      cwd,
      env: { REDIS_URL: 'redis://127.0.0.1:1' },
    });
    expect(JSON.parse(job.stdout)).toMatchObject({
      state: 'done',
      summary: '1 up, 1 down, 3 unavailable (acme tcp); 1 not told yet: the queue is away',
    });
    const { stdout } = await swarm(['health', '--json'], { cwd });
    const [tcp, , git] = JSON.parse(stdout) as { since: string | null }[];
    expect([Date.parse(tcp.since ?? ''), git.since]).toEqual([expect.any(Number), null]);
    expect(Date.now() - Date.parse(tcp.since ?? '')).toBeLessThan(60_000);
  });

  test('a wrong projects.json is exit code 2, with what is wrong', async () => {
    const cwd = folderWith([{ type: 'tcp', host: '127.0.0.1' }]);
    const { code, stderr } = await swarm(['health'], { cwd });
    expect([code, stderr]).toEqual([
      2,
      `Could not use project "acme" of "${join(cwd, 'projects.json')}": its check 1 (tcp) has no port, expected a port number from 1 to 65535. Correct it, then start again.\n`,
    ]);
  });
});

describe('swarm goal', () => {
  test('keeps every step, and swarm kpi shows the last one', async () => {
    const memory = makeMemory();
    memory.events(stopRow(Date.now() - 60_000));
    const options = { cwd: tempDir(), env: { SWARM_DB_PATH: memory.path } };
    const geo = async () => {
      const { stdout } = await swarm(['kpi', '--json'], options);
      return (JSON.parse(stdout).kpis as { key: string }[]).find(({ key }) => key === 'geo_freedom_ratio');
    };
    expect(await geo()).toEqual({ key: 'geo_freedom_ratio', value: null, target: null, meetsTarget: null });
    expect(await swarm(['goal', 'set', 'liberta-geo', '30'], options)).toMatchObject({
      code: 0,
      stdout: 'liberta-geo: 30 %\n',
    });
    expect(await swarm(['goal', 'set', 'liberta-geo', '35,5%'], options)).toMatchObject({ code: 0 });
    expect(await geo()).toMatchObject({ value: 0.355 });
    const { stdout } = await swarm(['goal', '--json'], options);
    expect(JSON.parse(stdout)).toMatchObject([{ percent: 30 }, { goal: 'liberta-geo', percent: 35.5 }]);
  });

  test.each([
    [['liberta', '35'], /there is none of that name.*There are: liberta-geo/],
    [['liberta-geo', '101'], /Expected a number from 0 to 100/],
    [['liberta-geo', '-1'], /unknown option|Expected a number/],
    [['liberta-geo', 'much'], /Expected a number from 0 to 100/],
  ])('refuses %j with exit code 2', async (args, message) => {
    const { code, stderr } = await swarm(['goal', 'set', ...args], { cwd: tempDir() });
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});
