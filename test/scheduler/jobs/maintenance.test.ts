import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { maintenanceJobs } from '../../../scheduler/jobs/maintenance.ts';
import { readOpenItems, tickOff } from '../../../scheduler/maintenance/checklist.ts';
import { TIMETABLE } from '../../../scheduler/timetable.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { serveHttp } from '../../support/health-scene.ts';
import { makeMemory, taskRow, tempDir } from '../../support/memory-builder.ts';
import { putProgram } from '../../support/put-program.ts';
import { startRedis } from '../../support/running-redis.ts';
import { makeMachinery } from '../../support/scheduler-scene.ts';
import { readTold } from '../../support/told.ts';

const [HOUR_MS, DAY_MS] = [3_600_000, 86_400_000];

interface Found {
  readonly state: string;
  readonly text: string;
}

/** A scheduler with the maintenance calendar alone, a memory and a Redis. */
async function makeMaintenanceScene(env: Readonly<Record<string, string>> = {}) {
  const folder = tempDir();
  const redis = await startRedis(join(folder, 'redis'));
  const memory = makeMemory({ hasUsage: true });
  const clock = fakeClock('2026-06-25T00:00:00Z');
  const machinery = makeMachinery(
    {
      timetable: TIMETABLE.filter(({ job }) => job.startsWith('maintenance-')),
      jobs: maintenanceJobs,
      clock: clock.now,
    },
    {
      folder,
      env: {
        ...{ SWARM_TIMEZONE: 'Europe/Rome', REDIS_URL: redis.url, SWARM_DB_PATH: memory.path },
        ...{ BACKUP_DIR: join(folder, 'backups'), WORK_DIR: join(folder, 'work') },
        ...env,
      },
    },
  );
  const { db, clock: now } = machinery.tools;
  await machinery.tickUntilSettled();
  return {
    ...{ folder, memory, db, redis, clock, now, machinery, told: readTold(redis.client) },
    runAt: async (moment: string): Promise<void> => {
      clock.set(moment);
      await machinery.tickUntilSettled();
    },
    found: (task: string): Found | undefined =>
      db
        .prepare<[string], Found>(
          'SELECT state, text FROM maintenance_results WHERE task = ? ORDER BY run_utc DESC LIMIT 1',
        )
        .get(task),
  };
}

const report = (counts: object): string => `echo '${JSON.stringify({ metadata: { vulnerabilities: counts } })}'`;

test('a day on which all is well says nothing', async () => {
  const { runAt, told, found } = await makeMaintenanceScene();
  await runAt('2026-06-25T05:30:00Z');
  expect(found('resource-trend')?.text).toMatch(/^disk .* GB free, .*load /);
  expect(found('night-alerts')).toEqual({ state: 'unavailable', text: 'PROMETHEUS_URL is not set' });
  expect(found('error-trend')).toEqual({
    state: 'ok',
    text: '0 failed in 24 hours (no known outcome; in 7 days no known outcome)',
  });
  expect(await told()).toEqual([]);
});

test('a month asks a person, item by item, and each can be ticked off once', async () => {
  const { runAt, told, db, now } = await makeMaintenanceScene();
  await runAt('2026-07-01T06:20:00Z');
  const lists = (await told()).filter(({ kind }) => kind === 'checklist');
  expect(lists.map(({ key }) => key).toSorted()).toEqual([
    'maintenance-monthly-2026-07-01',
    'maintenance-quarterly-2026-07-01',
  ]);
  const monthly = lists.find(({ key }) => key.includes('monthly'))?.facts ?? {};
  expect(monthly['item-recovery-drill.2026-07-01']).toMatch(/^Drill: rimetti in piedi/);
  expect(monthly.text).toBe('Del mese\nDa fare a mano:');
  expect(readOpenItems(db)).toHaveLength(10);
  const by = { by: 'rafa', nowMs: now() };
  expect(tickOff(db, 'recovery-drill.2026-07-01', by)).toBe(true);
  expect(tickOff(db, 'recovery-drill.2026-07-01', by)).toBe(false);
  expect(tickOff(db, 'never-asked.2026-07-01', by)).toBe(false);
  expect(readOpenItems(db).map(({ id }) => id)).not.toContain('recovery-drill.2026-07-01');
  await runAt('2026-08-01T06:05:00Z');
  expect(readOpenItems(db).filter(({ id }) => id.startsWith('documentation'))).toEqual([
    { id: 'documentation.2026-08-01', askedMs: Date.parse('2026-08-01T06:05:00Z') },
  ]);
});

test('asked for by hand twice a day it asks and tells once', async () => {
  const { machinery, told, db } = await makeMaintenanceScene({ SWARM_LANG: 'en' });
  for (const _ of [1, 2]) {
    machinery.ledger.request('maintenance-monthly', machinery.tools.clock());
    await machinery.tickUntilSettled();
  }
  expect((await told()).map(({ facts }) => facts.text)).toEqual(['This month\nTo do by hand:']);
  expect(readOpenItems(db)).toHaveLength(5);
});

