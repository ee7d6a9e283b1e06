import { changeText } from './advice-text.ts';
import { agentsInNeed, bestAgents } from './assess.ts';
import { advise, CHANGE, kpi, perPeriod } from './rules.ts';
import { troubleText } from './sections/agents.ts';
import { spentText } from './sections/head.ts';
import type { Retro } from './style.ts';

const MOST_STEPS = 3;

/** The week in a few lines of plain text, the most important first. */
export function shortLines(retro: Retro): readonly string[] {
  const { figures, words, say, style } = retro;
  const { success, failed, unknown } = figures.outcomes;
  const known = success + failed;
  const tasks = known + unknown;
  const [best] = bestAgents(figures.agents);
  const [inNeed] = agentsInNeed(figures.agents);
  const [error] = figures.errors.kinds;
  const hours = perPeriod(figures, 'hours_saved_week');
  const steps = advise(CHANGE, figures)
    .slice(0, MOST_STEPS)
    .map((change) => `• ${changeText(change, retro).step.replaceAll('`', '')}`);
  const ratio = say.percent(success / known);
  const lines = [
    say.days(figures.from, figures.until),
    tasks === 0 ? words.noTasks : words.short.tasks(tasks, say.rate(tasks / figures.days)),
    ...(tasks > 0 ? [known === 0 ? words.noOutcomes : words.short.success(success, known, ratio, unknown)] : []),
    ...spentText(retro),
    ...before(retro),
    ...(hours > 0 ? [words.saved(say.number(hours, 1))] : []),
    ...geoFreedom(retro),
    ...(best ? [words.short.best(words.agents.bestItem(best.agent, best.success, best.success + best.failed))] : []),
    ...(inNeed
      ? [words.short.inNeed(inNeed.agent, inNeed.troubles.map((each) => troubleText(each, retro)).join(', '))]
      : []),
    ...(error ? [words.short.error(style.quote(error.example), error.count)] : []),
  ];
  return steps.length === 0 ? lines : [...lines, '', words.short.steps, ...steps];
}

/** The days before in a line, if anything was done in them. */
function before({ figures, words, say }: Retro): readonly string[] {
  const { success, failed, unknown } = figures.outcomesBefore;
  const known = success + failed;
  const usd = figures.spendingBefore?.usd ?? 0;
  if (known + unknown === 0) return [];
  const ratio = known === 0 ? undefined : say.percent(success / known);
  return [words.short.before(known + unknown, { ratio, sum: usd === 0 ? undefined : say.eurOf(usd) })];
}

/** What all of it is for, where somebody says how far it has come. */
function geoFreedom({ figures, words, say }: Retro): readonly string[] {
  const { value, before: earlier = value } = kpi(figures, 'geo_freedom_ratio');
  if (value === undefined || earlier === undefined) return [];
  return [words.short.geo(say.percent(value), say.percent(earlier))];
}
