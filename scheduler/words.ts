import type { Config } from '../lib/config.ts';

export type Language = Config['language'];
export const LANGUAGES: readonly Language[] = ['it', 'en'];

/** Something people read, in each language of SWARM_LANG. */
export type Words = Readonly<Record<Language, string>>;

const [MINUTE_MS, HOUR_MS, DAY_MS] = [60_000, 3_600_000, 86_400_000];

/** The same in every language: names, codes, figures. */
export function same(text: string): Words {
  return { it: text, en: text };
}

/** How long something lasted, by its two largest units. */
export function duration(ms: number): Words {
  if (ms < MINUTE_MS) return { it: 'meno di un minuto', en: 'less than a minute' };
  const days = Math.floor(ms / DAY_MS);
  const hours = Math.floor((ms % DAY_MS) / HOUR_MS);
  const minutes = Math.floor((ms % HOUR_MS) / MINUTE_MS);
  if (days > 0)
    return hours === 0 ? { it: `${days} g`, en: `${days} d` } : inBoth(`${days} g`, `${days} d`, hours, 'h');
  return hours > 0 && minutes > 0
    ? same(`${hours} h ${minutes} min`)
    : same(hours > 0 ? `${hours} h` : `${minutes} min`);
}

function inBoth(it: string, en: string, amount: number, unit: string): Words {
  return { it: `${it} ${amount} ${unit}`, en: `${en} ${amount} ${unit}` };
}

/** A number with at most so many decimals, by the habits of each language. */
export function number(value: number, decimals = 0): Words {
  const format = (locale: string): string => value.toLocaleString(locale, { maximumFractionDigits: decimals });
  return { it: format('it-IT'), en: format('en-GB') };
}

/** An amount of bytes in gigabytes or megabytes. */
export function bytes(value: number): Words {
  const [unit, size] = value >= 1e9 ? ['GB', 1e9] : ['MB', 1e6];
  const { it, en } = number(value / size, 1);
  return { it: `${it} ${unit}`, en: `${en} ${unit}` };
}

/** Lines up to a length, whole ones only; the last one says how many are left out. */
export function fitLines(lines: readonly string[], maxLength: number, leftOut: (count: number) => string): string {
  const all = lines.join('\n');
  if (all.length <= maxLength) return all;
  for (let kept = lines.length - 1; kept > 0; kept -= 1) {
    const text = [...lines.slice(0, kept), leftOut(lines.length - kept)].join('\n');
    if (text.length <= maxLength) return text;
  }
  return leftOut(lines.length);
}
