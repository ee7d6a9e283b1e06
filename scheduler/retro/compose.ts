import type { RetroFigures } from './figures.ts';
import { createSay, type Language } from './say.ts';
import { advice } from './sections/advice.ts';
import { agents } from './sections/agents.ts';
import { costs } from './sections/costs.ts';
import { errors } from './sections/errors.ts';
import { head } from './sections/head.ts';
import { lessons } from './sections/lessons.ts';
import { numbers } from './sections/numbers.ts';
import { time } from './sections/time.ts';
import { shortLines } from './short.ts';
import { MARKDOWN, plain, type Retro, type Style } from './style.ts';
import { english } from './words/english.ts';
import { italian } from './words/italian.ts';

/** For whom it is written. */
export interface Reader {
  readonly language: Language;
  readonly timezone: string;
}

/** Every part of the page, in order; each begins with its heading, or is empty where it has nothing to say. */
const SECTIONS: readonly ((retro: Retro) => readonly string[])[] = [
  head,
  numbers,
  agents,
  errors,
  lessons,
  costs,
  time,
  advice,
];
const LANGUAGES = { it: italian, en: english } as const;
const LONGEST_SHORT = 900;

/** The retrospective as a page of Markdown. */
export function composeRetro(figures: RetroFigures, reader: Reader): string {
  const retro = makeRetro(figures, reader, MARKDOWN);
  const sections = SECTIONS.map((section) => section(retro).join('\n')).filter((text) => text !== '');
  return `${sections.join('\n\n')}\n`;
}

/** What fits a phone: plain text of at most 900 characters, the least important lines left out. */
export function composeShort(figures: RetroFigures, reader: Reader): string {
  const lines = [...shortLines(makeRetro(figures, reader, plain(reader.language)))];
  while (lines.join('\n').length > LONGEST_SHORT) lines.pop();
  return lines.join('\n');
}

function makeRetro(figures: RetroFigures, { language, timezone }: Reader, style: Style): Retro {
  const say = createSay({ language, timezone, eurPerUsd: figures.eurPerUsd });
  return { figures, say, style, words: LANGUAGES[language](say) };
}
