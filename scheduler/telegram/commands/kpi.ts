import { type Kpi, meetsTarget } from '../../../lib/memory/kpis.ts';
import { dailyOutcomes, windowOutcomes } from '../../../lib/memory/task-figures.ts';
import { WEEK } from '../../../lib/memory/windows.ts';
import { kpisOf, readMemoryOnce } from '../../../lib/read-memory.ts';
import { readGoalKpis } from '../../goals.ts';
import { drawDays } from '../chart/days.ts';
import { render } from '../chart/render.ts';
import type { BotCommand } from '../context.ts';
import { table } from '../html.ts';
import type { Speaker } from '../speaker.ts';
import { KPI_WORDS } from '../words/kpis.ts';
import { REPLIES } from '../words/replies.ts';

const CHART_DAYS = 28;

/** `/kpi`: the key figures of the last 7 days beside their targets. */
export const kpi: BotCommand = {
  names: { it: 'kpi', en: 'kpi' },
  about: { it: 'I KPI della settimana', en: 'The KPIs of the week' },
  run: async ({ settings, speaker, log, db }) => {
    const { config } = settings;
    const { kpis, outcomes, days } = await readMemoryOnce(config, (view) => ({
      kpis: kpisOf(view, config),
      outcomes: windowOutcomes(view.tally.tasks, WEEK),
      days: dailyOutcomes(view.tally.tasks, CHART_DAYS),
    }));
    const goals = readGoalKpis(db).map((goal) => ({ ...goal, target: undefined, better: 'more' as const }));
    const rows = [...kpis, ...goals].map((each) => [
      verdict(each),
      speaker.plain(KPI_WORDS[each.key]),
      figure(each, each.value, speaker),
      figure(each, each.target, speaker),
    ]);
    const [success, failed, unknown] = outcomes;
    const isEmpty = days.flat().every((count) => count === 0);
    const text = speaker.say(REPLIES.kpis, { table: table(rows), ...{ success, failed, unknown } });
    if (isEmpty) return { text };
    const caption = speaker.say(REPLIES.kpiPicture, { days: CHART_DAYS });
    return { text, files: await render({ name: 'kpi.png', svg: drawDays(days), caption }, log) };
  },
};

function verdict(kpi: Kpi<string>): string {
  const meets = meetsTarget(kpi);
  return meets === undefined ? '⚪' : meets ? '🟢' : '🔴';
}

/** Short enough for a table on a phone. */
function figure({ key }: Kpi<string>, value: number | undefined, { percent, number }: Speaker): string {
  if (value === undefined) return '–';
  if (key.endsWith('_ratio')) return percent(value);
  if (key === 'task_seconds_mean') return `${number(value / 60, 1)} min`;
  return number(value, Number.isInteger(value) || value >= 100 ? 0 : 2);
}
