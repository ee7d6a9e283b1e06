import { execFile } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type CommandResult, swarm } from '../support/command-line.ts';
import { tempDir } from '../support/memory-builder.ts';
import { boundByPermissions, findProgram, IS_ROOT } from '../support/programs.ts';
import { writeAlertmanagerConfig } from '../support/running-alertmanager.ts';

const run = promisify(execFile);
const TOKEN = '123456789:AA-secret_token';
/** What the earlier stack sent to Telegram as its token. */
const PLACEHOLDER = ['$', '{TELEGRAM_BOT_TOKEN}'].join('');
const TELEGRAM = { TELEGRAM_BOT_TOKEN: TOKEN, TELEGRAM_CHAT_ID: '-1001234567890' };
const MAIL = { ...TELEGRAM, ALERT_EMAIL_TO: 'a@example.org' };
const EVERYTHING = {
  ...TELEGRAM,
  HEALTHCHECKS_URL: 'https://ping.example.org/uuid',
  SLACK_WEBHOOK_URL: 'https://slack.example.org/services/x',
  ALERT_EMAIL_TO: 'rafa@example.org',
  SMTP_URL: 'smtp://user%40example.org:pass%20word@mail.example.org:2525',
  RUNBOOK_URL: 'https://example.org/runbook?a=1&b={x}',
};

interface Receiver {
  readonly name: string;
  readonly [channel: `${string}_configs`]: readonly Readonly<Record<string, unknown>>[] | undefined;
}
interface TimeInterval {
  readonly times?: readonly { readonly start_time: string; readonly end_time: string }[];
  readonly location: string;
}
interface Configuration {
  readonly receivers: readonly Receiver[];
  readonly time_intervals: readonly { readonly name: string; readonly time_intervals: readonly TimeInterval[] }[];
}

async function configurationOf(env: Readonly<Record<string, string>>): Promise<Configuration> {
  return parse(readFileSync(await writeAlertmanagerConfig(env), 'utf8')) as Configuration;
}

/** Which kinds of channel each receiver has. */
function channelsOf({ receivers }: Configuration): Record<string, readonly string[]> {
  return Object.fromEntries(receivers.map(({ name, ...channels }) => [name, Object.keys(channels)]));
}

/** Runs the command where a configuration already stands; `left` is what stands there afterwards. */
async function tryOver(env: Readonly<Record<string, string>>): Promise<CommandResult & { readonly left: string }> {
  const folder = tempDir();
  const file = join(folder, 'alertmanager.yml');
  writeFileSync(file, 'what was there');
  const result = await swarm(['alertmanager-config', '--output', file], { cwd: folder, env });
  expect(readdirSync(folder)).toEqual(['alertmanager.yml']);
  return { ...result, left: readFileSync(file, 'utf8') };
}

