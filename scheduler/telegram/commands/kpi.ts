import { type Kpi, meetsTarget } from '../../../lib/memory/kpis.ts';
import { windowOutcomes } from '../../../lib/memory/task-figures.ts';
import { WEEK } from '../../../lib/memory/windows.ts';
import { kpisOf, readMemoryOnce } from '../../../lib/read-memory.ts';
import type { BotCommand } from '../context.ts';
import { table } from '../html.ts';
import type { Speaker } from '../speaker.ts';
import { KPI_WORDS } from '../words/kpis.ts';
import { REPLIES } from '../words/replies.ts';

/** `/kpi`: the key figures of the last 7 days beside their targets. */
export const kpi: BotCommand = {
  names: { it: 'kpi', en: 'kpi' },
  about: { it: 'I KPI della settimana', en: 'The KPIs of the week' },
  run: async ({ settings, speaker }) => {
    const { config } = settings;
    const { kpis, outcomes } = await readMemoryOnce(config, (view) => ({
      kpis: kpisOf(view, config),
      outcomes: windowOutcomes(view.tally.tasks, WEEK),
    }));
    const rows = kpis.map((each) => [
      verdict(each),
      speaker.plain(KPI_WORDS[each.key]),
      figure(each, each.value, speaker),
      figure(each, each.target, speaker),
    ]);
    const [success, failed, unknown] = outcomes;
    return { text: speaker.say(REPLIES.kpis, { table: table(rows), success, failed, unknown }) };
  },
};

function verdict(kpi: Kpi): string {
  const meets = meetsTarget(kpi);
  return meets === undefined ? '⚪' : meets ? '🟢' : '🔴';
}

function figure({ key }: Kpi, value: number | undefined, { percent, duration, number }: Speaker): string {
  if (value === undefined) return '–';
  if (key.endsWith('_ratio')) return percent(value);
  if (key === 'task_seconds_mean') return duration(value * 1_000);
  return number(value, Number.isInteger(value) || value >= 100 ? 0 : 2);
}
