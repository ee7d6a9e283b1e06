import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { type Config, type Environment, loadConfig, SETTINGS } from '../../lib/config.ts';
import { UsageError } from '../../lib/errors.ts';
import { tempDir } from '../support/memory-builder.ts';

const DEFAULTS: Config = {
  swarmDbPath: resolve('data/swarm_memory.db'),
  timezone: 'Europe/Rome',
  language: 'it',
  logLevel: 'info',
  bindHost: '127.0.0.1',
  exporterPort: 9091,
  grafanaUrl: undefined,
  prometheusUrl: undefined,
  alertmanagerUrl: undefined,
  alertmanagerApiUrl: undefined,
  runbookUrl: undefined,
  projectsFile: resolve('projects.json'),
  eurPerUsd: 0.92,
  infraCostEurMonth: 0,
  adminPassword: undefined,
};

/** The message of the UsageError that an environment deserves. */
function complaint(environment: Environment): string {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return '';
}

test('without any variable there are the defaults', () => {
  expect(loadConfig({})).toMatchObject(DEFAULTS);
});

test('every empty variable counts as unset', () => {
  const empty = Object.fromEntries(
    Object.values(SETTINGS).flatMap(({ variable }) => [
      [variable, ''],
      [`${variable}_FILE`, ''],
    ]),
  );
  expect(loadConfig(empty)).toEqual(loadConfig({}));
});

test.each<[string, string, keyof Config, unknown]>([
  ['SWARM_DB_PATH', '/data/swarm.db', 'swarmDbPath', '/data/swarm.db'],
  ['SWARM_DB_PATH', 'here.db', 'swarmDbPath', resolve('here.db')],
  ['SWARM_TIMEZONE', 'America/New_York', 'timezone', 'America/New_York'],
  ['SWARM_TIMEZONE', 'UTC', 'timezone', 'UTC'],
  ['SWARM_LANG', 'en', 'language', 'en'],
  ['LOG_LEVEL', 'silent', 'logLevel', 'silent'],
  ['BIND_HOST', '0.0.0.0', 'bindHost', '0.0.0.0'],
  ['EXPORTER_PORT', '0', 'exporterPort', 0],
  ['EXPORTER_PORT', '65535', 'exporterPort', 65_535],
  ['GRAFANA_URL', 'https://host:3000/grafana//', 'grafanaUrl', 'https://host:3000/grafana'],
  ['RUNBOOK_URL', 'http://host/', 'runbookUrl', 'http://host'],
  ['EUR_PER_USD', '0.5', 'eurPerUsd', 0.5],
  ['INFRA_COST_EUR_MONTH', '12.5', 'infraCostEurMonth', 12.5],
])('%s=%s is understood', (variable, text, name, expected) => {
  expect(loadConfig({ [variable]: text })[name]).toBe(expected);
});

test.each([
  ['SWARM_DB_PATH', 'a\0b'],
  ['SWARM_TIMEZONE', 'Europe/Atlantis'],
  ['SWARM_LANG', 'de'],
  ['SWARM_LANG', 'IT'],
  ['LOG_LEVEL', 'verbose'],
  ['EXPORTER_PORT', '65536'],
  ['EXPORTER_PORT', '-1'],
  ['EXPORTER_PORT', '80.5'],
  ['EXPORTER_PORT', ' 80'],
  ['EXPORTER_PORT', '0x50'],
  ['GRAFANA_URL', 'grafana:3000'],
  ['PROMETHEUS_URL', 'ftp://host'],
  ['ALERTMANAGER_URL', 'http://'],
  ['EUR_PER_USD', '0'],
  ['EUR_PER_USD', '-1'],
  ['EUR_PER_USD', '0,92'],
  ['EUR_PER_USD', 'NaN'],
  ['INFRA_COST_EUR_MONTH', 'Infinity'],
  ['INFRA_COST_EUR_MONTH', ' '],
])('%s=%j is refused, with its value and what was expected', (variable, text) => {
  const { expected } = Object.values(SETTINGS).find((each) => each.variable === variable) ?? { expected: 'a setting' };
  expect(complaint({ [variable]: text })).toBe(
    `Could not read the settings: ${variable} is "${text}", expected ${expected}.`,
  );
});

test('every bad variable is named at once', () => {
  expect(complaint({ SWARM_LANG: 'de', EXPORTER_PORT: 'x', LOG_LEVEL: 'info', EUR_PER_USD: '' })).toBe(
    'Could not read the settings: SWARM_LANG is "de", expected it or en; ' +
      'EXPORTER_PORT is "x", expected a port number from 0 to 65535 (0 takes any free one).',
  );
});

test('a very long value is cut in the message', () => {
  expect(complaint({ SWARM_LANG: 'x'.repeat(10_000) })).toBe(
    `Could not read the settings: SWARM_LANG is "${'x'.repeat(80)}", expected it or en.`,
  );
});

test.each([
  ['its last line break removed', 'en\n', 'en'],
  ['a Windows line break removed', 'en\r\n', 'en'],
  ['no line break', 'en', 'en'],
  ['nothing in it, as if unset', '', 'it'],
  ['nothing but a line break in it, as if unset', '\n', 'it'],
])('X_FILE gives the value of X, with %s', (_, content, expected) => {
  const file = join(tempDir(), 'value');
  writeFileSync(file, content);
  expect(loadConfig({ SWARM_LANG_FILE: file }).language).toBe(expected);
});

test('the variable itself comes before its file', () => {
  const file = join(tempDir(), 'value');
  writeFileSync(file, 'en');
  expect(loadConfig({ SWARM_LANG: 'it', SWARM_LANG_FILE: file }).language).toBe('it');
});

test('a bad value in a file is named like any other', () => {
  const file = join(tempDir(), 'value');
  writeFileSync(file, 'de\n');
  expect(complaint({ SWARM_LANG_FILE: file })).toContain('SWARM_LANG is "de", expected it or en');
});

test('a file that cannot be read is named, with the reason', () => {
  const folder = tempDir();
  expect(complaint({ SWARM_LANG_FILE: join(folder, 'absent'), LOG_LEVEL_FILE: folder })).toBe(
    `Could not read the settings: SWARM_LANG_FILE is "${join(folder, 'absent')}", which cannot be read (ENOENT); ` +
      `LOG_LEVEL_FILE is "${folder}", which cannot be read (EISDIR).`,
  );
});
