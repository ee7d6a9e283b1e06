import type { Config } from '../../lib/config.ts';

export type Language = Config['language'];

/** Figures as people read them, by the habits of a language. */
export interface Say {
  readonly number: (value: number, decimals?: number) => string;
  /** A rate, to one decimal, or two where there is little. */
  readonly rate: (value: number) => string;
  readonly percent: (ratio: number) => string;
  /** An amount of US dollars in euro. */
  readonly eurOf: (usd: number) => string;
  readonly eur: (amount: number) => string;
  readonly duration: (seconds: number) => string;
  /** Moments are ISO 8601; days are those of the time zone. */
  readonly day: (moment: string) => string;
  readonly moment: (moment: string) => string;
  readonly days: (from: string, until: string) => string;
}

export interface SayOptions {
  readonly language: Language;
  readonly timezone: string;
  readonly eurPerUsd: number;
}

const LOCALES: Readonly<Record<Language, string>> = { it: 'it-IT', en: 'en-GB' };
const AT: Readonly<Record<Language, string>> = { it: ' alle ', en: ', ' };
/** Smaller amounts need another digit to be told apart. */
const SMALL_EUR = 0.1;

/** The habits of a language. */
export function createSay({ language, timezone, eurPerUsd }: SayOptions): Say {
  const locale = LOCALES[language];
  const date = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
    new Intl.DateTimeFormat(locale, { timeZone: timezone, ...options });
  const day = date({ day: 'numeric', month: 'long', year: 'numeric' });
  const partsOf = (at: string): readonly string[] => day.format(Date.parse(at)).split(' ');
  const weekday = date({ weekday: 'long', day: 'numeric', month: 'long' });
  const time = date({ hour: '2-digit', minute: '2-digit' });
  const number = (value: number, decimals = 0): string =>
    value.toLocaleString(locale, { minimumFractionDigits: 0, maximumFractionDigits: decimals });
  const eur = (amount: number): string => {
    const digits = amount > 0 && amount < SMALL_EUR ? 3 : 2;
    const text = amount.toLocaleString(locale, { minimumFractionDigits: 2, maximumFractionDigits: digits });
    return language === 'it' ? `${text} €` : `€${text}`;
  };
  return {
    number,
    rate: (value) => number(value, value < 1 ? 2 : 1),
    percent: (ratio) => ratio.toLocaleString(locale, { style: 'percent', maximumFractionDigits: 1 }),
    eur,
    eurOf: (usd) => eur(usd * eurPerUsd),
    duration,
    day: (at) => day.format(Date.parse(at)),
    moment: (at) => `${weekday.format(Date.parse(at))}${AT[language]}${time.format(Date.parse(at))}`,
    days: (from, until) => joinDays(partsOf(from), partsOf(until)),
  };
}

/** Two days by their parts: what they have in common is said once. */
function joinDays(from: readonly string[], until: readonly string[]): string {
  const [day, month, year] = from;
  const [, untilMonth, untilYear] = until;
  if (year !== untilYear) return `${from.join(' ')} – ${until.join(' ')}`;
  return month === untilMonth ? `${day}–${until.join(' ')}` : `${day} ${month} – ${until.join(' ')}`;
}

/** By its two largest units, the smaller one only where it matters. */
function duration(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) {
    const rest = Math.floor(seconds % 60);
    return rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`;
  }
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return rest === 0 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60)} h ${rest} min`;
}
