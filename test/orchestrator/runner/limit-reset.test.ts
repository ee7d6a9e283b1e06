import { expect, test } from 'vitest';
import { parseReset } from '../../../orchestrator/runner/limit-reset.ts';

const NOW = '2026-11-23T09:00:00Z';

test.each<[text: string, at: string | undefined, now?: string]>([
  ["You've hit your session limit · resets 8:30am (America/Los_Angeles)", '2026-11-23T16:30:00Z'],
  ['resets 8:30am (Europe/Rome)', '2026-11-24T07:30:00Z'],
  ['resets 11am (Europe/Rome)', '2026-11-23T10:00:00Z'],
  ['resets 12am (UTC)', '2026-11-24T00:00:00Z'],
  ['resets 12pm (UTC)', '2026-11-23T12:00:00Z'],
  ['resets at 9:00am (UTC)', '2026-11-24T09:00:00Z'],
  ['resets Nov 25, 2:46am (America/Los_Angeles)', '2026-11-25T10:46:00Z'],
  ['resets Nov 25 at 2:46am (America/Los_Angeles)', '2026-11-25T10:46:00Z'],
  ['resets Jan 2, 1am (UTC)', '2027-01-02T01:00:00Z', '2026-12-30T00:00:00Z'],
  ['resets 5:30am (Etc/GMT+8)', '2026-11-23T13:30:00Z'],
  // Clocks go back in between: the day has 25 hours.
  ['resets 8:30am (America/Los_Angeles)', '2026-11-01T16:30:00Z', '2026-10-31T20:00:00Z'],
  // 2:30 does not exist on the day clocks go forward.
  ['resets 2:30am (America/Los_Angeles)', '2026-03-08T10:30:00Z', '2026-03-08T08:00:00Z'],
  ['resets 8:30am', undefined],
  ['resets 8:30am (Nowhere/At_All)', undefined],
  ['resets 8:75am (UTC)', undefined],
  ['resets Feb 30, 8am (UTC)', undefined],
  ['resets Xyz 30, 8am (UTC)', undefined],
  ['resets Jul 1, 8am (UTC)', undefined],
  ['resets soon', undefined],
  [`${'resets 1'.repeat(10_000)}am (UTC)`, undefined],
  ['', undefined],
])('%s', (text, at, now = NOW) => {
  const found = parseReset(text, Date.parse(now));
  expect(found === undefined ? undefined : new Date(found).toISOString()).toBe(at?.replace('Z', '.000Z'));
});
