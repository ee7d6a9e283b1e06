import { mask } from '../../lib/mask.ts';
import type { Language, Words } from '../words.ts';
import { cut, escapeText, type Html, join } from './html.ts';

/** What a placeholder is filled with: text from outside, a number, or HTML of our own. */
export type Value = string | number | Html | undefined;
export type Values = Readonly<Record<string, Value>>;

/** Says things in the language people read, and lets nothing from outside through as it is. */
export interface Speaker {
  readonly language: Language;
  /** Words with their placeholders filled in; a line one of whose values is undefined is left out. */
  readonly say: (words: Words, values?: Values) => Html;
  /** The same without HTML, for buttons and menus. */
  readonly plain: (words: Words) => string;
  /** Text from outside: masked, cut and escaped. */
  readonly quote: (text: string, longest?: number) => Html;
  /** Text from outside, masked and cut, for files and tables. */
  readonly clean: (text: string, longest: number) => string;
  readonly money: (usd: number) => string;
  readonly number: (value: number, digits?: number) => string;
  readonly percent: (ratio: number) => string;
  readonly duration: (ms: number) => string;
  /** Day of the week, day and time, local. */
  readonly moment: (ms: number) => string;
}

/** What a speaker is made of. */
export interface SpeakerOptions {
  readonly language: Language;
  readonly timezone: string;
  /** Told each time that a key or a token was masked. */
  readonly onSecret?: () => void;
}

const LONGEST_VALUE = 600;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** A speaker of one language. */
export function createSpeaker({ language, timezone, onSecret = () => undefined }: SpeakerOptions): Speaker {
  const locale = language === 'it' ? 'it-IT' : 'en-GB';
  const moments = new Intl.DateTimeFormat(locale, {
    timeZone: timezone,
    weekday: 'short',
    day: 'numeric',
    month: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const number = (value: number, digits = 0): string =>
    new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
  const clean = (text: string, longest: number): string => {
    // Before it is cut: half a key is still half a key.
    const { text: masked, hadSecret } = mask(text);
    if (hadSecret) onSecret();
    return cut(masked, longest);
  };
  const quote = (text: string, longest = LONGEST_VALUE): Html => escapeText(clean(text, longest));
  const fill = (value: Exclude<Value, undefined>): string => {
    if (typeof value === 'number') return number(value, Number.isInteger(value) ? 0 : 2);
    return typeof value === 'string' ? quote(value).html : value.html;
  };
  return {
    language,
    quote,
    clean,
    number,
    plain: (words) => words[language],
    say: (words, values = {}) => {
      const lines = words[language].split('\n').map((line) => fillLine(line, values, fill));
      return join(lines);
    },
    money: (usd) => `${number(usd, usd !== 0 && Math.abs(usd) < 0.1 ? 3 : 2)} $`,
    percent: (ratio) => `${number(ratio * 100, 1)} %`,
    duration: (ms) => describeDuration(ms, number),
    moment: (ms) => moments.format(ms).replace(/,/g, ''),
  };
}

function fillLine(line: string, values: Values, fill: (value: Exclude<Value, undefined>) => string): Html | undefined {
  let isWhole = true;
  const html = line.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) isWhole = false;
    return value === undefined ? '' : fill(value);
  });
  return isWhole ? { html } : undefined;
}

function describeDuration(ms: number, number: (value: number, digits?: number) => string): string {
  if (ms < MINUTE_MS) return `${number(ms / 1_000, ms < 10_000 ? 1 : 0)} s`;
  const seconds = Math.round(ms / 1_000);
  if (ms < HOUR_MS) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
