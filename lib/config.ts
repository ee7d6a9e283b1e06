import { UsageError } from './errors.ts';
import {
  AMOUNT,
  amount,
  anyText,
  CLOCK,
  COUNT,
  DEFAULT_TIMEZONE,
  type Environment,
  integer,
  listOf,
  loadSettings,
  mailServer,
  matching,
  oneOf,
  optional,
  PORT,
  POSITIVE,
  pageAddress,
  path,
  port,
  positiveAmount,
  positiveCount,
  redisAddress,
  secret,
  setting,
  timezone,
  type Values,
  WEB,
  WEBHOOK,
  WHOLE,
  webAddress,
  webhook,
  wholeNumber,
  withoutPassword,
} from './setting.ts';

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
  grafanaUrl: optional('GRAFANA_URL', 'Grafana as the phone reaches it; no link without it', WEB, webAddress),
  prometheusUrl: optional('PROMETHEUS_URL', 'Prometheus, likewise', WEB, webAddress),
  alertmanagerUrl: optional('ALERTMANAGER_URL', 'Alertmanager, likewise', WEB, webAddress),
  alertmanagerApiUrl: optional(
    'ALERTMANAGER_API_URL',
    'where bot and doctor ask Alertmanager, if not by that address; Compose sets it for its containers',
    WEB,
    webAddress,
  ),
  runbookUrl: optional('RUNBOOK_URL', 'the runbook, likewise', WEBHOOK, pageAddress),
  projectsFile: setting('PROJECTS_FILE', './projects.json', 'projects and manual minutes by agent', 'a path', path),
  eurPerUsd: setting('EUR_PER_USD', '0.92', 'euro for one US dollar', 'a number above 0', positiveAmount),
  infraCostEurMonth: setting('INFRA_COST_EUR_MONTH', '0', 'what the VM costs, euro a month', AMOUNT, amount),
  adminPassword: secret(
    optional('ADMIN_PASSWORD', "opens the queue's page and the texts of tasks; off without it", 'some text', anyText),
  ),
} as const;

