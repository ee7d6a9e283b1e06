import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { tempDir } from '../support/memory-builder.ts';
import { fiveRuns } from '../support/memory-figures.ts';
import { runExporterToEnd, startExporter } from '../support/running-exporter.ts';

const MAIN = fileURLToPath(new URL('../../dist/exporter/main.js', import.meta.url));
const CLEAN_END = { code: 0, signal: null };

describe('every answer', () => {
  test.each([
    ['/metrics', 200, /^text\/plain/],
    ['/healthz', 200, /^application\/json/],
    ['/readyz', 200, /^application\/json/],
    ['/', 200, /^text\/html/],
    ['/nowhere', 404, /^application\/json/],
    ['/metrics/more', 404, /^application\/json/],
    ['/../../etc/passwd', 404, /^application\/json/],
    ['/%E0%A4%A', 404, /^application\/json/],
  ])('to %s is %i and carries the headers that keep a browser safe', async (path, status, type) => {
    const exporter = await startExporter({ databasePath: fiveRuns().path });
    const answer = await exporter.get(path);
    expect([answer.status, answer.type]).toEqual([status, expect.stringMatching(type)]);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    expect([...answer.headers.keys()]).not.toContain('x-powered-by');
  });

  test('to another method than GET and HEAD is 404, and to HEAD has no body', async () => {
    const { url } = await startExporter({ databasePath: fiveRuns().path });
    const ask = async (method: string): Promise<unknown[]> => {
      const response = await fetch(`${url}/metrics`, { method });
      return [response.status, method === 'HEAD' ? await response.text() : ''];
    };
    expect(await Promise.all(['HEAD', 'POST', 'PUT', 'DELETE'].map(ask))).toEqual([
      [200, ''],
      [404, ''],
      [404, ''],
      [404, ''],
    ]);
  });
});

describe('the exporter ends by itself and cleanly', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('at %s', async (signal) => {
    const exporter = await startExporter({ databasePath: fiveRuns().path });
    await exporter.samples();
    expect(await exporter.end(signal)).toEqual(CLEAN_END);
    expect(exporter.output()).toContain('"stopping"');
  });

  test.each([
    ['somebody keeps a connection open', async (url: string) => void (await fetch(url, { keepalive: true }))],
    ['a scrape is under way', async (url: string) => void fetch(`${url}/metrics`).catch(() => {})],
  ])('while %s', async (_, occupy) => {
    const exporter = await startExporter({ databasePath: fiveRuns().path });
    await occupy(exporter.url);
    expect(await exporter.end()).toEqual(CLEAN_END);
  });

  test('and answers until then, although nothing can be written to its log', async () => {
    const EXPORTER_PORT = String(await freePort());
    const env = { PATH: process.env.PATH, SWARM_DB_PATH: fiveRuns().path, EXPORTER_PORT, LOG_LEVEL: 'debug' };
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [MAIN], { env, cwd: tempDir(), stdio: ['ignore', full, 'ignore'] });
    closeSync(full);
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = once(child, 'close');
    const ask = async (path: string) => (await fetch(`http://127.0.0.1:${EXPORTER_PORT}${path}`)).status;
    await vi.waitFor(async () => expect(await ask('/healthz')).toBe(200), 30_000);
    expect(await ask('/metrics')).toBe(200);
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  test('without a memory', async () => {
    const exporter = await startExporter({ databasePath: join(tempDir(), 'none.db') });
    expect(await exporter.end()).toEqual(CLEAN_END);
  });
});

describe('the exporter does not start', () => {
  test('on a port that is taken, and says so', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void other.close());
    await vi.waitFor(() => expect(other.listening).toBe(true), 15_000);
    const { port } = other.address() as AddressInfo;
    const { code, output } = await runExporterToEnd({
      databasePath: fiveRuns().path,
      env: { EXPORTER_PORT: String(port) },
    });
    expect({ code, output }).toEqual({
      code: 1,
      output: `Could not listen on 127.0.0.1:${port}: another program does already. Stop that program, or set EXPORTER_PORT (and BIND_HOST) to a free one.\n`,
    });
  });

  test('with bad settings, and names them all', async () => {
    const bad = {
      EXPORTER_PORT: '70000',
      SWARM_LANG: 'de',
      SWARM_TIMEZONE: 'Mars/Olympus',
      LOG_LEVEL: 'loud',
      GRAFANA_URL: 'javascript:alert(1)',
      EUR_PER_USD: '0',
      INFRA_COST_EUR_MONTH_FILE: '/nowhere/cost',
    };
    const { code, output } = await runExporterToEnd({ databasePath: fiveRuns().path, env: bad });
    expect([code, Object.keys(bad).filter((name) => !output.includes(name))]).toEqual([2, []]);
    expect(output.trimEnd().split('\n')).toHaveLength(1);
  });

  test('with a projects file that is no JSON', async () => {
    const { path } = fiveRuns();
    const { code, output } = await runExporterToEnd({ databasePath: path, env: { PROJECTS_FILE: path } });
    expect({ code, output }).toEqual({ code: 2, output: expect.stringContaining('is not valid JSON') });
  });
});
