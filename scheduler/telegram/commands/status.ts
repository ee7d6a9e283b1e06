import { whereToAskAlertmanager } from '../../../lib/config.ts';
import { describeError } from '../../../lib/errors.ts';
import { successRatio, windowOutcomes } from '../../../lib/memory/task-figures.ts';
import { WINDOWS } from '../../../lib/memory/windows.ts';
import { readGates } from '../../../lib/queue/gates.ts';
import { readMemoryOnce } from '../../../lib/read-memory.ts';
import { readActiveAlerts } from '../alertmanager.ts';
import type { BotCommand, Context } from '../context.ts';
import { table } from '../html.ts';
import type { Values } from '../speaker.ts';
import { REPLIES } from '../words/replies.ts';

/** `/stato`: everything at a glance; what cannot be asked says why, and hides nothing else. */
export const status: BotCommand = {
  names: { it: 'stato', en: 'status' },
  about: { it: 'Tutto in uno sguardo', en: 'Everything at a glance' },
  run: async (context) => {
    const [queue, memory, alerts] = await Promise.all([
      describeQueue(context),
      describeMemory(context),
      countAlerts(context),
    ]);
    return { text: context.speaker.say(REPLIES.status, { ...queue, ...memory, alerts }) };
  },
};

async function describeQueue({ withQueue, clock }: Context): Promise<Values> {
  try {
    return await withQueue(async (queue, redis) => {
      const [counts, gates, pending, workers, results] = await Promise.all([
        queue.counts(),
        readGates(redis, clock()),
        queue.pending(),
        queue.workers(),
        queue.results(),
      ]);
      return {
        workers,
        waiting: (counts.wait ?? 0) + (counts.prioritized ?? 0),
        active: counts.active ?? 0,
        delayed: (counts.delayed ?? 0) - pending.length,
        pending: pending.length,
        paused: gates.length === 0 ? undefined : gates.map(({ reason }) => reason).join(', '),
        results: results.waiting === 0 ? undefined : results.waiting,
      };
    });
  } catch (error) {
    return { workers: '–', paused: describeError(error, 200) };
  }
}

async function describeMemory({ settings, speaker }: Context): Promise<Values> {
  const { plain, percent, moment, number } = speaker;
  const head = [REPLIES.windowHead, REPLIES.successHead, REPLIES.failedHead, REPLIES.unknownHead].map(plain);
  try {
    return await readMemoryOnce(settings.config, ({ tally }) => {
      const rows = WINDOWS.map(({ name }, index) => {
        const outcomes = windowOutcomes(tally.tasks, index);
        const ratio = successRatio(outcomes);
        return [name, ...outcomes.map((count) => number(count)), ratio === undefined ? '–' : percent(ratio)];
      });
      const { lastTaskMs } = tally.tasks;
      return {
        memory: plain(REPLIES.readable),
        lastTask: lastTaskMs === undefined ? '–' : moment(lastTaskMs),
        windows: table([[...head, '%'], ...rows]),
      };
    });
  } catch (error) {
    return { memory: describeError(error, 200) };
  }
}

async function countAlerts({ settings }: Context): Promise<number | string | undefined> {
  const address = whereToAskAlertmanager(settings.config);
  if (address === undefined) return undefined;
  try {
    const alerts = await readActiveAlerts(address);
    return alerts.length === 0 ? 0 : [...new Set(alerts.map(({ labels }) => labels.alertname ?? '–'))].join(', ');
  } catch (error) {
    return describeError(error, 200);
  }
}
