import type { RetroFigures } from './figures.ts';
import { code, prose } from './markdown.ts';
import type { Language, Say } from './say.ts';
import type { Words } from './words/words.ts';

/** How text from outside is shown: so that it means nothing but itself. */
export interface Style {
  /** Of an agent, a model, a project. */
  readonly name: (text: string) => string;
  /** To the letter. */
  readonly quote: (text: string) => string;
  readonly prose: (text: string) => string;
}

export const MARKDOWN: Style = { name: (text) => `**${prose(text)}**`, quote: code, prose };

/** Plain text, with the quotation marks of a language. */
export function plain(language: Language): Style {
  const quote = (text: string): string => (language === 'it' ? `«${text}»` : `“${text}”`);
  return { name: (text) => text, quote, prose: (text) => text };
}

/** What every part of a retrospective is made from. */
export interface Retro {
  readonly figures: RetroFigures;
  readonly words: Words;
  readonly say: Say;
  readonly style: Style;
}

/** How each fact that is text is shown; all others are figures. */
const SHOWN = { agent: 'name', model: 'name', dearModel: 'name', example: 'quote', lesson: 'quote' } as const;

/** The facts of a piece of advice with their text made harmless. */
export function showFacts<Facts extends object>(facts: Facts, style: Style): Facts {
  const shown = Object.entries(facts).map(([name, fact]: [string, unknown]) => {
    const how = Object.hasOwn(SHOWN, name) ? SHOWN[name as keyof typeof SHOWN] : undefined;
    if (typeof fact === 'string') return [name, style[how ?? 'quote'](fact)];
    return [name, fact];
  });
  return Object.fromEntries(shown) as Facts;
}
