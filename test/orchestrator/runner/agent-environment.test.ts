import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { UsageError } from '../../../lib/errors.ts';
import { agentEnvironment } from '../../../orchestrator/runner/agent-environment.ts';
import { makeRunPlace } from '../../support/agent-runs.ts';

const OURS = {
  CLAUDE_CODE_MAX_RETRIES: '2',
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  DISABLE_AUTOUPDATER: '1',
};
const PASSED_ON = {
  ...{ PATH: '/bin', HOME: '/home/x', USER: 'x', LOGNAME: 'x', SHELL: '/bin/sh', LANG: 'it_IT.UTF-8', LC_ALL: 'C' },
  ...{ TZ: 'Europe/Rome', TMPDIR: '/tmp', TERM: 'dumb', XDG_CONFIG_HOME: '/home/x/.c', CLAUDE_CONFIG_DIR: '/c' },
  ...{
    HTTP_PROXY: 'http://p',
    https_proxy: 'http://p',
    NO_PROXY: 'localhost',
    SSL_CERT_FILE: '/ca',
    SSL_CERT_DIR: '/cas',
  },
  ...{ NODE_EXTRA_CA_CERTS: '/ca', ANTHROPIC_BASE_URL: 'http://gateway' },
};
const KEPT_BACK = {
  ...{ TELEGRAM_BOT_TOKEN: 's3cret', GITHUB_TOKEN: 's3cret', GITHUB_WEBHOOK_SECRET: 's3cret', REDIS_URL: 's3cret' },
  ...{ REDIS_PASSWORD: 's3cret', ADMIN_PASSWORD: 's3cret', GRAFANA_PASSWORD: 's3cret', SMTP_URL: 's3cret' },
  ...{ BACKUP_PASSPHRASE: 's3cret', SLACK_WEBHOOK_URL: 's3cret', HEALTHCHECKS_URL: 's3cret', SWARM_DB_PATH: 's3cret' },
  ...{
    TELEGRAM_BOT_TOKEN_FILE: 's3cret',
    AWS_SECRET_ACCESS_KEY: 's3cret',
    OPENAI_API_KEY: 's3cret',
    GH_TOKEN: 's3cret',
  },
  ...{
    ANTHROPIC_AUTH_TOKEN: 's3cret',
    CLAUDE_CODE_OAUTH_TOKEN: 's3cret',
    NODE_OPTIONS: 's3cret',
    LD_PRELOAD: 's3cret',
  },
  ...{ CLAUDECODE: 's3cret', SWARM_TASK_ID: 's3cret', SWARM_RUN_ID: 's3cret', path: 's3cret', XDG: 's3cret' },
};

test.each(['login', 'api-key', undefined] as const)(
  'of a full environment, only what is listed reaches an agent: %s',
  (auth) => {
    const key: Record<string, string> = auth === 'api-key' ? { ANTHROPIC_API_KEY: 'sk-1' } : {};
    const environment = { ...PASSED_ON, ...KEPT_BACK, ...key, EMPTY: undefined };
    expect(agentEnvironment({ environment, auth })).toEqual({ ...PASSED_ON, ...OURS, ...key });
  },
);

test('the settings of ours are stronger than those of the environment', () => {
  const environment = { CLAUDE_CODE_MAX_RETRIES: '50', DISABLE_AUTOUPDATER: '0' };
  expect(agentEnvironment({ environment, auth: 'login' })).toEqual(OURS);
});

test('the login pays, although a key is there, if that was said', () => {
  const environment = { ANTHROPIC_API_KEY: 'sk-1', ANTHROPIC_API_KEY_FILE: '/no/such/file' };
  expect(agentEnvironment({ environment, auth: 'login' })).toEqual(OURS);
});

test('a key can be in a file', () => {
  const file = join(makeRunPlace().scratch, 'key');
  writeFileSync(file, 'sk-2\n');
  const environment = { ANTHROPIC_API_KEY: '', ANTHROPIC_API_KEY_FILE: file };
  expect(agentEnvironment({ environment, auth: 'api-key' })).toEqual({ ...OURS, ANTHROPIC_API_KEY: 'sk-2' });
});

test.each<[what: string, environment: Record<string, string>, auth: 'api-key' | undefined, message: RegExp]>([
  ['a key without a payer', { ANTHROPIC_API_KEY: 'sk-1' }, undefined, /which account pays.*AGENT_AUTH is not set/],
  ['a file of a key without a payer', { ANTHROPIC_API_KEY_FILE: '/x' }, undefined, /AGENT_AUTH is not set/],
  ['a payer without a key', {}, 'api-key', /there is none/],
  ['an empty key', { ANTHROPIC_API_KEY: '' }, 'api-key', /there is none/],
  ['a file that is not there', { ANTHROPIC_API_KEY_FILE: '/no/such/file' }, 'api-key', /ENOENT/],
  ['an empty file', { ANTHROPIC_API_KEY_FILE: '/dev/null' }, 'api-key', /is empty/],
])('%s is a mistake in the settings', (_, environment, auth, message) => {
  const start = (): unknown => agentEnvironment({ environment, auth });
  expect(start).toThrow(UsageError);
  expect(start).toThrow(message);
  expect(start).toThrow(expect.objectContaining({ hint: expect.stringContaining('AGENT_AUTH=login') }));
});
