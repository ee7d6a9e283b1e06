import { type Kpi, meetsTarget } from '../../../lib/memory/kpis.ts';
import { dailyOutcomes, windowOutcomes } from '../../../lib/memory/task-figures.ts';
import { WEEK } from '../../../lib/memory/windows.ts';
import { kpisOf, readMemoryOnce } from '../../../lib/read-memory.ts';
import { readGoalKpis } from '../../goals.ts';
import { drawDays, renderPng } from '../chart.ts';
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
    const png = isEmpty ? undefined : await renderPng(drawDays(days), log);
    const text = speaker.say(REPLIES.kpis, {
      table: table(rows),
      ...{ success, failed, unknown },
      days: png ? CHART_DAYS : undefined,
    });
    return { text, ...(png ? { file: { kind: 'photo', name: 'kpi.png', bytes: png } } : {}) };
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
