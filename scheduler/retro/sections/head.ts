import { isEmptyWeek } from '../figures.ts';
import { perPeriod } from '../rules.ts';
import type { Retro } from '../style.ts';

/** Fewer known outcomes than this make a percentage that says little. */
const FEW = 10;

/** Title, period, and the week in a paragraph. */
export function head(retro: Retro): readonly string[] {
  const { figures, words, say } = retro;
  const { from, until, isDemo } = figures;
  return [
    `# ${words.title(say.days(from, until))}`,
    '',
    `_${words.period(say.moment(from), say.moment(until))}_`,
    ...(isDemo ? ['', `> ${words.demo}`] : []),
    '',
    `**${words.inShort}** ${inShort(retro).join(' ')}`,
  ];
}

function inShort(retro: Retro): readonly string[] {
  const { figures, words, say } = retro;
  const { success, failed, unknown } = figures.outcomes;
  const tasks = success + failed + unknown;
  if (isEmptyWeek(figures)) {
    const { lastTask } = figures;
    return [words.noTasks, lastTask === undefined ? words.neverTasks : words.lastTask(say.day(lastTask))];
  }
  const hours = perPeriod(figures, 'hours_saved_week');
  return [
    words.tasks(tasks, say.rate(tasks / figures.days)),
    ...outcomes(retro),
    ...spentText(retro),
    ...(hours > 0 ? [words.saved(say.number(hours, 1))] : []),
  ];
}

function outcomes({ figures, words, say }: Retro): readonly string[] {
  const { success, failed, unknown } = figures.outcomes;
  const known = success + failed;
  if (known === 0) return [words.noOutcomes];
  return [
    words.outcomes(success, failed, say.percent(success / known)),
    ...(known < FEW ? [words.fewOutcomes] : []),
    ...(unknown > 0 ? [words.unknown(unknown)] : []),
  ];
}

/** What it cost, and what of it was in vain; nothing if that is not known. */
export function spentText({ figures, words, say }: Retro): readonly string[] {
  const { spending } = figures;
  if (!spending || spending.usd === 0) return [];
  const wasted = spending.wastedUsd.failed + spending.wastedUsd.retried;
  if (wasted === 0) return [words.spentWell(say.eurOf(spending.usd))];
  return [words.spent(say.eurOf(spending.usd), say.eurOf(wasted), say.percent(wasted / spending.usd))];
}