describe('the configuration', () => {
  test.each([
    ['every channel', EVERYTHING],
    ['Telegram alone', TELEGRAM],
    ['no channel', {}],
    ['quiet hours within a day', { ...TELEGRAM, QUIET_HOURS: '13:00-15:30' }],
    ['no quiet hours', { ...TELEGRAM, QUIET_HOURS: '00:00-00:00' }],
    ['quiet hours up to midnight', { ...TELEGRAM, QUIET_HOURS: '20:00-00:00', SWARM_TIMEZONE: 'America/New_York' }],
  ])('with %s is one that amtool accepts', async (_, env) => {
    const { stdout } = await run(findProgram('amtool'), ['check-config', await writeAlertmanagerConfig(env)]);
    expect(stdout).toContain('SUCCESS');
    expect(stdout).toContain(' - 0 templates');
  });

  test('belongs to its owner alone, and nothing else is left beside it', async () => {
    const file = await writeAlertmanagerConfig(TELEGRAM);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(file, '..'))).toEqual(['alertmanager.yml']);
  });

  test('replaces a file that everybody could read by one that nobody else can', async () => {
    const folder = tempDir();
    const file = join(folder, 'alertmanager.yml');
    writeFileSync(file, 'old');
    chmodSync(file, 0o644);
    await swarm(['alertmanager-config', '--output', file], { cwd: folder, env: TELEGRAM });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toContain(TOKEN);
  });

  test.each([
    ['critical', ['severity=critical', 'tier=critical'], 'critical'],
    ['warning of tier high', ['severity=warning', 'tier=high'], 'warning-high'],
    ['warning', ['severity=warning', 'tier=medium'], 'warning'],
    ['info', ['severity=info', 'tier=low'], 'info'],
    ['the Watchdog, whatever its severity', ['alertname=Watchdog', 'severity=info'], 'watchdog'],
    ['the test alert', ['alertname=SwarmTestAlert', 'severity=critical'], 'test'],
    ['an alert without severity', ['alertname=Foreign'], 'warning'],
  ])('sends %s to its receiver', async (_, labels, receiver) => {
    const file = await writeAlertmanagerConfig(EVERYTHING);
    const { stdout } = await run(findProgram('amtool'), [
      'config',
      'routes',
      'test',
      `--config.file=${file}`,
      ...labels,
    ]);
    expect(stdout.trim()).toBe(receiver);
  });

  test('gives each severity the channels of the matrix, where they are set', async () => {
    const [telegram, slack, email] = ['telegram_configs', 'slack_configs', 'email_configs'];
    expect(channelsOf(await configurationOf(EVERYTHING))).toEqual({
      test: [telegram],
      critical: [telegram, slack],
      'warning-high': [telegram, slack, email],
      warning: [telegram, slack],
      info: [telegram, email],
      watchdog: ['webhook_configs'],
    });
    expect(channelsOf(await configurationOf(TELEGRAM))).toEqual({
      test: [telegram],
      critical: [telegram],
      'warning-high': [telegram],
      warning: [telegram],
      info: [telegram],
      watchdog: [],
    });
  });

  test('makes a sound for all but info', async () => {
    const { receivers } = await configurationOf(EVERYTHING);
    const silent = receivers.map(({ name, telegram_configs: each }) => [name, each?.[0].disable_notifications]);
    expect(Object.fromEntries(silent)).toEqual({
      test: false,
      critical: false,
      'warning-high': false,
      warning: false,
      info: true,
      watchdog: undefined,
    });
  });

  test('takes the mail server apart', async () => {
    const { receivers } = await configurationOf(EVERYTHING);
    expect(receivers.find(({ name }) => name === 'info')?.email_configs?.[0]).toMatchObject({
      to: 'rafa@example.org',
      from: 'user@example.org',
      smarthost: 'mail.example.org:2525',
      auth_username: 'user@example.org',
      auth_password: 'pass word',
      require_tls: true,
    });
  });

  test.each([
    ['22:30-08:00', ['00:00-08:00', '22:30-24:00']],
    ['13:00-15:30', ['13:00-15:30']],
    ['20:00-00:00', ['20:00-24:00']],
    ['00:00-00:00', undefined],
  ])('mutes info from %s', async (hours, expected) => {
    const { time_intervals: intervals } = await configurationOf({ ...TELEGRAM, QUIET_HOURS: hours });
    const quiet = intervals.find(({ name }) => name === 'quiet-hours')?.time_intervals[0];
    expect(quiet?.times?.map(({ start_time: start, end_time: end }) => `${start}-${end}`)).toEqual(expected);
    expect(quiet?.location).toBe('Europe/Rome');
  });

  test('names the zone as the zone database does', async () => {
    const { time_intervals: intervals } = await configurationOf({ ...TELEGRAM, SWARM_TIMEZONE: 'europe/PARIS' });
    expect(intervals[0].time_intervals[0].location).toBe('Europe/Paris');
  });

  test('goes where a link points, and stays with its owner', async () => {
    const folder = tempDir();
    const [file, link] = [join(folder, 'real.yml'), join(folder, 'link.yml')];
    writeFileSync(file, 'old');
    symlinkSync(file, link);
    if (IS_ROOT) chownSync(file, 65_534, 65_534);
    const { code } = await swarm(['alertmanager-config', '--output', link], { cwd: folder, env: TELEGRAM });
    const { uid, mode } = statSync(file);
    expect({ code, uid, mode: mode & 0o777 }).toEqual({
      code: 0,
      uid: IS_ROOT ? 65_534 : process.getuid?.(),
      mode: 0o600,
    });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(file, 'utf8')).toContain(TOKEN);
  });

  test('never takes the place of a device', async () => {
    const { code, stderr } = await swarm(['alertmanager-config', '--output', '/dev/null'], {
      cwd: tempDir(),
      env: TELEGRAM,
    });
    expect({ code, isDevice: statSync('/dev/null').isCharacterDevice() }).toEqual({ code: 2, isDevice: true });
    expect(stderr).toContain('Could not write "/dev/null": it is no ordinary file.');
  });

  test('reads a secret from the file that X_FILE names', async () => {
    const folder = tempDir();
    const secret = join(folder, 'token');
    writeFileSync(secret, `${TOKEN}\n`);
    const file = await writeAlertmanagerConfig({ TELEGRAM_BOT_TOKEN_FILE: secret, TELEGRAM_CHAT_ID: '5' });
    expect(readFileSync(file, 'utf8')).toContain(`bot_token: ${TOKEN}\n`);
  });
});

