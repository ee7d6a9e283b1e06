import { changeText, remarkText } from '../advice-text.ts';
import { isEmptyWeek } from '../figures.ts';
import { AVOID, advise, CHANGE, REPEAT } from '../rules.ts';
import type { Retro } from '../style.ts';

const MOST_REMARKS = 3;
const MOST_CHANGES = 4;

/** What to repeat, what to avoid, what to change and why, and what to do for it. */
export function advice(retro: Retro): readonly string[] {
  const { figures, words } = retro;
  const { headings } = words;
  const remarks = (rules: typeof REPEAT, nothing: string): readonly string[] => {
    const texts = advise(rules, figures)
      .slice(0, MOST_REMARKS)
      .map((remark) => `- ${remarkText(remark, retro)}`);
    return texts.length > 0 ? texts : [nothing];
  };
  const changes = advise(CHANGE, figures)
    .slice(0, MOST_CHANGES)
    .map((change) => changeText(change, retro));
  const suggestions = changes.map(({ what, why }, index) => `${index + 1}. ${what} ${why}`);
  const hasRemarks = !isEmptyWeek(figures);
  return [
    ...(hasRemarks ? [`## ${headings.repeat}`, '', ...remarks(REPEAT, words.nothingToRepeat), ''] : []),
    ...(hasRemarks ? [`## ${headings.avoid}`, '', ...remarks(AVOID, words.nothingToAvoid), ''] : []),
    ...[`## ${headings.change}`, '', ...(changes.length > 0 ? suggestions : [words.nothingToChange]), ''],
    ...[`## ${headings.steps}`, ''],
    ...(changes.length > 0 ? changes.map(({ step }) => `- [ ] ${step}`) : [words.noSteps]),
  ];
}
