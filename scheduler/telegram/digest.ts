import { describeError } from '../../lib/errors.ts';
import { successRatio, windowOutcomes } from '../../lib/memory/task-figures.ts';
import { readGates } from '../../lib/queue/gates.ts';
import { readMemoryOnce } from '../../lib/read-memory.ts';
import { utc } from '../ledger.ts';
import { type OpenItem, readOpenItems } from '../maintenance/checklist.ts';
import type { Tools } from '../tools.ts';
import type { Words } from '../words.ts';
import { toPlainText } from './html.ts';
import type { Facts } from './outbox.ts';
import { countHealth } from './reports.ts';
import type { Speaker } from './speaker.ts';
import { TOLD } from './words/notifications.ts';

const DAY_MS = 86_400_000;
/** Its place in WINDOWS. */
const DAY = 1;
const ENDED_LOOKED_AT = 200;
const LONGEST_REASON = 200;

/** What needs a person, and how much of it. */
interface Needs {
  readonly approvals: number;
  readonly failed: number;
  readonly isPaused: boolean;
  readonly jobs: number;
  readonly maintenance: readonly OpenItem[];
}

/** What the digest tells of the last 24 hours; what cannot be asked is left out, or says why. */
export async function gatherDigest(tools: Tools, speaker: Speaker): Promise<Facts> {
  const { db, settings } = tools;
  const [memory, queue] = await Promise.all([gatherMemory(tools, speaker), gatherQueue(tools)]);
  const jobs = failedJobs(tools);
  const health = countHealth(db);
  const maintenance = readOpenItems(db);
  const needs = describeNeeds({ ...queue.needs, jobs: jobs.length, maintenance }, speaker);
  return {
    ...memory,
    ...queue.facts,
    limit: speaker.money(settings.work.budgetDayUsd),
    ...(health === undefined ? {} : { health: `${health.up}/${health.all}` }),
    ...(jobs.length === 0 ? {} : { jobs: jobs.join(', ') }),
    ...(needs === '' ? {} : { needs }),
  };
}

async function gatherMemory({ settings }: Tools, speaker: Speaker): Promise<Facts> {
  try {
    return await readMemoryOnce(settings.config, (view) => {
      const outcomes = windowOutcomes(view.tally.tasks, DAY);
      const [success, failed, unknown] = outcomes;
      const ratio = successRatio(outcomes);
      const costUsd = (view.usage()?.windows[DAY].costMicroUsd ?? 0) / 1e6;
      return {
        ...{ tasks: success + failed + unknown, success, failed, unknown },
        ...(ratio === undefined ? {} : { ratio: speaker.percent(ratio) }),
        cost: speaker.money(costUsd),
      };
    });
  } catch (error) {
    return { memory: describeError(error, LONGEST_REASON) };
  }
}

async function gatherQueue({
  withQueue,
  clock,
}: Tools): Promise<{ readonly facts: Facts; readonly needs: Omit<Needs, 'jobs' | 'maintenance'> }> {
  try {
    return await withQueue(async (queue, redis) => {
      const nowMs = clock();
      const [counts, gates, pending, tasks] = await Promise.all([
        queue.counts(),
        readGates(redis, nowMs),
        queue.pending(),
        queue.list(ENDED_LOOKED_AT),
      ]);
      const since = utc(nowMs - DAY_MS);
      const failed = tasks.filter(({ state, endedAt }) => state === 'failed' && (endedAt ?? '') > since).length;
      const facts = {
        waiting: (counts.wait ?? 0) + (counts.prioritized ?? 0),
        active: counts.active ?? 0,
        delayed: (counts.delayed ?? 0) - pending.length,
        ...(gates.length === 0 ? {} : { paused: gates.map(({ reason }) => reason).join(', ') }),
      };
      return { facts, needs: { approvals: pending.length, failed, isPaused: gates.length > 0 } };
    });
  } catch (error) {
    const facts = { paused: describeError(error, LONGEST_REASON) };
    return { facts, needs: { approvals: 0, failed: 0, isPaused: true } };
  }
}

/** Jobs of the timetable whose last slot of these 24 hours failed. */
function failedJobs({ db, clock }: Tools): readonly string[] {
  return db
    .prepare<[string], string>(
      `SELECT DISTINCT job FROM schedule_slots AS slot WHERE state = 'failed' AND slot_utc > ? AND slot_utc =
         (SELECT max(slot_utc) FROM schedule_slots WHERE job = slot.job AND state IN ('done', 'failed')) ORDER BY job`,
    )
    .pluck()
    .all(utc(clock() - DAY_MS));
}

function describeNeeds({ approvals, failed, isPaused, jobs, maintenance }: Needs, { say, moment }: Speaker): string {
  const each = (count: number, words: Words, since?: string): string =>
    count === 0 ? '' : toPlainText(say(words, { count, since }));
  return [
    each(approvals, TOLD.needsApprovals),
    each(failed, TOLD.needsFailed),
    each(isPaused ? 1 : 0, TOLD.needsPaused),
    each(jobs, TOLD.needsJobs),
    each(maintenance.length, TOLD.needsMaintenance, maintenance[0] && moment(maintenance[0].askedMs)),
  ]
    .filter((text) => text !== '')
    .join(', ');
}
