import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createLog } from '../../lib/log.ts';
import type { Part } from '../../scheduler/parts/part.ts';
import { startScheduler as startInProcess } from '../../scheduler/scheduler.ts';
import { ACCEPT, expectLintFree, expectSameSeries } from '../support/exposition-checks.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { tempDir } from '../support/memory-builder.ts';
import { parseSamples } from '../support/running-exporter.ts';
import { startScheduler } from '../support/running-scheduler.ts';
import { entry, notingJob, schedulerSettings } from '../support/scheduler-scene.ts';
import { startSeededScheduler } from '../support/seeded-scheduler.ts';

const GOLDEN = new URL('../golden/scheduler-families.txt', import.meta.url);

test('it starts without Redis, is ready, and exports the families in test/golden/scheduler-families.txt (write it anew with UPDATE_GOLDEN=1), in two valid forms', async () => {
  const { folder, url, readiness, end } = await startSeededScheduler();
  const scrape = async (accept: string) =>
    await (await fetch(`${url}/metrics`, { headers: { Accept: accept } })).text();
  const text = await scrape(ACCEPT.text);
  expectLintFree(text);
  expectSameSeries(text, await scrape(ACCEPT.prometheus2));
  const families = `${text
    .split('\n')
    .filter((line) => line.startsWith('#'))
    .join('\n')}\n`;
  if (process.env.UPDATE_GOLDEN) writeFileSync(GOLDEN, families);
  expect(families).toBe(readFileSync(GOLDEN, 'utf8'));
  expect(parseSamples(text).get('swarm_security_events_total{kind="stranger"}')).toBe(0);
  expect(parseSamples(text).get('swarm_kpi{kpi="geo_freedom_ratio"}')).toBe(0.35);
  expect(await readiness()).toEqual({ status: 200 });
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect(await (await fetch(`${url}/`)).json()).toEqual({
    error: 'There is nothing here. Try /metrics, /healthz or /readyz.',
  });
  expect(await end()).toEqual([0, null]);
  expect(existsSync(join(folder, 'data/monitor.db'))).toBe(true);
});

test.each([
  [{ TIMETABLE_FILE: 'no-such.json' }, /Could not read the timetable ".*no-such\.json": ENOENT/],
  [{ SCHEDULER_PORT: 'x' }, /SCHEDULER_PORT is "x", expected a port number/],
  [
    { ARCHIVE_AFTER_DAYS: '-1', TELEGRAM_ALLOWED_USER_IDS: '@rafa' },
    /ARCHIVE_AFTER_DAYS is "-1".*TELEGRAM_ALLOWED_USER_IDS is "@rafa"/,
  ],
])('with %o it does not start, and says why', async (env, expected) => {
  const refusal = await startScheduler(tempDir(), env).catch((error: unknown) => String(error));
  expect(refusal).toMatch(expected);
});

test('a wrong setting of the channels of alerts stops nothing', async () => {
  const { readiness } = await startScheduler(tempDir(), { TELEGRAM_BOT_TOKEN: 'changeme' });
  expect(await readiness()).toEqual({ status: 200 });
});

test('a second one on the same monitor.db waits until the first is gone, even by kill -9', async () => {
  const folder = tempDir();
  const first = await startScheduler(folder);
  const second = await startScheduler(folder);
  expect((await second.readiness()).reason).toBe('another process works on this monitor.db: this one waits');
  await first.end('SIGKILL');
  await vi.waitFor(async () => expect(await second.readiness()).toEqual({ status: 200 }), { timeout: 10_000 });
});

test('lateness grows while a job has not been done, and is 0 again when it has', async () => {
  const clock = fakeClock('2026-06-01T08:00:00Z');
  const { job } = notingJob('job', async () => {
    throw new Error('broken');
  });
  const settings = schedulerSettings(tempDir(), { SWARM_TIMEZONE: 'UTC' });
  const start = (jobs: readonly (typeof job)[]) =>
    startInProcess(settings, createLog('test', 'silent'), {
      timetable: [entry('job', '0 9 * * *')],
      jobs,
      clock: clock.now,
    });
  const figures = async (port: number) => {
    const samples = parseSamples(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
    return ['last_success_timestamp', 'lateness'].map((name) => samples.get(`swarm_slot_${name}_seconds{job="job"}`));
  };
  const before = await start([job]);
  expect(await figures(before.port)).toEqual([0, 0]);
  await before.stop();
  clock.set('2026-06-01T09:10:00Z');
  const failing = await start([job]);
  await vi.waitFor(async () => expect(await figures(failing.port)).toEqual([0, 600]), 15_000);
  await failing.stop();
  clock.set('2026-06-02T09:10:00Z');
  const mended = await start([notingJob('job').job]);
  onTestFinished(mended.stop);
  await vi.waitFor(
    async () => expect(await figures(mended.port)).toEqual([Date.parse('2026-06-02T09:10:00Z') / 1_000, 0]),
    15_000,
  );
});

test('parts that are off are told by /readyz; what is broken is named there, stops nothing and is tried again; the parts are stopped in the end', async () => {
  const stopped: string[] = [];
  let isMended = false;
  const mend = async () => {
    if (!isMended) throw new Error('port taken');
    return { stop: () => void stopped.push('broken') };
  };
  const parts: readonly Part[] = [
    { name: 'webhook', start: async () => ({ off: 'GITHUB_TOKEN is not set' }) },
    { name: 'broken', start: mend },
    { name: 'bot', start: async () => ({ stop: () => void stopped.push('bot') }) },
  ];
  const log = createLog('test', 'silent');
  const { port, stop } = await startInProcess(schedulerSettings(tempDir()), log, { parts, retryPartsMs: 1 });
  const readiness = async (): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`);
    return [response.status, await response.json()];
  };
  const off = { webhook: 'GITHUB_TOKEN is not set' };
  const broken = { status: 'not ready', reason: 'broken does not run: port taken', off };
  await vi.waitFor(async () => expect(await readiness()).toEqual([503, broken]), 15_000);
  isMended = true;
  await vi.waitFor(async () => expect(await readiness()).toEqual([200, { status: 'ready', off }]), 15_000);
  await stop();
  expect(stopped).toEqual(['bot', 'broken']);
});

test('a part that never starts keeps no scheduler from stopping, and is not tried again after that', async () => {
  let tries = 0;
  const start = async () => {
    tries += 1;
    throw new Error('broken');
  };
  const log = createLog('test', 'silent');
  const parts = [{ name: 'broken', start }];
  const { stop } = await startInProcess(schedulerSettings(tempDir()), log, { parts, retryPartsMs: 1 });
  await vi.waitFor(() => expect(tries).toBeGreaterThan(1), 15_000);
  await stop();
  const triesBefore = tries;
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(tries).toBe(triesBefore);
});