test('what needs a look is told: old backups, failures beyond the usual, alerts of the night', async () => {
  const answer = {
    status: 'success',
    data: { result: [{ metric: { alertname: 'QueueStuck' } }, { metric: { alertname: '\u001b[2J' } }] },
  };
  const prometheus = await serveHttp((_, response) => void response.end(JSON.stringify(answer)));
  const { folder, memory, clock, runAt, told, found, now } = await makeMaintenanceScene({ PROMETHEUS_URL: prometheus });
  // The memory's figures are of the present, whatever the scheduler's clock says.
  const present = Date.now();
  const failed = { event_type: 'task_failed', task_status: 'failed', success: 0 };
  memory.events(
    ...Array.from({ length: 30 }, (_, index) => taskRow(present - 2 * DAY_MS - index * HOUR_MS)),
    ...Array.from({ length: 4 }, (_, index) => taskRow(present - (index + 1) * HOUR_MS, failed)),
  );
  mkdirSync(join(folder, 'backups'));
  writeFileSync(join(folder, 'backups/swarm_memory-20260601T000000Z.db.gz'), 'x');
  clock.set('2026-06-25T05:30:00Z');
  const seconds = (now() - 9 * HOUR_MS) / 1_000;
  utimesSync(join(folder, 'backups/swarm_memory-20260601T000000Z.db.gz'), seconds, seconds);
  await runAt('2026-06-25T05:30:00Z');
  expect(found('night-alerts')).toEqual({ state: 'attention', text: 'alerts in the night: QueueStuck' });
  expect((await told())[0]).toMatchObject({
    key: 'maintenance-daily-2026-06-25',
    facts: {
      text: [
        'Di oggi',
        'Da guardare:',
        '⚠️ Allarmi notturni: allarmi nella notte: QueueStuck',
        '⚠️ Copie fatte: ultima copia di 9 h fa',
        '⚠️ Errori: 4 falliti in 24 ore (100 %; in 7 giorni 12 %)',
      ].join('\n'),
    },
  });
});

test('a Prometheus that answers nonsense, hangs up or redirects is not asked further', async () => {
  let answer = (response: import('node:http').ServerResponse): void => void response.end('<html>');
  const url = await serveHttp((_, response) => answer(response));
  const { runAt, found } = await makeMaintenanceScene({ PROMETHEUS_URL: url });
  const silent = { state: 'unavailable', text: 'Prometheus does not answer' };
  await runAt('2026-06-25T05:30:00Z');
  expect(found('night-alerts')).toEqual(silent);
  answer = (response) => void response.writeHead(302, { Location: '/elsewhere' }).end();
  await runAt('2026-06-26T05:30:00Z');
  expect(found('night-alerts')).toEqual(silent);
  answer = (response) => void response.end('{"data":{"result":[]}}');
  await runAt('2026-06-27T05:30:00Z');
  expect(found('night-alerts')).toEqual({ state: 'ok', text: 'no alert in the night' });
});

test('a week that cost half as much again as the one before is told', async () => {
  putProgram('npm', 'exit 1');
  const { memory, runAt, told, found } = await makeMaintenanceScene();
  const spend = (id: string, costUsd: number): void => {
    const usage = { task_id: id, attempt: 1, ended_at: new Date(Date.now() - HOUR_MS).toISOString(), agent_name: 'a' };
    memory.insert('task_usage', { ...usage, model: 'm', cost_usd: costUsd, input_tokens: 1, output_tokens: 1 });
  };
  spend('one', 2);
  await runAt('2026-06-29T05:45:00Z');
  expect(found('cost-trend')).toEqual({ state: 'ok', text: '2 $ in 7 days' });
  spend('two', 1.5);
  await runAt('2026-07-06T05:45:00Z');
  expect(found('cost-trend')).toEqual({ state: 'attention', text: '3.5 $ in 7 days, 2 $ the week before' });
  const [message] = (await told()).filter(({ key }) => key.startsWith('maintenance-weekly'));
  expect(message.facts.text).toBe('Della settimana\nDa guardare:\n⚠️ Costi: 3,5 $ in 7 giorni, la settimana prima 2 $');
});

test.each([
  [report({ critical: 0, high: 2, moderate: 1, low: 0 }), 'attention', 'vulnerabilities: 2 high, 1 moderate'],
  [`${report({ critical: 0, high: 0, moderate: 1, low: 3 })}; exit 1`, 'ok', 'vulnerabilities: 1 moderate, 3 low'],
  [report({ critical: 0, high: 0, moderate: 0, low: 0 }), 'ok', 'no known vulnerability'],
  ['echo \'{"message":"405 Method Not Allowed"}\'; exit 1', 'unavailable', 'npm audit has no answer here'],
  ['echo offline >&2; exit 1', 'unavailable', 'npm audit has no answer here'],
])('where npm audit does %s, that is %s', async (script, state, text) => {
  putProgram('npm', script);
  const { runAt, found } = await makeMaintenanceScene();
  await runAt('2026-06-29T05:45:00Z');
  expect(found('vulnerability-check')).toEqual({ state, text });
});

test('logs and worktrees that the orchestrator should have cleared away are told', async () => {
  const { folder, runAt, found } = await makeMaintenanceScene();
  mkdirSync(join(folder, 'work/logs'), { recursive: true });
  writeFileSync(join(folder, 'work/logs/task.jsonl'), 'x'.repeat(1_000_000));
  const seconds = Date.parse('2026-05-01T00:00:00Z') / 1_000;
  utimesSync(join(folder, 'work/logs/task.jsonl'), seconds, seconds);
  await runAt('2026-07-01T06:00:00Z');
  expect(found('log-clean-up')).toEqual({
    state: 'attention',
    text: 'logs: 1 (1 MB), worktrees: 0; some older than the orchestrator should leave them',
  });
});
