import type { Spending, SpendingOf } from '../../../lib/memory/period/spending.ts';
import { isEmptyWeek } from '../figures.ts';
import { prose } from '../markdown.ts';
import type { Retro } from '../style.ts';

const MOST_AGENTS = 3;
const MOST_MODELS = 4;

/** What it cost, for whom, with which model, and what was in vain. */
export function costs(retro: Retro): readonly string[] {
  const { figures, words } = retro;
  const { spending } = figures;
  if (isEmptyWeek(figures) && !spending?.usd) return [];
  const heading = [`## ${words.costs.heading}`, ''];
  if (!spending) return [...heading, words.costs.notKnown];
  if (spending.usd === 0) return [...heading, words.costs.none];
  const ofAgent = ({ name, usd }: SpendingOf): string => `${prose(name)} ${retro.say.eurOf(usd)}`;
  const ofModel = (each: SpendingOf): string => `${ofAgent(each)} ${words.costs.ofTasks(each.tasks)}`;
  return [
    ...heading,
    `- ${spentText(spending, retro)}`,
    `- ${wastedText(spending, retro)}`,
    `- ${words.costs.byAgent(someOf(spending.byAgent, { most: MOST_AGENTS, show: ofAgent }, retro))}`,
    `- ${words.costs.byModel(someOf(spending.byModel, { most: MOST_MODELS, show: ofModel }, retro))} ${words.costs.estimate}`,
  ];
}

function spentText({ usd, tasks }: Spending, { figures, words, say }: Retro): string {
  const { spendingBefore: before } = figures;
  const text = words.costs.spent(say.eurOf(usd), tasks, say.eurOf(usd / tasks));
  if (!before || before.tasks === 0) return `${text}.`;
  return `${text}; ${words.costs.before(say.eurOf(before.usd), before.tasks)}.`;
}

function wastedText({ usd, wastedUsd: { failed, retried } }: Spending, { words, say }: Retro): string {
  const sum = failed + retried;
  if (sum === 0) return words.costs.nothingWasted;
  const { wastedParts } = words.costs;
  const parts = [
    ...(failed > 0 ? [wastedParts.failed(say.eurOf(failed))] : []),
    ...(retried > 0 ? [wastedParts.retried(say.eurOf(retried))] : []),
  ];
  return words.costs.wasted(say.eurOf(sum), say.percent(sum / usd), parts.join(', '));
}

interface Showing {
  readonly most: number;
  readonly show: (each: SpendingOf) => string;
}

function someOf(all: readonly SpendingOf[], { most, show }: Showing, { words, say }: Retro): string {
  const shown = all.slice(0, most);
  const rest = all.slice(most);
  const sum = rest.reduce((total, { usd }) => total + usd, 0);
  return [...shown.map(show), ...(rest.length > 0 ? [words.costs.others(rest.length, say.eurOf(sum))] : [])].join(', ');
}
