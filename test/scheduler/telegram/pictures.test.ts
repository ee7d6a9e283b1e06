/// <reference lib="dom" />
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { createDemoMemory } from '../../../lib/memory/demo/demo.ts';
import { openMonitorDb } from '../../../scheduler/monitor-db.ts';
import { composeShort } from '../../../scheduler/retro/compose.ts';
import { weekOf } from '../../../scheduler/retro/week.ts';
import { createReviewLedger } from '../../../scheduler/reviews/review-ledger.ts';
import { taskValue } from '../../lib/queue/task-value.ts';
import { openPhonePage } from '../../support/browser.ts';
import { orchestratedRow, usageRow } from '../../support/memory-builder.ts';
import { makePhone, type PhoneScene } from '../../support/phone-scene.ts';
import { refuseNext } from '../../support/refused-task.ts';
import { retroOf } from '../../support/retro-values.ts';
import { renderChat, type Shown } from './chat-page.ts';

/** `UPDATE_SCREENSHOTS=1 npx vitest run test/scheduler/telegram/pictures.test.ts` takes the pictures in docs/ anew. */
const FOLDER = fileURLToPath(new URL('../../../docs/telegram/', import.meta.url));
const HOUR_MS = 3_600_000;
const PATIENTLY = { timeout: 20_000, interval: 30 };
const AGENTS = ['cervella-backend', 'cervella-reviewer', 'cervella-tester'];

/** Five weeks of made-up work. */
function fillMemory({ memory }: PhoneScene): void {
  const nowMs = Date.now();
  for (let index = 0; index < 120; index += 1) {
    const endMs = nowMs - 2 * HOUR_MS - index * 7 * HOUR_MS;
    const agent_name = AGENTS[index % 3];
    const fails =
      index % 9 === 4 ? { success: 0, event_type: 'task_failed', error_message: `Errore ${index % 2}` } : {};
    memory.events(
      orchestratedRow(endMs, `task-${index}`, { agent_name, duration_ms: 60_000 + index * 4_000, ...fails }),
    );
    memory.insert('task_usage', usageRow(endMs, `task-${index}`, { agent_name, cost_usd: 0.11 + (index % 5) / 20 }));
  }
}

const end = { round: 0, project: 'miracollo', source: 'timetable', attempts: 1, costUsd: 0.31, durationMs: 412_000 };

