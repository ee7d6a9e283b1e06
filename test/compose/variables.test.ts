import { expect, test } from 'vitest';
import { CHANNEL_SETTINGS, SCHEDULER_SETTINGS, SETTINGS, WORK_SETTINGS } from '../../lib/config.ts';
import { COMPOSE_TEXT, readProjectFile } from './compose-file.ts';

const SETTINGS_OF_OURS = new Set(
  Object.values({ ...SETTINGS, ...WORK_SETTINGS, ...CHANNEL_SETTINGS, ...SCHEDULER_SETTINGS }).map(
    ({ variable }) => variable,
  ),
);
const [FOR_COMPOSE, FOR_ALL] = readProjectFile('.env.example').split('# ── For every way to run ──\n');

/** Variables and their values, with those that are commented out. */
function linesOf(text: string): Map<string, string> {
  return new Map([...text.matchAll(/^(?:# )?([A-Z_]+)=(.*)$/gm)].map(([, variable, value]) => [variable, value]));
}

/** Variables of the compose file with their defaults, without the files of secrets. */
function variablesOf(text: string): Map<string, string> {
  const found = [...text.matchAll(/\$\{(\w+)(?::-([^}]*)|\?[^}]*)\}/g)];
  return new Map(
    found.map(([, variable, fallback = '']) => [variable, fallback]).filter(([name]) => !isFile(name)) as [
      string,
      string,
    ][],
  );
}

function isFile(variable: string): boolean {
  return variable.endsWith('_FILE');
}

test('.env.example has every variable of the compose file', () => {
  const shown = new Set([...linesOf(FOR_COMPOSE).keys(), ...linesOf(FOR_ALL).keys()]);
  expect([...variablesOf(COMPOSE_TEXT).keys()].filter((variable) => !shown.has(variable))).toEqual([]);
});

test('what .env.example shows for Compose alone is used by it, and its defaults are those of the compose file', () => {
  const used = variablesOf(COMPOSE_TEXT);
  const shown = linesOf(FOR_COMPOSE);
  for (const each of ['COMPOSE_FILE', 'COMPOSE_PROFILES']) shown.delete(each);
  expect(Object.fromEntries(shown)).toEqual(
    Object.fromEntries([...shown.keys()].map((variable) => [variable, used.get(variable)])),
  );
  expect([...shown.keys()].filter((variable) => SETTINGS_OF_OURS.has(variable))).toEqual([]);
});

test('.env.example starts the stack with a bare docker-compose up, and says in a line what each variable is', () => {
  expect(linesOf(FOR_COMPOSE).get('COMPOSE_FILE')).toBe('docker-compose.monitoring.yml');
  for (const paragraph of FOR_COMPOSE.split('\n\n').filter((each) => /^(# )?[A-Z_]+=/m.test(each))) {
    expect(paragraph).toMatch(/^# [A-Z].+\.\n/);
  }
});
