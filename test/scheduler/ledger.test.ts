import { expect, test } from 'vitest';
import { UnreachableError } from '../../lib/errors.ts';
import type { CatchUp, TimetableEntry } from '../../scheduler/timetable.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { tempDir } from '../support/memory-builder.ts';
import { entry, makeMachinery, notingJob } from '../support/scheduler-scene.ts';

/** All in UTC, since nothing here is about zones. */
const env = { SWARM_TIMEZONE: 'UTC' };

/** A scheduler with one job, first started at a moment. */
async function start(at: string, moment: string, more: Partial<TimetableEntry> = {}, folder = tempDir()) {
  const clock = fakeClock(moment);
  const { job, seen } = notingJob('job');
  const make = () =>
    makeMachinery({ timetable: [entry('job', at, more)], jobs: [job], clock: clock.now }, { folder, env });
  const machinery = make();
  await machinery.tickUntilSettled();
  const states = (): string[] =>
    machinery.tools.db
      .prepare<[], string>("SELECT substr(slot_utc, 1, 16) || ' ' || state FROM schedule_slots ORDER BY slot_utc")
      .pluck()
      .all();
  const at_ = async (next: string): Promise<void> => {
    clock.set(next);
    await machinery.tickUntilSettled();
  };
  return { seen, machinery, make, states, at: at_, folder, clock };
}

test('what was due before an entry was there is not done, what comes after is, once', async () => {
  const { seen, at } = await start('0 9 * * *', '2026-06-01T12:00:00Z');
  for (const moment of [
    '2026-06-02T08:59:59Z',
    '2026-06-02T09:00:00Z',
    '2026-06-02T09:00:30Z',
    '2026-06-02T09:01:00Z',
  ]) {
    await at(moment);
  }
  expect(seen).toEqual(['2026-06-02T09:00:00.000Z']);
});

test.each<[string, CatchUp, string, string[]]>([
  ['latest within a day', { policy: 'latest', withinHours: 24 }, '2026-06-08T18:30:00Z', ['2026-06-08T18:00:00.000Z']],
  [
    'latest within a day, twelve hours late',
    { policy: 'latest', withinHours: 24 },
    '2026-06-08T05:59:00Z',
    ['2026-06-08T00:00:00.000Z'],
  ],
  ['latest within an hour', { policy: 'latest', withinHours: 1 }, '2026-06-08T19:30:00Z', []],
  [
    'all within a day',
    { policy: 'all', withinHours: 12 },
    '2026-06-08T18:30:00Z',
    ['2026-06-08T12:00:00.000Z', '2026-06-08T18:00:00.000Z'],
  ],
  ['skip', { policy: 'skip' }, '2026-06-08T18:30:00Z', []],
  ['skip, back within five minutes', { policy: 'skip' }, '2026-06-08T18:04:00Z', ['2026-06-08T18:00:00.000Z']],
])('after a week of nothing, %s', async (_, catchUp, moment, expected) => {
  const { seen, at } = await start('0 */6 * * *', '2026-06-01T12:00:00Z', { catchUp });
  await at(moment);
  await at(moment.replace(/:\d\d:00Z/, ':59:00Z'));
  expect(seen).toEqual(expected);
});

test('a clock that steps back and forth has each slot done once, and none lost', async () => {
  const { seen, at } = await start('0 * * * *'.replace('*', '0-1,3-23'), '2026-06-01T03:30:00Z');
  const moments = [
    '04:00',
    '04:01',
    '03:10',
    '04:00',
    '05:30',
    '04:30',
    '05:00',
    '05:59',
    '06:00',
    '06:01',
    '05:59',
    '06:00',
  ];
  for (const moment of moments) await at(`2026-06-01T${moment}:00Z`);
  // Ahead by days, and right again: what the wrong clock left out has its turn.
  await at('2026-06-04T12:30:00Z');
  for (const moment of ['07:00', '08:00', '09:00']) await at(`2026-06-01T${moment}:00Z`);
  const hours = ['04', '05', '06'].map((hour) => `2026-06-01T${hour}:00:00.000Z`);
  const later = ['07', '08', '09'].map((hour) => `2026-06-01T${hour}:00:00.000Z`);
  expect(seen).toEqual([...hours, '2026-06-04T12:00:00.000Z', ...later]);
});

test('a first start with a clock that is years ahead makes nobody wait for years', async () => {
  const { seen, at } = await start('0 9 * * *', '2030-01-01T00:00:00Z');
  await at('2026-06-01T08:00:00Z');
  await at('2026-06-01T09:00:00Z');
  expect(seen).toEqual(['2026-06-01T09:00:00.000Z']);
});

test('an entry that was moved, or was off for a while, is as good as new', async () => {
  const folder = tempDir();
  const clock = fakeClock('2026-06-01T00:00:00Z');
  const { job, seen } = notingJob('job');
  const run = async (moment: string, at: string, isOff = false): Promise<void> => {
    clock.set(moment);
    const timetable = [entry('job', at, isOff ? { isOff } : {})];
    const machinery = makeMachinery({ timetable, jobs: [job], clock: clock.now }, { folder, env });
    await machinery.tickUntilSettled();
    await machinery.close();
  };
  await run('2026-06-01T00:00:00Z', '0 9 * * *');
  await run('2026-06-01T12:00:00Z', '0 11 * * *');
  await run('2026-06-01T12:01:00Z', '0 11 * * *', true);
  await run('2026-06-02T11:30:00Z', '0 11 * * *');
  expect(seen).toEqual([]);
  await run('2026-06-03T11:30:00Z', '0 11 * * *');
  expect(seen).toEqual(['2026-06-03T11:00:00.000Z']);
});