/** One picture: what is said, and until when one waits. */
const PICTURES: readonly (readonly [name: string, talk: (scene: PhoneScene) => Promise<readonly Shown[]>])[] = [
  ['status', async (scene) => [...(await ask(scene, '/stato', /Stato/)), ...(await ask(scene, '/coda', /Coda/))]],
  ['kpi', async (scene) => [...(await ask(scene, '/kpi', /KPI/)), ...(await ask(scene, '/costi', /Costi/))]],
  [
    'results',
    async ({ api, env, notify, pass, rows }) => {
      const error = 'Il test prenotazioni.spec.ts fallisce: atteso 200, trovato 500.';
      const ends = AGENTS.map((agent, index) => ({ agent, id: `0a1b2c3${index}-4d5e-4f60-8a7b-9c0d1e2f3a4b` }));
      noteReview(env.MONITOR_DB_PATH, ends[1].id);
      await notify(
        {
          kind: 'task-ended',
          key: 'e-1',
          facts: { ...end, ...ends[0], outcome: 'needs-attention', error, attempts: 3 },
        },
        ...ends.map((each, index) => ({
          kind: 'task-ended' as const,
          key: `e-${index + 2}`,
          facts: { ...end, ...each, outcome: 'ok' },
        })),
      );
      const failed = await api.message(/Serve uno sguardo/);
      await vi.waitFor(() => expect(rows('SELECT key FROM telegram_outbox')).toHaveLength(4), PATIENTLY);
      pass(5 * 60_000);
      await notify({ kind: 'budget-notice', key: 'b-1', facts: { period: 'day', spentUsd: 4.02, limitUsd: 5 } });
      return [failed, await api.message(/task finiti/), await api.message(/Budget del giorno/)];
    },
  ],
  [
    'retro',
    async ({ api, env, notify }) => {
      const untilMs = Date.parse('2026-11-27T17:00:00Z');
      const path = `${env.SWARM_DB_PATH}.demo`;
      createDemoMemory({ path, seed: 1, days: 30, untilMs, timezone: 'Europe/Rome' });
      const goals = [
        { goal: 'liberta-geo', percent: 30, setAt: '2026-11-01T09:00:00.000Z' },
        { goal: 'liberta-geo', percent: 35, setAt: '2026-11-25T09:00:00.000Z' },
      ];
      const figures = await retroOf(path, { untilMs, goals });
      const text = composeShort(figures, { language: 'it', timezone: 'Europe/Rome' });
      await notify({ kind: 'retro', key: 'r-1', facts: { text, week: JSON.stringify(weekOf(figures)) } });
      return [await api.message(/Retrospettiva/)];
    },
  ],
  [
    'approval',
    async (scene) => {
      const { api, queue } = scene;
      const prompt = 'Aggiorna il calcolo della tassa di soggiorno e prova tutte le tariffe.';
      const { id } = await queue.enqueue(
        taskValue({ project: 'miracollo', approval: 'pending', budgetUsd: 3, source: 'github', prompt }),
      );
      const question = await api.message(/Serve un sì/);
      const before = { ...question };
      await api.press('Approva');
      await vi.waitFor(() => expect(question.text).toMatch(/^✅ Approvato/), PATIENTLY);
      await queue.cancel(id, 'no');
      await queue.enqueue(taskValue({ project: 'miracollo', priority: 'high', prompt }));
      const call = { tool: 'Bash', input: 'npm install date-fns', rule: 'Bash(npm install date-fns)' } as const;
      await refuseNext(scene, [call], { ...end, prompt });
      return [before, question, await api.message(/chiede quello che non può usare/)];
    },
  ],
  [
    'new-task',
    async ({ api }) => {
      const shown: Shown[] = ['/nuovo'];
      api.say('/nuovo');
      const asked = await api.message(/Quale agente/);
      shown.push({ ...asked });
      await api.press('cervella-tester');
      await vi.waitFor(() => expect(asked.text).toContain('Quale progetto'), PATIENTLY);
      await api.press('acme');
      await vi.waitFor(() => expect(asked.text).toContain('Scrivi'), PATIENTLY);
      shown.push({ ...asked }, 'Prova il calcolo delle tariffe di Natale');
      api.say('Prova il calcolo delle tariffe di Natale');
      const budget = await api.message(/Quanto può costare/);
      shown.push({ ...budget });
      await api.press('1,00 $');
      await vi.waitFor(() => expect(budget.text).toContain('fino a'), PATIENTLY);
      shown.push({ ...budget });
      return shown;
    },
  ],
];

test.each(PICTURES)('on a phone, %s can be read without scrolling sideways', async (name, talk) => {
  const scene = await makePhone();
  fillMemory(scene);
  await scene.queue.enqueue(taskValue({ project: 'acme', agent: 'cervella-reviewer' }));
  const shown = await talk(scene);
  const { page } = await openPhonePage();
  await page.setContent(renderChat(shown));
  const tooWide = await page.evaluate(() =>
    [...document.querySelectorAll('pre, .button')]
      .filter((each) => each.scrollWidth > each.clientWidth + 1)
      .map((each) => each.textContent),
  );
  expect(tooWide).toEqual([]);
  expect(scene.api.refusals).toEqual([]);
  if (process.env.UPDATE_SCREENSHOTS !== '1') return;
  mkdirSync(FOLDER, { recursive: true });
  const { height } = (await page.locator('body').boundingBox()) ?? { height: 844 };
  await page.setViewportSize({ width: 390, height: Math.ceil(height) });
  await page.screenshot({ path: `${FOLDER}${name}.png` });
});

/** A review that the task of this id led to. */
function noteReview(path: string, taskId: string): void {
  const db = openMonitorDb(path);
  const ledger = createReviewLedger({ db, clock: Date.now, timezone: 'Europe/Rome', perDay: 1 });
  const head = { repository: 'acme/app', number: 7, headSha: 'a' };
  ledger.notice({ ...head, beginMs: Date.now(), again: [] });
  const [row] = ledger.due();
  ledger.change(row, { state: 'posted', taskId, reviewUrl: 'https://github.com/acme/app/pull/7#pullrequestreview-1' });
  db.close();
}

async function ask({ api }: PhoneScene, text: string, answer: RegExp): Promise<readonly Shown[]> {
  const before = api.messages.length;
  api.say(text);
  return [text, await api.message(answer, before)];
}
