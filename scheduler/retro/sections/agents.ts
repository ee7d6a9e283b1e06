import type { AgentOfPeriod } from '../../../lib/memory/period/agents.ts';
import { agentsInNeed, bestAgents, type Trouble, unjudgedAgents } from '../assess.ts';
import { prose, table } from '../markdown.ts';
import type { Retro } from '../style.ts';

const MOST_ROWS = 7;
const MOST_BEST = 3;
const MOST_IN_NEED = 3;

/** Who did what, who works best, who needs help, and of whom too little is known. */
export function agents(retro: Retro): readonly string[] {
  const { figures, words } = retro;
  if (figures.agents.length === 0) return [];
  return [
    `## ${words.agents.heading}`,
    '',
    ...agentTable(retro),
    '',
    `- ${bestText(retro)}`,
    ...inNeed(retro).map((text) => `- ${text}`),
    ...caveats(retro).map((text) => `- ${text}`),
  ];
}

function agentTable({ figures, words, say }: Retro): readonly string[] {
  const shown = figures.agents.length > MOST_ROWS + 1 ? figures.agents.slice(0, MOST_ROWS) : figures.agents;
  const rest = figures.agents.slice(shown.length);
  const row = (name: string, each: Omit<AgentOfPeriod, 'agent'>): readonly string[] => [
    name,
    ...[each.tasks, each.success, each.failed, each.unknown, each.fixed].map((count) => say.number(count)),
    each.meanSeconds === undefined ? '–' : say.duration(each.meanSeconds),
    each.usd === undefined ? '–' : say.eurOf(each.usd),
  ];
  const rows = shown.map((each) => row(prose(each.agent), each));
  if (rest.length > 0) rows.push(row(words.agents.others(rest.length), together(rest)));
  return table(words.agents.columns, rows);
}

function together(rest: readonly AgentOfPeriod[]): Omit<AgentOfPeriod, 'agent'> {
  const sum = (of: (each: AgentOfPeriod) => number | undefined): number =>
    rest.reduce((total, each) => total + (of(each) ?? 0), 0);
  const withDuration = sum((each) => each.withDuration);
  const seconds = sum(({ meanSeconds = 0, withDuration: count }) => meanSeconds * count);
  return {
    tasks: sum(({ tasks }) => tasks),
    success: sum(({ success }) => success),
    failed: sum(({ failed }) => failed),
    unknown: sum(({ unknown }) => unknown),
    fixed: sum(({ fixed }) => fixed),
    retried: sum(({ retried }) => retried),
    withDuration,
    meanSeconds: withDuration === 0 ? undefined : seconds / withDuration,
    usd: rest.every(({ usd }) => usd === undefined) ? undefined : sum(({ usd }) => usd),
    wastedUsd: sum(({ wastedUsd }) => wastedUsd),
  };
}

function bestText({ figures, words }: Retro): string {
  const best = bestAgents(figures.agents).slice(0, MOST_BEST);
  if (best.length === 0) return words.agents.noBest;
  const items = best.map(({ agent, success, failed }) =>
    words.agents.bestItem(prose(agent), success, success + failed),
  );
  return words.agents.best([items[0], ...items.slice(1).map((item) => `${words.agents.next} ${item}`)].join(', '));
}

function inNeed(retro: Retro): readonly string[] {
  const items = agentsInNeed(retro.figures.agents)
    .slice(0, MOST_IN_NEED)
    .map(({ agent, troubles }) => `${prose(agent)} (${troubles.map((each) => troubleText(each, retro)).join(', ')})`);
  return items.length === 0 ? [] : [retro.words.agents.inNeed(items.join('; '))];
}

/** Why an agent needs help, in a few words. */
export function troubleText(trouble: Trouble, { words: { agents: words }, say }: Retro): string {
  switch (trouble.kind) {
    case 'slow':
      return words.slow(say.duration(trouble.seconds));
    case 'waste':
      return words.waste(say.eurOf(trouble.wastedUsd), say.eurOf(trouble.usd));
    default:
      return words[trouble.kind](trouble.count, trouble.of);
  }
}

function caveats({ figures, words, say }: Retro): readonly string[] {
  const { queued, outcomes } = figures;
  const unjudged = unjudgedAgents(figures.agents).length;
  const known = queued.success + queued.failed;
  const ofQueue = known > 0 ? [words.agents.queued(queued.success, known, say.percent(queued.success / known))] : [];
  const ofHooks = outcomes.success > queued.success ? [words.agents.hooks] : [];
  const caveat = [...ofHooks, ...ofQueue].join(' ');
  return [...(unjudged > 0 ? [words.agents.unjudged(unjudged)] : []), ...(caveat === '' ? [] : [caveat])];
}
