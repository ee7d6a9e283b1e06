import { UsageError } from '../lib/errors.ts';

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Milliseconds of a duration such as 90s, 20m, 2h or 7d.
 * @throws UsageError for anything else.
 */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text);
  if (match) return Number(match[1]) * UNITS_MS[match[2]];
  throw new UsageError(`Could not read the duration "${text.slice(0, 40)}".`, 'Write it like 90s, 20m, 2h or 7d.');
}
