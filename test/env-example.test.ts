import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CHANNEL_SETTINGS, SCHEDULER_SETTINGS, SETTINGS, WORK_SETTINGS } from '../lib/config.ts';

const ALL = Object.values({ ...SETTINGS, ...WORK_SETTINGS, ...CHANNEL_SETTINGS, ...SCHEDULER_SETTINGS });
// What is for Compose alone comes first, and is held to the compose file by test/compose/.
const LINES = readFileSync(new URL('../.env.example', import.meta.url), 'utf8')
  .split('# ── For every way to run ──\n')[1]
  .split('\n');

test('.env.example names every setting once, in order, with its default', () => {
  const shown = LINES.filter((line) => /^(# )?[A-Z_]+=/.test(line));
  const expected = ALL.map(({ variable, fallback }) =>
    fallback === undefined ? `# ${variable}=` : `${variable}=${fallback}`,
  );
  expect(shown).toEqual(expected);
});

test('.env.example says of every setting what it is for and what is expected', () => {
  for (const { variable, about, expected } of ALL) {
    const line = LINES.findIndex((each) => each.replace('# ', '').startsWith(`${variable}=`));
    const sentence = `${about[0].toUpperCase()}${about.slice(1)}`;
    expect(LINES[line - 1]).toBe(`# ${sentence}: ${expected}.`);
  }
});
