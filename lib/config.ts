import { readFileSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { UsageError } from './errors.ts';

/** How one environment variable becomes a value. `parse` throws an Error whose message is the expectation. */
interface Setting<T> {
  readonly variable: string;
  readonly fallback: string | undefined;
  readonly expected: string;
  readonly about: string;
  /** Its value appears in no error. */
  readonly isSecret: boolean;
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
  return { variable, fallback, expected, about, isSecret: false, parse: parseOrThrow };
}

const secret = <T>(each: Setting<T>): Setting<T> => ({ ...each, isSecret: true });

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
/** Only what every program reads alike: Node would mend blanks and missing slashes that others refuse. */
const isWebAddress = (text: string): boolean =>
  /^https?:\/\/[^/?#%\s]+(?:[/?#]|$)/.test(text) && !/[\s\p{Cc}]|%(?![\da-f]{2})/iu.test(text) && URL.canParse(text);
const webhook = (text: string): string | undefined => (isWebAddress(text) ? text : undefined);
/**
 * An address that paths are added to, so what a browser shows after ? or # is left out. A password in it would be shown to
 * everybody who gets the link.
 */
const webAddress = (text: string): string | undefined => {
  if (!isWebAddress(text)) return undefined;
  return new URL(text).username === '' ? text.replace(/[?#].*$/, '').replace(/\/+$/, '') : undefined;
};
const pageAddress = (text: string): string | undefined =>
  isWebAddress(text) && new URL(text).username === '' ? text.replace(/#.*$/, '').replace(/\/+$/, '') : undefined;
/** Shapes that Alertmanager would accept and then never deliver by are refused. */
const mailServer = (text: string): string | undefined => {
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
const DEFAULT_TIMEZONE = 'Europe/Rome';
const timezone = (text: string): string | undefined => {
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
const matching =
  (pattern: RegExp) =>
  (text: string): string | undefined =>
    pattern.test(text) ? text : undefined;
const integer = (text: string): number | undefined =>
  /^-?\d+$/.test(text) && Number.isSafeInteger(Number(text)) && Number(text) !== 0 ? Number(text) : undefined;
const CLOCK = '([01]\\d|2[0-3]):[0-5]\\d';
const PORT = 'a port number from 0 to 65535 (0 takes any free one)';
const WEB = 'an address that begins with http:// or https://, without blanks and without a password';
const WEBHOOK = 'an address that begins with http:// or https://, without blanks';
const AMOUNT = 'a number of 0 or more';

/** Every variable the rooms need to start, with its default. With CHANNEL_SETTINGS what `.env.example` is checked against. */
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
  runbookUrl: setting('RUNBOOK_URL', undefined, 'the runbook, likewise', WEBHOOK, pageAddress),
  projectsFile: setting('PROJECTS_FILE', './projects.json', 'projects and manual minutes by agent', 'a path', path),
  eurPerUsd: setting('EUR_PER_USD', '0.92', 'euro for one US dollar', 'a number above 0', positiveAmount),
  infraCostEurMonth: setting('INFRA_COST_EUR_MONTH', '0', 'what the VM costs, euro a month', AMOUNT, amount),
} as const;

/** Where alerts go. A mistake in here stops the command that needs it, and no room. */
export const CHANNEL_SETTINGS = {
  telegramBotToken: secret(
    setting(
      'TELEGRAM_BOT_TOKEN',
      undefined,
      'the bot that brings alerts to the phone; off without it',
      'a token as BotFather gives it, such as 123456:AA…, not a placeholder',
      matching(/^\d+:[\w-]+$/),
    ),
  ),
  telegramChatId: secret(
    setting(
      'TELEGRAM_CHAT_ID',
      undefined,
      'the chat it writes to',
      'an integer such as 123456789, or -100… for a group',
      integer,
    ),
  ),
  telegramApiUrl: setting('TELEGRAM_API_URL', 'https://api.telegram.org', "Telegram's Bot API", WEB, webAddress),
  quietHours: setting(
    'QUIET_HOURS',
    '22:30-08:00',
    'when only what cannot wait is sent',
    'two times of day such as 22:30-08:00',
    matching(new RegExp(`^${CLOCK}-${CLOCK}$`)),
  ),
  healthchecksUrl: secret(
    setting(
      'HEALTHCHECKS_URL',
      undefined,
      "dead man's switch outside the VM, pinged while alerts work",
      WEBHOOK,
      webhook,
    ),
  ),
  slackWebhookUrl: secret(
    setting('SLACK_WEBHOOK_URL', undefined, 'a further channel for critical and warning alerts', WEBHOOK, webhook),
  ),
  alertEmailTo: setting(
    'ALERT_EMAIL_TO',
    undefined,
    'a further channel for what is of tier high or low; needs SMTP_URL',
    'an e-mail address',
    matching(/^[^\s@<>,]+@[^\s@<>,]+$/),
  ),
  smtpUrl: secret(
    setting(
      'SMTP_URL',
      undefined,
      'the server that takes those e-mails',
      'smtp://user:password@host:587, or smtps://… which is port 465; special characters as %40',
      mailServer,
    ),
  ),
} as const;

type Settings = Readonly<Record<string, Setting<unknown>>>;
/** What a table of settings gives: a setting without a default is `undefined` when it is off. */
type Values<Table extends Settings> = {
  readonly [Name in keyof Table]:
    | (Table[Name] extends Setting<infer T> ? T : never)
    | (Name extends Optional ? undefined : never);
};
type Optional =
  | 'grafanaUrl'
  | 'prometheusUrl'
  | 'alertmanagerUrl'
  | 'runbookUrl'
  | 'telegramBotToken'
  | 'telegramChatId'
  | 'healthchecksUrl'
  | 'slackWebhookUrl'
  | 'alertEmailTo'
  | 'smtpUrl';

/** What a process is told at start, read once. Optional integrations are `undefined` when they are off. */
export type Config = Values<typeof SETTINGS>;

/** What is known of the channels of alerts. */
export type ChannelConfig = Values<typeof CHANNEL_SETTINGS>;

/** Environment variables, or values that stand in for those the environment leaves unset. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment this process was started with; the only place that looks at it. */
export function readEnvironment(): Environment {
  return process.env;
}

/**
 * Reads every setting at once.
 * An empty variable counts as unset. A file named by `X_FILE` gives the value of `X` (its last line break removed).
 * @throws UsageError naming every bad variable, its value unless it is a secret, and what was expected.
 */
export function loadConfig(environment: Environment = readEnvironment()): Config {
  return loadSettings(SETTINGS, environment);
}

/** Reads the settings of the channels, likewise. */
export function loadChannelConfig(environment: Environment = readEnvironment()): ChannelConfig {
  return loadSettings(CHANNEL_SETTINGS, environment);
}

function loadSettings<Table extends Settings>(table: Table, environment: Environment): Values<Table> {
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
function withoutPassword(text: string): string {
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