/** Where alerts go. A mistake in here stops the command that needs it, and no room. */
export const CHANNEL_SETTINGS = {
  telegramBotToken: secret(
    optional(
      'TELEGRAM_BOT_TOKEN',
      'the bot that brings alerts to the phone; off without it',
      'a token as BotFather gives it, such as 123456:AA…, not a placeholder',
      matching(/^\d+:[\w-]+$/),
    ),
  ),
  telegramChatId: secret(
    optional(
      'TELEGRAM_CHAT_ID',
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
    optional('HEALTHCHECKS_URL', "dead man's switch outside the VM, pinged while alerts work", WEBHOOK, webhook),
  ),
  slackWebhookUrl: secret(
    optional('SLACK_WEBHOOK_URL', 'a further channel for critical and warning alerts', WEBHOOK, webhook),
  ),
  alertEmailTo: optional(
    'ALERT_EMAIL_TO',
    'a further channel for what is of tier high or low; needs SMTP_URL',
    'an e-mail address',
    matching(/^[^\s@<>,]+@[^\s@<>,]+$/),
  ),
  smtpUrl: secret(
    optional(
      'SMTP_URL',
      'the server that takes those e-mails',
      'smtp://user:password@host:587, or smtps://… which is port 465; special characters as %40',
      mailServer,
    ),
  ),
} as const;

/** What the queue and the orchestrator need; a mistake in here stops neither the exporter nor the alerts. */
export const WORK_SETTINGS = {
  redisUrl: optional(
    'REDIS_URL',
    'the Redis of the queue; `npm start` starts one itself when it is unset, the rest takes redis://127.0.0.1:6379',
    'an address such as redis://127.0.0.1:6379 or rediss://host:6380',
    redisAddress,
  ),
  redisPassword: secret(optional('REDIS_PASSWORD', 'its password, if it is not in the address', 'some text', anyText)),
  orchestratorPort: setting('ORCHESTRATOR_PORT', '9092', 'port of the orchestrator', PORT, port),
  workDir: setting('WORK_DIR', './data/work', "worktrees and logs of the agents' runs", 'a path', path),
  agentCommand: setting('AGENT_COMMAND', 'claude', 'the program that runs an agent', 'a program', anyText),
  agentAuth: optional(
    'AGENT_AUTH',
    'who pays for the agents: the login of this machine, or ANTHROPIC_API_KEY; must be set once such a key is present',
    'login or api-key',
    oneOf('login', 'api-key'),
  ),
  fallbackModels: setting(
    'FALLBACK_MODELS',
    '',
    'models to try in turn when one is overloaded',
    'names of models, separated by commas',
    listOf(/^[A-Za-z0-9][\w.:@/[\]-]{0,99}$/),
  ),
  onUsageLimit: setting(
    'ON_USAGE_LIMIT',
    'wait',
    'what to do at a usage limit: wait until it is lifted, or stop until `swarm queue resume`',
    'wait or stop',
    oneOf('wait', 'stop'),
  ),
  budgetTaskUsd: setting(
    'BUDGET_TASK_USD',
    '0.50',
    'what a task may cost unless it says otherwise, US dollars',
    POSITIVE,
    positiveAmount,
  ),
  budgetDayUsd: setting('BUDGET_DAY_USD', '5', 'what all tasks of a day may cost', POSITIVE, positiveAmount),
  budgetWeekUsd: setting('BUDGET_WEEK_USD', '20', 'and of a week, from Monday', POSITIVE, positiveAmount),
  budgetMonthUsd: setting('BUDGET_MONTH_USD', '60', 'and of a month', POSITIVE, positiveAmount),
  workersMin: setting('WORKERS_MIN', '1', 'agents that may always run at once', COUNT, positiveCount),
  workersMax: setting('WORKERS_MAX', '2', 'agents that may run at once when there is room', COUNT, positiveCount),
  scaleTargetCpu: setting('SCALE_TARGET_CPU', '0.7', 'share of the CPU meant to be in use', POSITIVE, positiveAmount),
  scaleTargetMemory: setting('SCALE_TARGET_MEMORY', '0.8', 'share of the memory, likewise', POSITIVE, positiveAmount),
  scaleTargetQueue: setting('SCALE_TARGET_QUEUE', '2', 'tasks meant to wait', POSITIVE, positiveAmount),
  scaleTargetTasks: setting('SCALE_TARGET_TASKS', '1', 'tasks meant for each worker', POSITIVE, positiveAmount),
  taskAttempts: setting('TASK_ATTEMPTS', '3', 'how often an agent may try a task', COUNT, positiveCount),
  agentTimeoutMinutes: setting('AGENT_TIMEOUT_MINUTES', '30', 'how long one run may take', POSITIVE, positiveAmount),
  agentIdleMinutes: setting('AGENT_IDLE_MINUTES', '10', 'how long it may say nothing', POSITIVE, positiveAmount),
  drainMinutes: setting('DRAIN_MINUTES', '10', 'how long a stop waits for runs under way', AMOUNT, amount),
  recorder: setting(
    'RECORDER',
    'on',
    'whether this orchestrator writes results into the memory',
    'on or off',
    oneOf('on', 'off'),
  ),
} as const;

/** What the scheduler needs besides; a mistake in here stops no other room. */
export const SCHEDULER_SETTINGS = {
  monitorDbPath: setting('MONITOR_DB_PATH', './data/monitor.db', 'our own state, made if missing', 'a path', path),
  schedulerPort: setting('SCHEDULER_PORT', '9094', 'port of the scheduler', PORT, port),
  webhookPort: setting('WEBHOOK_PORT', '9095', "port of GitHub's webhook", PORT, port),
  timetableFile: optional(
    'TIMETABLE_FILE',
    'what differs from the built-in timetable, such as {"retro": "off"} or {"retro": "0 17 * * fri"}',
    'a path',
    path,
  ),
  backupDir: setting('BACKUP_DIR', './data/backups', 'where backups are kept', 'a path', path),
  backupSecondDir: optional(
    'BACKUP_SECOND_DIR',
    'a folder for encrypted copies, on another disk or machine',
    'a path',
    path,
  ),
  backupSecondCommand: optional(
    'BACKUP_SECOND_COMMAND',
    'likewise, a command that is given the encrypted file as its last argument',
    'a command',
    anyText,
  ),
  backupPassphrase: secret(
    optional('BACKUP_PASSPHRASE', 'what leaves this machine is encrypted with it', 'some text', anyText),
  ),
  litestreamMetricsUrl: optional(
    'LITESTREAM_METRICS_URL',
    'metrics of the Litestream that copies the memory, such as http://litestream:9090/metrics; its lag is not watched without it',
    WEB,
    webAddress,
  ),
  archiveAfterDays: setting(
    'ARCHIVE_AFTER_DAYS',
    '0',
    'age in days at which events are moved to yearly files; 0 is never',
    WHOLE,
    wholeNumber,
  ),
  githubWebhookSecret: secret(
    optional('GITHUB_WEBHOOK_SECRET', 'signs what GitHub sends; no reviews without it', 'some text', anyText),
  ),
  githubToken: secret(optional('GITHUB_TOKEN', 'posts reviews; none without it', 'some text', anyText)),
  githubApiUrl: setting('GITHUB_API_URL', 'https://api.github.com', "GitHub's API", WEB, webAddress),
  reviewsPerDay: setting('REVIEWS_PER_DAY', '5', 'pull requests that may be reviewed in a day', WHOLE, wholeNumber),
  telegramAllowedUserIds: setting(
    'TELEGRAM_ALLOWED_USER_IDS',
    '',
    'who may give the bot orders; nobody without it',
    'numbers of users, separated by commas',
    listOf(/^[1-9]\d{0,15}$/),
  ),
  approvalAboveUsd: setting(
    'APPROVAL_ABOVE_USD',
    '2',
    'a task that may cost more, US dollars, waits for a yes on the phone',
    AMOUNT,
    amount,
  ),
  transcriptsDir: optional('TRANSCRIPTS_DIR', "agents' transcripts, where they can be read", 'a path', path),
} as const;

const TABLES = [SETTINGS, CHANNEL_SETTINGS, WORK_SETTINGS, SCHEDULER_SETTINGS] as const;
/** Secrets that are others', but lie in our environment. */
const FOREIGN_SECRETS = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN', 'GRAFANA_PASSWORD'];

/** The settings that are set, as texts, without any secret: what one needs to set a machine up again. */
export function settingsWithoutSecrets(environment: Environment): Readonly<Record<string, string>> {
  const open = TABLES.flatMap((table) => Object.values(table)).filter(({ isSecret }) => !isSecret);
  return Object.fromEntries(
    open.flatMap(({ variable }) => {
      const text = environment[variable];
      return text ? [[variable, withoutPassword(text)]] : [];
    }),
  );
}

/** An environment for somebody else's program: without our secrets and the files that hold them. */
export function environmentWithoutSecrets(environment: Environment): Environment {
  const secrets = TABLES.flatMap((table) => Object.values(table)).flatMap(({ variable, isSecret }) =>
    isSecret || variable === 'REDIS_URL' ? [variable] : [],
  );
  const hidden = new Set([...secrets, ...FOREIGN_SECRETS].flatMap((variable) => [variable, `${variable}_FILE`]));
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !hidden.has(name)));
}

