import type { Random } from '../../lib/memory/demo/random.ts';
import { type Row, timeText } from '../../lib/memory/demo/writer.ts';
import {
  eventRow,
  fixRow,
  orchestratedRow,
  retryRow,
  stopRow,
  type TestMemory,
  taskRow,
  usageRow,
} from './memory-builder.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const AGENTS = ['cervella-backend', 'cervella-docs', 'Explore'];
const GARBAGE = ['', 'soon', '2026-02-30 10:00:00', '9999-12-31 23:59:59', '0000-01-01 00:00:00'];

/** What happens to a memory. Where it is wild, every other reading has to begin anew; where it is calm, none has to. */
export interface Life {
  readonly agesMs: readonly number[];
  readonly aheadMs: readonly number[];
  readonly cleanUps: readonly string[];
  readonly pausesMs: readonly number[];
  readonly setBackMs: readonly number[];
}
export const CALM: Life = {
  agesMs: [2_000, 10_000, 10_000, MINUTE_MS, 60 * MINUTE_MS],
  aheadMs: [1_000, MINUTE_MS, 4 * MINUTE_MS],
  cleanUps: [],
  pausesMs: [0, MINUTE_MS, 30 * MINUTE_MS],
  setBackMs: [0],
};
export const WILD: Life = {
  agesMs: [...CALM.agesMs, 2 * DAY_MS, 40 * DAY_MS],
  aheadMs: [...CALM.aheadMs, 10 * MINUTE_MS, DAY_MS],
  cleanUps: [
    'DELETE FROM swarm_events WHERE rowid = (SELECT min(rowid) FROM swarm_events)',
    'DELETE FROM swarm_events WHERE rowid = (SELECT max(rowid) FROM swarm_events)',
    'DELETE FROM swarm_events WHERE rowid % 17 = 3',
    'VACUUM',
    "DELETE FROM task_usage WHERE task_id < 'U3'",
    'DELETE FROM task_usage WHERE attempt % 3 = 0',
  ],
  pausesMs: [...CALM.pausesMs, DAY_MS / 2, 3 * DAY_MS],
  // More than what counts as a clock that is a little off.
  setBackMs: [0, 0, 0, 10 * MINUTE_MS, 2 * DAY_MS],
};

/** Times mostly of now, but also of earlier, ahead, or of no time at all, in every form. */
function randomTime(random: Random, life: Life, nowMs: number): { readonly ms: number; readonly columns: Row } {
  const age = Math.floor(random.next() * random.pick(life.agesMs));
  const ms = random.chance(0.1) ? nowMs + random.pick(life.aheadMs) : nowMs - age;
  return { ms, columns: timeColumns(random, ms) };
}

function timeColumns(random: Random, ms: number): Row {
  if (random.chance(0.05)) return { timestamp: random.pick(GARBAGE), created_at: random.pick(GARBAGE) };
  if (random.chance(0.5)) return { created_at: timeText.sqlite(ms) };
  const form = random.pick([
    timeText.utcMicroseconds,
    timeText.zulu,
    (at: number) => timeText.naiveLocal(at, 'Europe/Rome'),
  ]);
  return { timestamp: form(ms), created_at: random.pick([null, '']) };
}

/** Rows that some writer could have written; the other row of a pair may come with a later batch, or never. */
export function createWriter(random: Random, life: Life) {
  const later: Row[] = [];
  const ids = ['none'];
  const common = (): Row => ({
    session_id: random.pick(['s1', 's2', 's3', null, '']),
    agent_name: random.pick([...AGENTS, 'subagent', null]),
    project: random.pick(['demo', 'other', null]),
    notes: random.pick([null, '{broken', `{"agent_id":"a${random.between(1, 20)}"}`]),
    error_message: random.chance(0.2) ? `boom ${random.pick(['one', 'two', '3', '4'])}` : null,
    duration_ms: random.chance(0.4) ? random.between(0, 2_000_000) : null,
    success: random.pick([0, 1, null, null]),
  });
  const makers: ((ms: number, columns: Row) => Row[])[] = [
    (ms, columns) => [stopRow(ms, { ...common(), ...columns })],
    (ms, columns) => [taskRow(ms, { ...common(), ...columns })],
    (ms, columns) => [
      eventRow(ms, {
        ...common(),
        event_type: random.pick(['task_failed', 'task_start', 'task_start', 'tool_use', '']),
        ...columns,
      }),
    ],
    (ms, columns) => [
      orchestratedRow(ms, random.uuid(), {
        success: random.pick([0, 1]),
        task_id: `T${random.between(1, 20)}`,
        ...columns,
      }),
    ],
    (ms, columns) => [retryRow(ms, `T${random.between(1, 20)}`, { error_message: 'boom one', ...columns })],
    (ms, columns) => [fixRow(ms, random.pick([...ids, `T${random.between(1, 20)}`]), columns)],
    (ms, columns) => {
      const run = common();
      const gap = random.pick([30, 30, 999, 1_000, 2_000, 2_001, 2_500]);
      const stop = stopRow(ms, { ...run, agent_name: random.pick(['subagent', run.agent_name]), ...columns });
      const task = taskRow(ms + gap, { ...run, ...timeColumns(random, ms + gap) });
      const [first, second] = random.chance(0.7) ? [stop, task] : [task, stop];
      if (random.chance(0.6)) return [first, second];
      later.push(second);
      return [first];
    },
  ];
  return (nowMs: number): Row[] => {
    const waiting = later.splice(0, random.between(0, 3));
    const rows = Array.from({ length: random.between(0, 25) }, () => {
      const { ms, columns } = randomTime(random, life, nowMs);
      return random.pick(makers)(ms, columns);
    });
    const batch = [...waiting, ...rows.flat()];
    ids.push(...batch.map((row) => String(row.id)));
    return batch;
  };
}

/** What runs cost, of tasks without an ending row or with one, now and then an earlier attempt after a later one. */
function randomUsage(random: Random, nowMs: number): Row {
  const taskId = random.chance(0.3) ? `U${random.uuid()}` : `T${random.between(1, 20)}`;
  return usageRow(nowMs, taskId, { attempt: random.between(1, 1_000_000), cost_usd: random.next() });
}

/** Adds costs, and now and then cleans up. */
export function tidy(memory: TestMemory, random: Random, nowMs: number, { cleanUps }: Life): void {
  while (random.chance(0.6)) memory.insert('task_usage', randomUsage(random, nowMs));
  if (cleanUps.length > 0 && random.chance(0.15)) memory.write((db) => db.exec(random.pick(cleanUps)));
}
