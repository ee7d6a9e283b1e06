import { type ErrorOfRetro, isEmptyWeek } from '../figures.ts';
import { kpi } from '../rules.ts';
import type { Retro } from '../style.ts';

const MOST_ERRORS = 5;
/** Where none came back, a few are enough. */
const MOST_SINGLE = 3;
const MOST_AGENTS = 3;

/** The most frequent errors, and whether they are new. */
export function errors(retro: Retro): readonly string[] {
  const { words } = retro;
  const { count, kindCount, repeatedKindCount, countBefore, kinds } = retro.figures.errors;
  if (isEmptyWeek(retro.figures) && count === 0) return [];
  const heading = [`## ${words.errors.heading}`, ''];
  if (kpi(retro.figures, 'repeated_errors').value === undefined) return [...heading, words.errors.notKnown];
  if (count === 0) return [...heading, words.errors.none];
  const repeated = kinds.filter((kind) => kind.count > 1);
  const shown = (repeated.length > 0 ? repeated : kinds).slice(0, repeated.length > 0 ? MOST_ERRORS : MOST_SINGLE);
  const once = kindCount - (repeated.length > 0 ? repeatedKindCount : shown.length);
  return [
    ...heading,
    words.errors.count(count, kindCount, countBefore),
    '',
    ...shown.map((kind, index) => `${index + 1}. ${errorText(kind, retro)}`),
    ...(once > 0 ? ['', words.errors.once(once)] : []),
  ];
}

function errorText({ example, count, countBefore, agents, isNew }: ErrorOfRetro, { words, style }: Retro): string {
  const names = agents.slice(0, MOST_AGENTS).map(style.prose);
  const whom = agents.length > MOST_AGENTS ? [...names, '…'] : names;
  const past = isNew ? words.errors.isNew : words.errors.before(countBefore);
  return words.errors.item(style.quote(example), count, past, whom.join(', '));
}
