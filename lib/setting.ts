import { readFileSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { UsageError } from './errors.ts';

/** How one environment variable becomes a value. `parse` throws an Error whose message is the expectation. */
export interface Setting<T> {
  readonly variable: string;
  readonly fallback: string | undefined;
  readonly expected: string;
  readonly about: string;
  /** Its value appears in no error. */
  readonly isSecret: boolean;
  readonly parse: (text: string) => T;
}

/** A setting with a default. `parse` gives undefined for what is not `expected`. */
export function setting<T>(
  variable: string,
  fallback: string,
  about: string,
  expected: string,
  parse: (text: string) => T | undefined,
): Setting<T> {
  return { ...optional(variable, about, expected, parse), fallback } as Setting<T>;
}

/** A setting that is off, `undefined`, unless it is given. */
export function optional<T>(
  variable: string,
  about: string,
  expected: string,
  parse: (text: string) => T | undefined,
): Setting<T | undefined> {
  const parseOrThrow = (text: string): T => {
    const value = parse(text);
    if (value === undefined) throw new Error(expected);
    return value;
  };
  return { variable, fallback: undefined, expected, about, isSecret: false, parse: parseOrThrow };
}

/** Its value is shown nowhere. */
export const secret = <T>(each: Setting<T>): Setting<T> => ({ ...each, isSecret: true });

export const port = (text: string): number | undefined => {
  const number = Number(text);
  return /^\d+$/.test(text) && number <= 65_535 ? number : undefined;
};
export const amount = (text: string): number | undefined => {
  const number = Number(text);
  return text.trim() !== '' && Number.isFinite(number) && number >= 0 ? number : undefined;
};
export const positiveAmount = (text: string): number | undefined => amount(text) || undefined;
export const path = (text: string): string | undefined => (text.includes('\0') ? undefined : resolve(text));
export const oneOf =
  <T extends string>(...values: readonly T[]) =>
  (text: string): T | undefined =>
    values.find((value) => value === text);
/** Only what every program reads alike: Node would mend blanks and missing slashes that others refuse. */
const isWebAddress = (text: string): boolean =>
  /^https?:\/\/[^/?#%\s]+(?:[/?#]|$)/.test(text) && !/[\s\p{Cc}]|%(?![\da-f]{2})/iu.test(text) && URL.canParse(text);
export const webhook = (text: string): string | undefined => (isWebAddress(text) ? text : undefined);
/**
 * An address that paths are added to, so what a browser shows after ? or # is left out. A password in it would be shown to
 * everybody who gets the link.
 */
export const webAddress = (text: string): string | undefined => {
  if (!isWebAddress(text)) return undefined;
  return new URL(text).username === '' ? text.replace(/[?#].*$/, '').replace(/\/+$/, '') : undefined;
};
export const pageAddress = (text: string): string | undefined =>
  isWebAddress(text) && new URL(text).username === '' ? text.replace(/#.*$/, '').replace(/\/+$/, '') : undefined;
/** Shapes that Alertmanager would accept and then never deliver by are refused. */
export const mailServer = (text: string): string | undefined => {
  const match = /^(smtps?):\/\/(?:([^\s:@/?#]+):([^\s:@/?#]+)@)?([a-z\d.-]+|\[[\da-f:]+\])(?::(\d+))?\/?$/i.exec(text);
  if (!match || !URL.canParse(text)) return undefined;
  const [, protocol, user = '', password = '', , serverPort] = match;
  const isImplicitTls = protocol.toLowerCase() === 'smtps';
  if (isImplicitTls ? ![undefined, '465'].includes(serverPort) : serverPort === '465') return undefined;
  try {
    decodeURIComponent(user + password);
    return serverPort === '0' ? undefined : text;
  } catch {
    return undefined;
  }
};
export const DEFAULT_TIMEZONE = 'Europe/Rome';
export const timezone = (text: string): string | undefined => {
  // Asking Intl loads 8 MB of ICU data, so the default is taken on trust.
  if (text === DEFAULT_TIMEZONE) return text;
  try {
    // The standard name: Node takes any case and names of its own, other programs only what is in the zone database.
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions();
    return timeZone === 'UTC' || Intl.supportedValuesOf('timeZone').includes(timeZone) ? timeZone : undefined;
  } catch {
    return undefined;
  }
};
export const matching =
  (pattern: RegExp) =>
  (text: string): string | undefined =>
    pattern.test(text) ? text : undefined;
export const integer = (text: string): number | undefined =>
  /^-?\d+$/.test(text) && Number.isSafeInteger(Number(text)) && Number(text) !== 0 ? Number(text) : undefined;
export const CLOCK = '([01]\\d|2[0-3]):[0-5]\\d';
export const PORT = 'a port number from 0 to 65535 (0 takes any free one)';
export const WEB = 'an address that begins with http:// or https://, without blanks and without a password';
export const WEBHOOK = 'an address that begins with http:// or https://, without blanks';
export const AMOUNT = 'a number of 0 or more';
export const POSITIVE = 'a number above 0';
export const COUNT = 'a whole number from 1 to 100';
export const positiveCount = (text: string): number | undefined =>
  /^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= 100 ? Number(text) : undefined;
export const WHOLE = 'a whole number from 0 to 10000';
export const wholeNumber = (text: string): number | undefined =>
  /^\d{1,5}$/.test(text) && Number(text) <= 10_000 ? Number(text) : undefined;
export const anyText = (text: string): string => text;
export const redisAddress = (text: string): string | undefined =>
  /^rediss?:\/\/[^\s]+$/.test(text) && URL.canParse(text) ? text : undefined;
/** Items that match, separated by commas; blanks around them do not count. */
export const listOf =
  (pattern: RegExp) =>
  (text: string): readonly string[] | undefined => {
    const items = text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
    return items.every((item) => pattern.test(item)) ? items : undefined;
  };

/** A table of settings by the names of their values. */
type Settings = Readonly<Record<string, Setting<unknown>>>;
/** What a table of settings gives. */
export type Values<Table extends Settings> = {
  readonly [Name in keyof Table]: Table[Name] extends Setting<infer T> ? T : never;
};

/** Environment variables, or values that stand in for those the environment leaves unset. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads a whole table at once.
 * An empty variable counts as unset. A file named by `X_FILE` gives the value of `X` (its last line break removed).
 * @throws UsageError naming every bad variable, its value unless it is a secret, and what was expected.
 */
export function loadSettings<Table extends Settings>(table: Table, environment: Environment): Values<Table> {
  const problems: string[] = [];
  const values = Object.entries(table).map(([name, each]) => {
    try {
      return [name, readSetting(each, environment)];
    } catch (error) {
      problems.push((error as Error).message);
      return [name, undefined];
    }
  });
  if (problems.length > 0) {
    throw new UsageError(`Could not read the settings: ${problems.join('; ')}.`, 'Correct them, then start again.');
  }
  return Object.fromEntries(values) as Values<Table>;
}

function readSetting(each: Setting<unknown>, environment: Environment): unknown {
  const text = environment[each.variable] || readFileSetting(each, environment) || each.fallback;
  if (text === undefined) return undefined;
  try {
    return each.parse(text);
  } catch {
    const found = each.isSecret
      ? 'set to something else (not shown: it is a secret)'
      : `"${withoutPassword(text).slice(0, 80)}"`;
    throw new Error(`${each.variable} is ${found}, expected ${each.expected}`);
  }
}

/** Passwords also turn up in addresses that should have none. */
export function withoutPassword(text: string): string {
  return text.replace(/\/\/[^@/]*@/, '//…@');
}

function readFileSetting({ variable, isSecret }: Setting<unknown>, environment: Environment): string | undefined {
  const file = environment[`${variable}_FILE`];
  if (!file) return undefined;
  // Somebody may have put the secret where its file belongs.
  const named = `${variable}_FILE is ${isSecret ? 'a file (not shown)' : `"${file}"`}`;
  try {
    return readFileSync(isAbsolute(file) ? file : resolve(file), 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new Error(`${named}, which cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
