import { SHIPMENTS_TABLE } from '../../lib/memory/tables.ts';
import {
  eventRow,
  fixRow,
  lessonRow,
  type MemoryState,
  makeMemory,
  orchestratedRow,
  patternRow,
  retryRow,
  shipmentRow,
  stopRow,
  type TestMemory,
  taskRow,
  usageRow,
} from './memory-builder.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * A small memory with something for every metric, as of `nowMs`: eight tasks, of which three succeeded, two failed and
 * three never said. In states F and G only the type of a row tells an outcome: two failed, six never said.
 */
export function fillMemory(nowMs: number, state: MemoryState = 'C'): TestMemory {
  const memory = makeMemory({ state, hasUsage: state === 'C' });
  const before = (minutes: number): number => nowMs - minutes * MINUTE_MS;
  const timeout = { error_message: 'Timeout after 30 s in /srv/app/a.ts' };
  memory.events(
    // Ten days ago: an old failure, whose kind of error comes back below.
    taskRow(nowMs - 10 * DAY_MS, { event_type: 'task_failed', success: 0, session_id: 's1', ...timeout }),
    // Two rows of one run, and a run of which only the stop row is there.
    stopRow(before(300), { session_id: 's2' }),
    taskRow(before(300) + 30, { session_id: 's2' }),
    stopRow(before(200), { session_id: 's3', agent_name: 'Explore', project: 'miracollo' }),
    stopRow(before(190), { session_id: 's4', agent_name: '', project: null }),
    // From the queue: tried twice and mended, then one that failed, both with a duration.
    retryRow(before(130), 'T1', { error_message: 'Timeout after 600 s in /srv/app/b.ts' }),
    orchestratedRow(before(120), 'T1', { agent_name: 'cervella-docs', session_id: 's5', duration_ms: 90_000 }),
    fixRow(before(110), 'T1'),
    orchestratedRow(before(20), 'T2', {
      event_type: 'task_failed',
      success: 0,
      session_id: 's6',
      duration_ms: 1_200_000,
      error_message: 'Cannot find module "x"',
    }),
    orchestratedRow(before(10), 'T3', { agent_name: 'cervella-docs', session_id: 's7', duration_ms: 45_500 }),
    stopRow(before(5), { session_id: 's8' }),
    // Begun and not over.
    eventRow(before(3), { event_type: 'task_start', session_id: 's9', task_id: 'T4', agent_name: 'cervella-backend' }),
  );
  if (state !== 'F') {
    memory.insert(
      'lessons_learned',
      lessonRow({ times_applied: 2, severity: 'HIGH' }),
      lessonRow({ severity: 'critical' }),
      lessonRow({ status: 'RESOLVED', severity: 'LOW' }),
    );
  }
  if (state !== 'A' && state !== 'F')
    memory.insert('error_patterns', patternRow(), patternRow({ status: 'MITIGATED' }));
  if (state === 'C') {
    memory.insert(
      'task_usage',
      usageRow(before(120), 'T1', { agent_name: 'cervella-docs', cost_usd: 0.25 }),
      usageRow(before(120), 'T1', { attempt: 2, agent_name: 'cervella-docs', model: 'claude-opus-4-5' }),
      usageRow(before(20), 'T2', { cost_usd: 0.1 }),
      usageRow(nowMs - 8 * DAY_MS, 'T0', { cost_usd: 4 }),
    );
  }
  memory.write((db) => db.exec(SHIPMENTS_TABLE));
  memory.insert('shipments', shipmentRow(before(60)), shipmentRow(before(90)));
  return memory;
}