test.each([
  ['skip', ['2026-06-01T06:00:00.000Z', '2026-06-01T09:00:00.000Z']],
  ['wait', ['2026-06-01T06:00:00.000Z', '2026-06-01T08:00:00.000Z', '2026-06-01T09:00:00.000Z']],
] as const)('with overlap "%s", slots that come while a run is not over', async (overlap, expected) => {
  const clock = fakeClock('2026-06-01T05:30:00Z');
  let end: (report: undefined) => void = () => undefined;
  const { job, seen } = notingJob('job', () => new Promise((resolve) => (end = resolve)));
  const timetable = [entry('job', '0 0-1,3-23 * * *', { overlap })];
  const { runner, ...machinery } = makeMachinery({ timetable, jobs: [job], clock: clock.now }, { env });
  for (const moment of ['05:30', '06:00', '07:00', '08:00', '08:01']) {
    clock.set(`2026-06-01T${moment}:00Z`);
    runner.tick();
  }
  end(undefined);
  await expect.poll(() => seen.length > 1 || overlap === 'skip').toBe(true);
  end(undefined);
  await runner.settled();
  clock.set('2026-06-01T09:00:00Z');
  runner.tick();
  end(undefined);
  await machinery.close();
  expect(seen).toEqual(expected);
});

test('a job that misses something waits for it, as long as its window is open, and then has failed', async () => {
  const clock = fakeClock('2026-06-01T08:00:00Z');
  let isAway = true;
  const { job, seen } = notingJob('job', async () => {
    if (isAway) throw new UnreachableError('Could not reach Redis.', 'Start it.');
    return { summary: 'two projects' };
  });
  const timetable = [entry('job', '0 9 * * *', { catchUp: { policy: 'latest', withinHours: 1 } })];
  const { tools, tickUntilSettled } = makeMachinery({ timetable, jobs: [job], clock: clock.now }, { env });
  const rows = () => tools.db.prepare('SELECT state, error, summary FROM schedule_slots ORDER BY slot_utc').all();
  const at = async (moment: string): Promise<void> => {
    clock.set(moment);
    await tickUntilSettled();
  };
  for (const moment of ['08:00', '09:00', '09:01']) await at(`2026-06-01T${moment}:00Z`);
  const waiting = { state: 'waiting', error: 'Could not reach Redis. Start it.', summary: null };
  expect([seen.length, rows()]).toEqual([2, [waiting]]);
  isAway = false;
  await at('2026-06-01T09:02:00Z');
  const done = { state: 'done', error: null, summary: 'two projects' };
  expect(rows()).toEqual([done]);
  isAway = true;
  await at('2026-06-02T09:00:00Z');
  await at('2026-06-02T10:01:00Z');
  expect(rows()).toEqual([done, { ...waiting, state: 'failed' }]);
});

test('a job that fails has failed once; one that takes too long, too', async () => {
  const clock = fakeClock('2026-06-01T08:00:00Z');
  const failing = notingJob('failing', async () => {
    throw new Error('broken');
  });
  const slow = notingJob('slow', () => new Promise(() => undefined));
  const timetable = [entry('failing', '0 9 * * *'), entry('slow', '0 9 * * *')];
  const jobs = [failing.job, { ...slow.job, timeoutMs: 50 }];
  const { tools, tickUntilSettled } = makeMachinery({ timetable, jobs, clock: clock.now }, { env });
  await tickUntilSettled();
  clock.set('2026-06-01T09:00:00Z');
  await tickUntilSettled();
  await tickUntilSettled();
  const rows = tools.db.prepare<[], { error: string; state: string }>('SELECT state, error FROM schedule_slots').all();
  expect([failing.seen.length, slow.seen.length, rows.map(({ state }) => state)]).toEqual([1, 1, ['failed', 'failed']]);
  expect(rows.map(({ error }) => error)).toEqual(['broken', expect.stringContaining('Could not do "slow" within')]);
});

test('a stop gives back what runs, and the next process finishes it, whatever the time', async () => {
  const folder = tempDir();
  const clock = fakeClock('2026-06-01T08:00:00Z');
  const stopped = notingJob(
    'job',
    ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', reject)),
  );
  const timetable = [entry('job', '0 9 * * *')];
  const first = makeMachinery({ timetable, jobs: [stopped.job], clock: clock.now }, { folder, env });
  first.runner.tick();
  clock.set('2026-06-01T09:00:00Z');
  first.runner.tick();
  await first.close();
  const next = notingJob('job');
  clock.set('2026-06-05T20:00:00Z');
  const second = makeMachinery({ timetable, jobs: [next.job], clock: clock.now }, { folder, env });
  await second.tickUntilSettled();
  expect([stopped.seen, next.seen[0]]).toEqual([['2026-06-01T09:00:00.000Z'], '2026-06-01T09:00:00.000Z']);
});

test('of two schedulers on one monitor.db one works, and the other when the first has gone', async () => {
  const { seen, machinery, make, at, clock } = await start('0 9 * * *', '2026-06-01T00:00:00Z');
  const other = make();
  clock.set('2026-06-01T09:00:00Z');
  await other.tickUntilSettled();
  expect([seen, other.lead.isHeld()]).toEqual([[], false]);
  await at('2026-06-01T09:00:00Z');
  await machinery.close();
  clock.set('2026-06-02T09:00:00Z');
  await other.tickUntilSettled();
  expect(seen).toEqual(['2026-06-01T09:00:00.000Z', '2026-06-02T09:00:00.000Z']);
});
