import { expect, test, vi } from 'vitest';
import { createLog } from '../../../lib/log.ts';
import { assemble } from '../../../scheduler/assemble.ts';
import { digest } from '../../../scheduler/jobs/digest.ts';
import { askFor } from '../../../scheduler/maintenance/checklist.ts';
import { MAINTENANCE_TASKS } from '../../../scheduler/maintenance/tasks.ts';
import { openMonitorDb } from '../../../scheduler/monitor-db.ts';
import { readSettings } from '../../../scheduler/settings.ts';
import { taskValue } from '../../lib/queue/task-value.ts';
import { taskRow, usageRow } from '../../support/memory-builder.ts';
import { makePhone, type PhoneScene } from '../../support/phone-scene.ts';

/** Runs the job for a slot, as the scheduler does. */
async function runDigest({ env }: PhoneScene, slotMs: number) {
  const machinery = assemble(readSettings(env), createLog('scheduler', 'silent'), { timetable: [], jobs: [] });
  try {
    const slot = { slotMs, nowMs: slotMs, latenessMs: 0, isLate: false, isManual: false };
    return await digest.run({ ...machinery.tools, slot, signal: new AbortController().signal });
  } finally {
    await machinery.close();
  }
}

test('it tells tasks, success, cost, queue and what needs a person, once for its slot', async () => {
  const scene = await makePhone();
  const { api, memory, queue } = scene;
  const nowMs = Date.now();
  memory.events(
    taskRow(nowMs - 3_600_000, { session_id: null }),
    taskRow(nowMs - 3_700_000, { session_id: null, success: 0, event_type: 'task_failed' }),
    taskRow(nowMs - 3_800_000, {
      session_id: null,
      success: null,
      event_type: 'task_complete',
      task_status: 'completed',
    }),
  );
  memory.insert('task_usage', usageRow(nowMs - 3_600_000, 't1', { cost_usd: 0.75 }));
  await queue.enqueue(taskValue({ project: 'acme' }));
  await queue.enqueue(taskValue({ project: 'acme', approval: 'pending' }));
  await runDigest(scene, nowMs);
  await runDigest(scene, nowMs);
  const told = await api.message(/Le ultime 24 ore/);
  expect(told.text.split('\n').slice(1)).toEqual([
    '3 task: 1 riusciti, 1 falliti, 1 senza esito',
    'Successo 50,0 %',
    'Costo 0,75 $ (oggi il limite è 5,00 $)',
    'Coda: 1 in attesa, 0 in corso, 0 rimandati',
    '',
    '👉 Serve te: 1 da approvare',
  ]);
  await runDigest(scene, nowMs + 86_400_000);
  await vi.waitFor(() => expect(api.messages.filter(({ text }) => text.startsWith('☀️'))).toHaveLength(2), 10_000);
});

test('it reminds of what a checklist asked for until that is ticked off or asked for again, also weeks later', async () => {
  const scene = await makePhone({ atMs: Date.parse('2026-07-01T06:00:00Z') });
  const { api, env, notify, pass } = scene;
  const tasks = MAINTENANCE_TASKS.filter(({ id }) => id === 'documentation' || id === 'recovery-drill');
  const ask = async (day: string): Promise<void> => {
    const db = openMonitorDb(env.MONITOR_DB_PATH);
    const items = askFor(db, tasks, { day, nowMs: Date.parse(`${day}T06:00:00Z`) });
    db.close();
    const facts = Object.fromEntries(items.map(({ id, task }) => [`item-${id}`, task.words.it]));
    await notify({ kind: 'checklist', key: `maintenance-monthly-${day}`, facts: { text: 'Del mese', ...facts } });
  };
  const needs = async (slot: string): Promise<string | undefined> => {
    const before = api.messages.length;
    await runDigest(scene, Date.parse(slot));
    await vi.waitFor(() => expect(api.messages.length).toBe(before + 1), 10_000);
    return /Serve te: (.*)|👌.*/.exec(api.messages.at(-1)?.text ?? '')?.at(1);
  };
  await ask('2026-07-01');
  const list = await api.message(/Manutenzione\nDel mese/);
  expect(await needs('2026-07-02T06:30:00Z')).toBe('2 da fare per la manutenzione (la prima da mer 01/07 08:00)');
  pass(29 * 86_400_000);
  await api.press('Drill');
  await vi.waitFor(() => expect(list.text).toContain('✅ Drill'), 10_000);
  await ask('2026-07-31');
  await api.message(/Del mese/);
  expect(await needs('2026-07-31T06:30:00Z')).toBe('2 da fare per la manutenzione (la prima da ven 31/07 08:00)');
  for (const name of ['Drill', 'Documentazione']) await api.press(name);
  await vi.waitFor(() => expect(api.messages.findLast(({ text }) => text.includes('🧹'))?.buttons).toEqual([]), 10_000);
  expect(await needs('2026-08-01T06:30:00Z')).toBeUndefined();
});

test('it tells of a Redis and of a memory that cannot be reached', async () => {
  const scene = await makePhone({
    env: { SWARM_DB_PATH: '/nowhere/swarm_memory.db', REDIS_URL: 'redis://127.0.0.1:9' },
  });
  await runDigest(scene, Date.now());
  const { text } = await scene.api.message(/Le ultime 24 ore/);
  expect(text).toMatch(/Memoria: Could not .*\/nowhere/);
  expect(text).toMatch(/In pausa: Could not reach Redis/);
  expect(text).toContain('Serve te: la coda è in pausa');
});

test('without Telegram it says who is missing, and is no failure', async () => {
  const scene = await makePhone({ isStarted: false, env: { TELEGRAM_CHAT_ID: '' } });
  expect(await runDigest(scene, Date.now())).toEqual({ summary: 'nobody to tell: TELEGRAM_CHAT_ID is not set' });
});