describe('without Telegram', () => {
  test('there is a configuration that sends nothing, and a warning that cannot be missed', async () => {
    const { code, stdout, stderr, left } = await tryOver({});
    expect({ code, stdout: stdout.replace(/"?\S*alertmanager\.yml/, 'FILE') }).toEqual({
      code: 0,
      stdout: 'Wrote FILE. Channels: none.\n',
    });
    expect(stderr).toContain('NO ALERT WILL REACH A PHONE: set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID');
    expect(channelsOf(parse(left) as Configuration)).toMatchObject({ critical: [], warning: [], info: [] });
  });
});

describe('a setting that would lose alerts is refused with exit code 2, and the file stays as it was', () => {
  test.each([
    ['a token without a chat', { TELEGRAM_BOT_TOKEN: TOKEN }, 'TELEGRAM_BOT_TOKEN is set but TELEGRAM_CHAT_ID is not'],
    ['a chat without a token', { TELEGRAM_CHAT_ID: '5' }, 'TELEGRAM_CHAT_ID is set but TELEGRAM_BOT_TOKEN is not'],
    ['a placeholder', { ...TELEGRAM, TELEGRAM_BOT_TOKEN: PLACEHOLDER }, 'TELEGRAM_BOT_TOKEN is set to some'],
    ['half a token', { ...TELEGRAM, TELEGRAM_BOT_TOKEN: 'hunter2' }, 'TELEGRAM_BOT_TOKEN is set to something else'],
    [
      'a token with a blank',
      { ...TELEGRAM, TELEGRAM_BOT_TOKEN: `${TOKEN} ` },
      'TELEGRAM_BOT_TOKEN is set to something',
    ],
    ['a chat by name', { ...TELEGRAM, TELEGRAM_CHAT_ID: '@swarm' }, 'TELEGRAM_CHAT_ID is set to something else'],
    ['a chat with a fraction', { ...TELEGRAM, TELEGRAM_CHAT_ID: '5.5' }, 'TELEGRAM_CHAT_ID is set to something else'],
    ['a chat of nobody', { ...TELEGRAM, TELEGRAM_CHAT_ID: '0' }, 'TELEGRAM_CHAT_ID is set to something else'],
    [
      'a chat too large to be exact',
      { ...TELEGRAM, TELEGRAM_CHAT_ID: '9'.repeat(20) },
      'TELEGRAM_CHAT_ID is set to something else',
    ],
    ['an address that is none', { ...TELEGRAM, HEALTHCHECKS_URL: 'ping' }, 'HEALTHCHECKS_URL is set to something else'],
    ['quiet hours that are none', { ...TELEGRAM, QUIET_HOURS: '25:00-08:00' }, 'QUIET_HOURS is "25:00-08:00"'],
    ['e-mail without a server', { ...TELEGRAM, ALERT_EMAIL_TO: 'a@example.org' }, 'ALERT_EMAIL_TO is set but SMTP_URL'],
    ['a mail server by a wrong port', { ...MAIL, SMTP_URL: 'smtp://u:p@m.example.org:465' }, 'SMTP_URL is set to'],
    ['a mail user without password', { ...MAIL, SMTP_URL: 'smtp://u@m.example.org' }, 'SMTP_URL is set to something'],
    ['a mail password with a loose %', { ...MAIL, SMTP_URL: 'smtp://u:50%@m.example.org' }, 'SMTP_URL is set to'],
    [
      'an address with a blank at its end',
      { ...TELEGRAM, HEALTHCHECKS_URL: 'https://a.example.org/x ' },
      'HEALTHCHECKS_URL',
    ],
    ['an address with one slash', { ...TELEGRAM, HEALTHCHECKS_URL: 'https:/a.example.org' }, 'HEALTHCHECKS_URL is set'],
    ['a link with a password', { ...TELEGRAM, GRAFANA_URL: 'https://u:hunter2@g.example.org' }, 'GRAFANA_URL is'],
    ['token and chat id exchanged', { TELEGRAM_BOT_TOKEN: '5', TELEGRAM_CHAT_ID: TOKEN }, 'TELEGRAM_CHAT_ID is set to'],
    [
      'the token where its file belongs',
      { TELEGRAM_CHAT_ID: '5', TELEGRAM_BOT_TOKEN_FILE: TOKEN },
      'which cannot be read',
    ],
    ['a zone nobody knows', { ...TELEGRAM, SWARM_TIMEZONE: 'Europe/Roma' }, 'SWARM_TIMEZONE is "Europe/Roma"'],
    ['a server that is none', { ...TELEGRAM, SMTP_URL: 'mail' }, 'SMTP_URL is set to something else'],
    [
      'a link that leaves no room for the message',
      { ...TELEGRAM, RUNBOOK_URL: `https://example.org/${'x'.repeat(200)}` },
      'RUNBOOK_URL has 220 characters',
    ],
  ])('%s', async (_, env, complaint) => {
    const { code, stdout, stderr, left } = await tryOver(env);
    expect({ code, left, stdout }).toEqual({ code: 2, left: 'what was there', stdout: '' });
    expect(stderr).toContain(complaint);
    for (const secret of ['secret_token', 'hunter2']) expect(stderr).not.toContain(secret);
  });

  test('no --output', async () => {
    const { code, stderr } = await swarm(['alertmanager-config'], { cwd: tempDir(), env: TELEGRAM });
    expect(code).toBe(2);
    expect(stderr).toContain("required option '--output <file>' not specified");
  });
});

describe('a place that cannot be written is named', () => {
  test('a folder that does not exist', async () => {
    const folder = tempDir();
    const file = join(folder, 'none', 'alertmanager.yml');
    const { code, stderr } = await swarm(['alertmanager-config', '--output', file], { cwd: folder, env: TELEGRAM });
    expect({ code, exists: existsSync(file) }).toEqual({ code: 1, exists: false });
    expect(stderr).toContain(`Could not write "${file}": ENOENT.`);
  });

  test('a folder that may not be written', async () => {
    const folder = tempDir();
    const file = join(folder, 'alertmanager.yml');
    writeFileSync(file, 'what was there');
    chmodSync(folder, 0o555);
    const main = new URL('../../dist/cli/main.js', import.meta.url).pathname;
    const [program, ...args] = [
      ...boundByPermissions(),
      process.execPath,
      main,
      'alertmanager-config',
      '--output',
      file,
    ];
    const attempt = run(program, args, { env: { PATH: process.env.PATH, ...TELEGRAM } });
    await expect(attempt).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('EACCES') });
    chmodSync(folder, 0o755);
    expect(readFileSync(file, 'utf8')).toBe('what was there');
  });
});
