import { readFileSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { UsageError } from './errors.ts';

/** How one environment variable becomes a value. `parse` throws an Error whose message is the expectation. */
interface Setting<T> {
  readonly variable: string;
  readonly fallback: string | undefined;
  readonly expected: string;
  readonly about: string;
  readonly parse: (text: string) => T;
}

function setting<T>(
  variable: string,
  fallback: string | undefined,
  about: string,
  expected: string,
  parse: (text: string) => T | undefined,
): Setting<T> {
  const parseOrThrow = (text: string): T => {
    const value = parse(text);
    if (value === undefined) throw new Error(expected);
    return value;
  };
  return { variable, fallback, expected, about, parse: parseOrThrow };
}

const port = (text: string): number | undefined => {
  const number = Number(text);
  return /^\d+$/.test(text) && number <= 65_535 ? number : undefined;
};
const amount = (text: string): number | undefined => {
  const number = Number(text);
  return text.trim() !== '' && Number.isFinite(number) && number >= 0 ? number : undefined;
};
const positiveAmount = (text: string): number | undefined => amount(text) || undefined;
const path = (text: string): string | undefined => (text.includes('\0') ? undefined : resolve(text));
const oneOf =
  <T extends string>(...values: readonly T[]) =>
  (text: string): T | undefined =>
    values.find((value) => value === text);
const webAddress = (text: string): string | undefined => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url && (url.protocol === 'http:' || url.protocol === 'https:') ? text.replace(/\/+$/, '') : undefined;
};
const DEFAULT_TIMEZONE = 'Europe/Rome';
const timezone = (text: string): string | undefined => {
  // Asking Intl loads 8 MB of ICU data, so the default is taken on trust.
  if (text === DEFAULT_TIMEZONE) return text;
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return text;
  } catch {
    return undefined;
  }
};
const PORT = 'a port number from 0 to 65535 (0 takes any free one)';
const WEB = 'an address that begins with http:// or https://';
const AMOUNT = 'a number of 0 or more';

/** Every variable the rooms know, with its default: the one list, and what `.env.example` is checked against. */
export const SETTINGS = {
  swarmDbPath: setting(
    'SWARM_DB_PATH',
    './data/swarm_memory.db',
    "the swarm's memory, written by its hooks",
    'a path',
    path,
  ),
  timezone: setting(
    'SWARM_TIMEZONE',
    DEFAULT_TIMEZONE,
    'zone of local timestamps and of day boundaries',
    'a time zone name such as Europe/Rome',
    timezone,
  ),
  language: setting('SWARM_LANG', 'it', 'language of what people read', 'it or en', oneOf('it', 'en')),
  logLevel: setting(
    'LOG_LEVEL',
    'info',
    'the least severe messages that are written',
    'one of trace, debug, info, warn, error, fatal, silent',
    oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
  ),
  bindHost: setting(
    'BIND_HOST',
    '127.0.0.1',
    'address to listen on; 0.0.0.0 in containers',
    'an address',
    (text) => text,
  ),
  exporterPort: setting('EXPORTER_PORT', '9091', 'port of the exporter', PORT, port),
  grafanaUrl: setting('GRAFANA_URL', undefined, 'Grafana as the phone reaches it; no link without it', WEB, webAddress),
  prometheusUrl: setting('PROMETHEUS_URL', undefined, 'Prometheus, likewise', WEB, webAddress),
  alertmanagerUrl: setting('ALERTMANAGER_URL', undefined, 'Alertmanager, likewise', WEB, webAddress),
  runbookUrl: setting('RUNBOOK_URL', undefined, 'the runbook, likewise', WEB, webAddress),
  projectsFile: setting('PROJECTS_FILE', './projects.json', 'projects and manual minutes by agent', 'a path', path),
  eurPerUsd: setting('EUR_PER_USD', '0.92', 'euro for one US dollar', 'a number above 0', positiveAmount),
  infraCostEurMonth: setting('INFRA_COST_EUR_MONTH', '0', 'what the VM costs, euro a month', AMOUNT, amount),
} as const;

type SettingName = keyof typeof SETTINGS;
type Parsed<S> = S extends Setting<infer T> ? T : never;
type Optional = 'grafanaUrl' | 'prometheusUrl' | 'alertmanagerUrl' | 'runbookUrl';

/** What a process is told at start, read once. Optional integrations are `undefined` when they are off. */
export type Config = {
  readonly [Name in SettingName]: Name extends Optional ? string | undefined : Parsed<(typeof SETTINGS)[Name]>;
};

/** Environment variables, or values that stand in for those the environment leaves unset. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment this process was started with; the only place that looks at it. */
export function readEnvironment(): Environment {
  return process.env;
}

/**
 * Reads every setting at once.
 * An empty variable counts as unset. A file named by `X_FILE` gives the value of `X` (its last line break removed).
 * @throws UsageError naming every bad variable, its value and what was expected.
 */
export function loadConfig(environment: Environment = readEnvironment()): Config {
  const problems: string[] = [];
  const values = Object.entries(SETTINGS).map(([name, each]) => {
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
  return Object.fromEntries(values) as Config;
}

function readSetting(each: Setting<unknown>, environment: Environment): unknown {
  const text = environment[each.variable] || readFileSetting(each.variable, environment) || each.fallback;
  if (text === undefined) return undefined;
  try {
    return each.parse(text);
  } catch {
    throw new Error(`${each.variable} is "${text.slice(0, 80)}", expected ${each.expected}`);
  }
}

function readFileSetting(variable: string, environment: Environment): string | undefined {
  const file = environment[`${variable}_FILE`];
  if (!file) return undefined;
  try {
    return readFileSync(isAbsolute(file) ? file : resolve(file), 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new Error(`${variable}_FILE is "${file}", which cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