/** What a process is told at start, read once. Optional integrations are `undefined` when they are off. */
export type Config = Values<typeof SETTINGS>;

/** Where a program asks Alertmanager: the address for people may lead through a proxy, or nowhere from here. */
export function whereToAskAlertmanager({
  alertmanagerApiUrl,
  alertmanagerUrl,
}: Pick<Config, 'alertmanagerApiUrl' | 'alertmanagerUrl'>): string | undefined {
  return alertmanagerApiUrl ?? alertmanagerUrl;
}

/** What is known of the channels of alerts. */
export type ChannelConfig = Values<typeof CHANNEL_SETTINGS>;

/** What the queue and the orchestrator are told. */
export type WorkConfig = Values<typeof WORK_SETTINGS>;

/** What the scheduler is told. */
export type SchedulerConfig = Values<typeof SCHEDULER_SETTINGS>;

export type { Environment };

/** The environment this process was started with; the only place that looks at it. */
export function readEnvironment(): Environment {
  return process.env;
}

/**
 * Reads every setting at once.
 * @throws UsageError naming every bad variable, its value unless it is a secret, and what was expected.
 */
export function loadConfig(environment: Environment = readEnvironment()): Config {
  return loadSettings(SETTINGS, environment);
}

/** Reads the settings of the channels, likewise. */
export function loadChannelConfig(environment: Environment = readEnvironment()): ChannelConfig {
  return loadSettings(CHANNEL_SETTINGS, environment);
}

/**
 * Reads the settings of the queue and the orchestrator, likewise.
 * @throws UsageError also if WORKERS_MIN is more than WORKERS_MAX.
 */
export function loadWorkConfig(environment: Environment = readEnvironment()): WorkConfig {
  const config = loadSettings(WORK_SETTINGS, environment);
  if (config.workersMin <= config.workersMax) return config;
  throw new UsageError(
    `Could not read the settings: WORKERS_MIN is ${config.workersMin}, expected no more than WORKERS_MAX, which is ${config.workersMax}.`,
    'Correct one of them, then start again.',
  );
}

/** Reads the settings of the scheduler, likewise. */
export function loadSchedulerConfig(environment: Environment = readEnvironment()): SchedulerConfig {
  return loadSettings(SCHEDULER_SETTINGS, environment);
}
