import { isEmptyWeek, type KpiOfRetro } from '../figures.ts';
import { table } from '../markdown.ts';
import type { Say } from '../say.ts';
import type { Retro } from '../style.ts';

/** How each KPI is written. */
const FORMS: Readonly<Record<KpiOfRetro['key'], (value: number, say: Say) => string>> = {
  tasks_per_day: (value, say) => say.rate(value),
  success_ratio: (value, say) => say.percent(value),
  task_seconds_mean: (value, say) => say.duration(value),
  retry_ratio: (value, say) => say.percent(value),
  fix_after_agent_ratio: (value, say) => say.percent(value),
  repeated_errors: (value, say) => say.number(value),
  lessons_applied_ratio: (value, say) => say.percent(value),
  tokens_per_task: (value, say) => say.number(value),
  cost_eur_per_task: (value, say) => say.eur(value),
  infra_cost_eur_month: (value, say) => say.eur(value),
  hours_saved_week: (value, say) => say.number(value, 1),
  autonomous_tasks_week: (value, say) => say.number(value, 1),
  geo_freedom_ratio: (value, say) => say.percent(value),
};

/** The KPIs beside the days before and their targets. */
export function numbers(retro: Retro): readonly string[] {
  const { figures, words } = retro;
  const { heading, now, change, target } = words.numbers;
  if (isEmptyWeek(figures)) return [];
  const kpis = figures.kpis.filter(isSaid);
  const isShown = ({ key, value, before }: KpiOfRetro): boolean =>
    key === 'success_ratio' || value !== undefined || before !== undefined;
  const missing = kpis.filter((kpi) => !isShown(kpi)).map(({ key }) => words.numbers.kpis[key].toLowerCase());
  const rows = kpis
    .filter(isShown)
    .map((kpi) => [words.numbers.kpis[kpi.key], valueCell(kpi, retro), changeCell(kpi, retro), targetCell(kpi, retro)]);
  return [
    `## ${heading}`,
    '',
    ...table(['', now(figures.days), change, target], rows),
    ...(missing.length > 0 ? ['', words.numbers.allNotKnown(missing.join(', '))] : []),
  ];
}

/** False for what is said by hand, and was not: what the machine costs (0 is no figure then), and how far a goal has come. */
function isSaid({ key, value }: KpiOfRetro): boolean {
  if (key === 'infra_cost_eur_month') return value !== 0;
  return key !== 'geo_freedom_ratio' || value !== undefined;
}

function valueCell({ key, value }: KpiOfRetro, { figures, words, say }: Retro): string {
  const text = value === undefined ? words.numbers.notKnown : FORMS[key](value, say);
  const { unknown } = figures.outcomes;
  return key === 'success_ratio' && unknown > 0 ? `${text} ${words.numbers.ofUnknown(unknown)}` : text;
}

function changeCell({ key, value, before }: KpiOfRetro, { words, say }: Retro): string {
  if (value === undefined) return '–';
  if (before === undefined) return words.numbers.beforeNotKnown;
  const [text, textBefore] = [FORMS[key](value, say), FORMS[key](before, say)];
  if (text === textBefore) return words.numbers.same;
  return words.numbers.changed(value > before ? '▲' : '▼', textBefore);
}

function targetCell({ key, target, better, meetsTarget }: KpiOfRetro, { words, say }: Retro): string {
  if (target === undefined) return '–';
  const bound = FORMS[key](target, say);
  const text = better === 'more' ? words.numbers.atLeast(bound) : words.numbers.atMost(bound);
  return meetsTarget === undefined ? text : `${text} ${meetsTarget ? '✓' : '✗'}`;
}
